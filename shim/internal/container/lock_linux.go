package container

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// stageMounts makes all binds and overlays on the stage, and leaves to
// libcontainer to bind them where they belong. Not the read-only ones alone:
// on a locked stage nothing that has submounts can be bound without them, nor
// be an overlay's layer.
func (l *launch) stageMounts(s *spec.Spec) error {
	for i := range s.OCI.Mounts {
		m := &s.OCI.Mounts[i]
		var err error
		switch m.Type {
		case "bind":
			m.Source, err = l.stage.Bind(m.Source, m.Options[0] == "rbind", s.Locked[m.Destination])
			// The copy has its flags; asking for them again would remount it.
			m.Options = slices.DeleteFunc(m.Options, func(o string) bool { return o == "ro" || o == "rro" })
		case "overlay":
			m.Source, err = l.stage.Overlay(m.Options)
			m.Type, m.Options = "bind", []string{"bind", "rslave"}
		}
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.Destination, err)
		}
	}
	return nil
}

// lockRoot locks a read-only root too. What is mounted on it needs its mount
// points before.
func (l *launch) lockRoot(s *spec.Spec, root *rootfs.Root) error {
	if !s.OCI.Root.Readonly {
		return nil
	}
	for i, m := range s.OCI.Mounts {
		if within(m.Destination, s.OCI.Mounts[:i]) {
			continue
		}
		if err := makeMountPoint(root, m); err != nil {
			return err
		}
	}
	staged, err := l.stage.Bind(root.Path, true, true)
	if err != nil {
		return fmt.Errorf("make root read-only: %w", err)
	}
	s.OCI.Root.Path = staged
	return nil
}

// within tells whether p is on a file system that one of the mounts brings.
func within(p string, mounts []specs.Mount) bool {
	return slices.ContainsFunc(mounts, func(m specs.Mount) bool { return strings.HasPrefix(p, m.Destination+"/") })
}

// makeMountPoint makes a missing mount point: a file for a file's bind, else a
// directory. A root that cannot be written may have it already.
func makeMountPoint(root *rootfs.Root, m specs.Mount) error {
	if root.Exists(m.Destination) {
		return nil
	}
	if info, err := os.Stat(m.Source); m.Type == "bind" && err == nil && !info.IsDir() {
		return root.CreateFile(m.Destination, nil, 0o644)
	}
	return root.MkdirAll(m.Destination, 0o755)
}
