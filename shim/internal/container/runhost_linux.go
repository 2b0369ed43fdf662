package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// runHost fills the directory that the container sees as /run/host, after the
// Container Interface:
//
//	container-manager   "firn"
//	container-uuid      the machine id given to the container
//	os-release          the host's
//	inaccessible/       nodes of each type that nobody can use
//	notify, firn/       sockets, see rundir
//	firn-init           firn-init, where there is one: a copy, so that nothing
//	                    inside can reach the host's file
//
// It tells whether firn-init is there.
func (l *launch) runHost() (firnInit bool, err error) {
	host := l.dir.Host()
	for name, content := range map[string]string{
		"container-manager": "firn\n",
		"container-uuid":    l.record.UUID + "\n",
	} {
		if err := os.WriteFile(filepath.Join(host, name), []byte(content), 0o444); err != nil {
			return false, fmt.Errorf("write /run/host/%s: %w", name, err)
		}
	}
	if content, err := readOSRelease(); err == nil {
		if err := os.WriteFile(filepath.Join(host, "os-release"), content, 0o444); err != nil {
			return false, fmt.Errorf("write /run/host/os-release: %w", err)
		}
	}
	if err := makeInaccessible(filepath.Join(host, "inaccessible")); err != nil {
		return false, err
	}
	return l.bindFirnInit()
}

// makeInaccessible makes a node of each type with no permissions. A device
// with number 0 has no driver: opening it gives ENXIO even to root.
func makeInaccessible(dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make /run/host/inaccessible: %w", err)
	}
	for _, node := range []struct {
		name string
		mode uint32
	}{
		{"reg", unix.S_IFREG}, {"fifo", unix.S_IFIFO}, {"sock", unix.S_IFSOCK},
		{"chr", unix.S_IFCHR}, {"blk", unix.S_IFBLK},
	} {
		if err := unix.Mknod(filepath.Join(dir, node.name), node.mode, 0); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("make /run/host/inaccessible/%s: %w", node.name, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir"), 0); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make /run/host/inaccessible/dir: %w", err)
	}
	return nil
}

// bindFirnInit shows firn-init in /run/host. The bind is made on the stage
// only, over an empty file, and comes into the container with /run/host.
func (l *launch) bindFirnInit() (bool, error) {
	source := firnInitPath()
	if source == "" {
		return false, nil
	}
	target := filepath.Join(l.dir.Host(), "firn-init")
	if err := os.WriteFile(target, nil, 0o555); err != nil {
		return false, fmt.Errorf("make /run/host/firn-init: %w", err)
	}
	staged, err := l.stage.Bind(source, false, true)
	if err != nil {
		return false, err
	}
	if err := unix.Mount(staged, target, "", unix.MS_BIND, ""); err != nil {
		return false, fmt.Errorf("bind /run/host/firn-init: %w", err)
	}
	return true, nil
}
