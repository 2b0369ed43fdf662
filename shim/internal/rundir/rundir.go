// Package rundir keeps what firn knows of running containers: one directory
// each below /run/firn. Input: a container's name; output: its directory, the
// claim on it, and the record in it. It serves the stages "container" and
// "lifecycle"; it knows nothing of namespaces or cgroups.
//
// The directory of the container NAME:
//
//	/run/firn/NAME/           0700
//	  lock                    locked by the supervisor as long as it lives
//	  record.json             what a later firn needs to serve or sweep NAME
//	  host/                   bound read-only at /run/host in the container
//	  stage/                  empty; mount point inside the start's namespace
//	  state/                  libcontainer's own state
//
// Who holds the lock owns the record. A directory whose lock is free and whose
// leader is gone is a leftover of a killed supervisor, to be swept.
package rundir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

// DefaultPath is where the directories stand; the environment variable
// FIRN_RUNTIME_DIR names another place.
const DefaultPath = "/run/firn"

var (
	// ErrBusy says that another supervisor holds the container.
	ErrBusy = errors.New("already running")
	// ErrUnknown says that firn keeps nothing under this name.
	ErrUnknown = errors.New("no such running container")
)

// Root is the directory of all containers' directories.
type Root struct{ Path string }

// Default returns the Root that the environment asks for.
func Default() Root {
	if path := os.Getenv("FIRN_RUNTIME_DIR"); filepath.IsAbs(path) {
		return Root{Path: path}
	}
	return Root{Path: DefaultPath}
}

// Dir returns the directory of the container called name; it need not exist.
func (r Root) Dir(name string) Dir { return Dir{Name: name, Path: filepath.Join(r.Path, name)} }

// Names lists the containers that have a directory, sorted.
func (r Root) Names() ([]string, error) {
	entries, err := os.ReadDir(r.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read runtime directory: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// Dir is the directory of one container.
type Dir struct {
	Name string
	Path string
}

// Root is the directory that d stands in.
func (d Dir) Root() Root { return Root{Path: filepath.Dir(d.Path)} }

// Host is the directory that the container sees as /run/host.
func (d Dir) Host() string { return filepath.Join(d.Path, "host") }

// Handoff is the directory of the socket on which firn-init is listened to;
// in the container it is /run/host/firn.
func (d Dir) Handoff() string { return filepath.Join(d.Host(), "firn") }

// Notify is the sd_notify(3) socket of the container's PID 1; in the container
// it is /run/host/notify.
func (d Dir) Notify() string { return filepath.Join(d.Host(), "notify") }

// Stage is the mount point of the start's private file system.
func (d Dir) Stage() string { return filepath.Join(d.Path, "stage") }

// State is the root that libcontainer is given for its own state.
func (d Dir) State() string { return filepath.Join(d.Path, "state") }

func (d Dir) lock() string   { return filepath.Join(d.Path, "lock") }
func (d Dir) record() string { return filepath.Join(d.Path, "record.json") }
