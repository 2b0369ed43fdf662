package container

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/hostfiles"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// openRoot returns the root that the container gets: the directory itself, or
// for --ephemeral and --volatile a view of it that stands on the stage.
func (l *launch) openRoot() (*rootfs.Root, error) {
	path := l.record.Root
	var err error
	if l.config.Root.Ephemeral.V {
		if path, err = l.ephemeral(path); err != nil {
			return nil, fmt.Errorf("make ephemeral copy of %s: %w", l.record.Root, err)
		}
	}
	switch l.config.Root.Volatile.V {
	case config.VolatileYes:
		path, err = l.volatileRoot(path)
	case config.VolatileOverlay:
		path, err = l.volatileOverlay(path)
	}
	if err != nil {
		return nil, fmt.Errorf("make volatile root over %s: %w", l.record.Root, err)
	}
	return rootfs.Open(path)
}

// hostFiles makes the root fit to boot and gives it what it takes over from the
// host. It is the first to write to the root, after all checks.
func (l *launch) hostFiles(s *spec.Spec, root *rootfs.Root) error {
	if !s.OCI.Root.Readonly {
		if err := root.Prepare(); err != nil {
			return err
		}
	}
	binds, err := hostfiles.Apply(hostfiles.Host{Root: "/"}, root, l.config, l.record.UUID, s.OCI.Root.Readonly)
	if err != nil {
		return err
	}
	s.AddBinds(binds)
	return nil
}

// ephemeral lays a temporary directory over the root. Unlike a copy it costs
// nothing to make, and the root stays as it is.
func (l *launch) ephemeral(lower string) (string, error) {
	dir, err := l.places.temporary("ephemeral")
	if err != nil {
		return "", err
	}
	return l.overlay(lower, dir)
}

// volatileOverlay lays a tmpfs over the root.
func (l *launch) volatileOverlay(lower string) (string, error) {
	dir, err := l.stage.Tmpfs("mode=0755,size=50%")
	if err != nil {
		return "", err
	}
	return l.overlay(lower, dir)
}

func (l *launch) overlay(lower, dir string) (string, error) {
	upper, work := filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{upper, work} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return "", err
		}
	}
	// The upper directory is the new root: it has the mode of the old one.
	if info, err := os.Stat(lower); err == nil {
		if err := os.Chmod(upper, info.Mode().Perm()); err != nil {
			return "", err
		}
	}
	return l.stage.Overlay(spec.OverlayOptions([]string{lower}, upper, work))
}

// volatileRoot is --volatile=yes: a tmpfs with the tree's /usr read-only in
// it, and the links into /usr that a merged-/usr tree has beside it.
func (l *launch) volatileRoot(tree string) (string, error) {
	// Resolved inside the tree: its /usr may be a link, to the host's /etc even.
	source, err := (rootfs.View{Root: tree}).Resolve("/usr")
	if err != nil {
		return "", err
	}
	dir, err := l.stage.Tmpfs("mode=0755,size=25%")
	if err != nil {
		return "", err
	}
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		target, err := os.Readlink(filepath.Join(tree, name))
		if errors.Is(err, unix.EINVAL) {
			return "", fmt.Errorf("/%s is a directory: the tree has no merged /usr", name)
		}
		if err != nil {
			continue // not there
		}
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	usr := filepath.Join(dir, "usr")
	if err := os.Mkdir(usr, 0o755); err != nil {
		return "", err
	}
	staged, err := l.stage.Bind(source, true, true)
	if err != nil {
		return "", err
	}
	if err := unix.Mount(staged, usr, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return "", fmt.Errorf("bind /usr: %w", err)
	}
	return dir, nil
}
