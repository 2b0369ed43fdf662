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

// lock puts the sources of the mounts that must stay read-only on the stage.
func (l *launch) lock(s *spec.Spec) error {
	for i, m := range s.OCI.Mounts {
		if !s.Locked[m.Destination] {
			continue
		}
		recursive := m.Options[0] == "rbind"
		staged, err := l.stage.Bind(m.Source, recursive)
		if err != nil {
			return fmt.Errorf("bind %s to %s: %w", m.Source, m.Destination, err)
		}
		s.OCI.Mounts[i].Source = staged
		// The copy keeps the submounts and their flags; asking for ro again
		// would make libcontainer remount what is already so.
		s.OCI.Mounts[i].Options = slices.DeleteFunc(m.Options, func(o string) bool { return o == "ro" || o == "rro" })
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
	staged, err := l.stage.Bind(root.Path, true)
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
