package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"firn/shim/internal/pidfd"
)

// Phase is how far a container has come.
//
//	starting -> running -> stopping
//	                    <- (reboot: starting again)
//
// The end has no phase: the directory is gone.
type Phase string

const (
	Starting Phase = "starting" // the supervisor prepares; Leader is not known yet
	Running  Phase = "running"  // PID 1 has been started
	Stopping Phase = "stopping" // PID 1 has ended or been asked to; the supervisor clears up
)

// Record is what a container's supervisor writes down for later firn
// processes: enough to show it, to signal it safely, and to remove what it
// left if the supervisor was killed. One JSON object in record.json, replaced
// as a whole.
type Record struct {
	Version    int       `json:"version"`
	Name       string    `json:"name"`
	Phase      Phase     `json:"phase"`
	Supervisor pidfd.Ref `json:"supervisor"`
	Leader     pidfd.Ref `json:"leader"` // the container's PID 1, in the host's numbers
	Started    time.Time `json:"started"`

	Root       string   `json:"root"`                // the root directory as given
	RootID     string   `json:"rootId"`              // device:inode of it, to find two containers on one root
	Ephemeral  bool     `json:"ephemeral,omitempty"` // the root is only the lower layer, so others may run on it
	Temporary  []string `json:"temporary,omitempty"` // directories to remove at the end
	Scope      string   `json:"scope,omitempty"`     // the scope unit that systemd made for it
	CgroupBase string   `json:"cgroupBase"`          // what NAME.nspawn hangs from, "/machine" or a unit's own cgroup
	KeepUnit   bool     `json:"keepUnit,omitempty"`
	Boot       bool     `json:"boot,omitempty"` // the payload is an init system
	KillSignal int      `json:"killSignal"`     // what asks it to halt
	UUID       string   `json:"uuid"`
	Log        string   `json:"log,omitempty"`     // console log file, if kept
	Command    string   `json:"command,omitempty"` // what PID 1 was started as

	Ready  bool   `json:"ready"`            // READY=1 seen
	Status string `json:"status,omitempty"` // last STATUS=
}

const recordVersion = 1

// Read returns the container's record. The error wraps ErrUnknown if there is
// none.
func (d Dir) Read() (*Record, error) {
	data, err := os.ReadFile(d.record())
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("container %q: %w", d.Name, ErrUnknown)
	}
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	var rec Record
	if err := json.Unmarshal(data, &rec); err != nil {
		return nil, fmt.Errorf("parse %s: %w", d.record(), err)
	}
	if rec.Version != recordVersion {
		return nil, fmt.Errorf("parse %s: version %d, want %d", d.record(), rec.Version, recordVersion)
	}
	return &rec, nil
}

// Write replaces the record. Readers see the old one or the new one.
func (c *Claim) Write(rec *Record) error {
	rec.Version = recordVersion
	data, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	path := c.Dir.record()
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	return nil
}
