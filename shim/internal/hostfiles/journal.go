package hostfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

const journalDir = "/var/log/journal"

var (
	errNoJournal = errors.New("the host keeps no persistent journal in " + journalDir)
	errHostsID   = errors.New("the container has the host's machine id, so its journal would be the host's own")
)

// journal joins the journals of host and container, which both name their
// directory after the container's machine id:
//
//	host    kept on the host, bound into the container
//	guest   kept in the root, a symbolic link on the host leads there
//	auto    as it was set up before: bound if the host has the directory
//	try-    host and guest, but without a persistent journal on the host nothing
//
// A root with the host's own machine id, by copying or by design, gets nothing:
// it would get the host's journal to write to.
//
// The link on the host outlives the container: through it the host's journalctl
// reads what the container has written.
func (h Host) journal(root *rootfs.Root, link config.LinkJournal, uuid string) (*spec.Bind, error) {
	if link.Mode == config.JournalNo {
		return nil, nil
	}
	if root.MachineID() == "" && link.Mode == config.JournalAuto {
		return nil, nil // a new id each boot leads to nothing that was kept
	}
	if info, err := os.Stat(h.path(journalDir)); err != nil || !info.IsDir() {
		if link.Try || link.Mode == config.JournalAuto {
			return nil, nil
		}
		return nil, errNoJournal
	}
	if h.hasID(uuid) {
		if link.Try || link.Mode == config.JournalAuto {
			return nil, nil
		}
		return nil, errHostsID
	}
	inside := filepath.Join(journalDir, uuid)
	onHost := h.path(inside)
	switch link.Mode {
	case config.JournalGuest:
		return nil, linkGuest(root, onHost, inside)
	case config.JournalHost:
		if err := os.MkdirAll(onHost, 0o755); err != nil {
			return nil, fmt.Errorf("make journal directory: %w", err)
		}
	}
	if info, err := os.Lstat(onHost); err != nil || !info.IsDir() {
		return nil, nil
	}
	if err := root.MkdirAll(inside, 0o755); err != nil {
		return nil, err
	}
	return &spec.Bind{Source: onHost, Target: inside}, nil
}

// hasID tells whether id is the host's own machine id.
func (h Host) hasID(id string) bool {
	own, err := os.ReadFile(h.path("/etc/machine-id"))
	return err == nil && strings.TrimSpace(string(own)) == id
}

// linkGuest makes the directory in the root and the link to it on the host. A
// directory of the host in its place holds journals: it is never removed.
func linkGuest(root *rootfs.Root, onHost, inside string) error {
	if err := root.MkdirAll(inside, 0o755); err != nil {
		return err
	}
	target := filepath.Join(root.Path, inside)
	switch old, err := os.Readlink(onHost); {
	case err == nil && old == target:
		return nil // from an earlier boot; the user keeps it
	case err == nil:
		if err := os.Remove(onHost); err != nil {
			return fmt.Errorf("replace journal link: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s of the host is in the way: not a symbolic link", onHost)
	}
	if err := os.Symlink(target, onHost); err != nil {
		return fmt.Errorf("link journal: %w", err)
	}
	return nil
}
