// Package hostfiles gives a container what it takes over from the host's
// /etc and /var/log: the resolver's configuration, the time zone, the journal.
//
// Role: beside the root's preparation. Input: the modes of systemd-nspawn(1)
// (--resolv-conf=, --timezone=, --link-journal=) and the open root; output:
// files written inside the root, and binds for the Spec where the mode asks for
// one or the root cannot be written. Paths in the root are resolved inside it.
package hostfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// Host is the side that is read. Paths hang from Root, "/" but in tests.
type Host struct {
	Root string
}

func (h Host) path(p string) string { return filepath.Join(h.Root, p) }

// Apply does all three. readOnly says that the root will be mounted so; files
// are bound then instead of copied.
func Apply(h Host, root *rootfs.Root, c *config.Config, uuid string, readOnly bool) ([]spec.Bind, error) {
	resolv, err := h.resolvConf(root, c.Host.ResolvConf.Or("auto"), readOnly)
	if err != nil {
		return nil, settingError(c.Host.ResolvConf.From, "--resolv-conf=", err)
	}
	zone, err := h.timezone(root, c.Host.Timezone.Or("auto"), readOnly)
	if err != nil {
		return nil, settingError(c.Host.Timezone.From, "--timezone=", err)
	}
	link := c.Host.LinkJournal.Or(config.LinkJournal{Mode: config.JournalAuto})
	if c.Root.Ephemeral.V {
		link.Mode = config.JournalNo // of a root that is thrown away no journal is kept; Validate has refused to insist
	}
	journal, err := h.journal(root, link, uuid)
	if err != nil {
		return nil, settingError(c.Host.LinkJournal.From, "--link-journal=", err)
	}
	var binds []spec.Bind
	for _, b := range []*spec.Bind{resolv, zone, journal} {
		if b != nil {
			binds = append(binds, *b)
		}
	}
	return binds, nil
}

// settingError names the user's text, or the option whose default it was.
func settingError(from config.Origin, option string, err error) error {
	if from == (config.Origin{}) {
		from.Option = option
	}
	return fmt.Errorf("%s: %w", from, err)
}

// resolvers are the files that each mode's second half stands for.
var resolvers = map[string]string{
	"host":   "/etc/resolv.conf",
	"static": "/usr/lib/systemd/resolv.conf",
	"uplink": "/run/systemd/resolve/resolv.conf",
	"stub":   "/run/systemd/resolve/stub-resolv.conf",
}

const resolvConf = "/etc/resolv.conf"

// resolvConf applies one mode: off, delete, auto, or ACTION-SOURCE with the
// actions copy (over a regular file or nothing), replace (over anything) and
// bind.
func (h Host) resolvConf(root *rootfs.Root, mode config.ResolvConfMode, readOnly bool) (*spec.Bind, error) {
	switch mode {
	case "off":
		return nil, nil
	case "delete":
		return nil, root.Remove(resolvConf)
	case "auto":
		return h.autoResolvConf(root, readOnly)
	}
	action, source, _ := cutAction(string(mode))
	path, ok := resolvers[source]
	if !ok {
		return nil, fmt.Errorf("mode %q is not known", mode)
	}
	content, err := os.ReadFile(h.path(path))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, cause(err))
	}
	switch action {
	case "bind":
		return bindOver(root, h.path(path), resolvConf)
	case "replace":
		return nil, root.ReplaceFile(resolvConf, content, 0o644)
	}
	return nil, copyOver(root, resolvConf, content)
}

// autoResolvConf is the default with the host's network: the stub resolver's
// file where systemd-resolved runs, else the host's own; copied into a
// writable root, bound over in a read-only one. A host without any, and a root
// whose file is a link, are left alone.
func (h Host) autoResolvConf(root *rootfs.Root, readOnly bool) (*spec.Bind, error) {
	path := resolvers["stub"]
	content, err := os.ReadFile(h.path(path))
	if errors.Is(err, fs.ErrNotExist) {
		path = resolvers["host"]
		content, err = os.ReadFile(h.path(path))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, cause(err))
	}
	if !readOnly {
		return nil, copyOver(root, resolvConf, content)
	}
	if !root.Exists(resolvConf) {
		return nil, nil // nothing to bind over, and it cannot be made
	}
	return &spec.Bind{Source: h.path(path), Target: resolvConf, ReadOnly: true}, nil
}

func cutAction(mode string) (action, source string, ok bool) {
	for i := range mode {
		if mode[i] == '-' {
			return mode[:i], mode[i+1:], true
		}
	}
	return mode, "", false
}

// copyOver writes the file unless something that is no regular file stands
// there: a link in the root is somebody's decision.
func copyOver(root *rootfs.Root, p string, content []byte) error {
	switch kind, err := root.Kind(p); {
	case err != nil:
		return err
	case kind == rootfs.Other:
		return nil
	}
	return root.ReplaceFile(p, content, 0o644)
}

// bindOver binds source over p, which is made if it is missing.
func bindOver(root *rootfs.Root, source, p string) (*spec.Bind, error) {
	if err := root.CreateFile(p, nil, 0o644); err != nil {
		return nil, err
	}
	return &spec.Bind{Source: source, Target: p, ReadOnly: true}, nil
}

// cause drops the path that the caller names already.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
