package devnodes

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// bind mounts the host's node over an empty file, the one way to a device in a
// user namespace: mknod(2) is EPERM there, and a node on a file system mounted
// inside could not be opened (user_namespaces(7), SB_I_NODEV).
//
// The mount is cloned and moved by descriptors (open_tree, move_mount; Linux
// 5.2), so that no path is resolved twice.
func (m *maker) bind(p place, n Node) error {
	source := filepath.Join(m.HostDev, n.Name)
	tree, err := unix.OpenTree(unix.AT_FDCWD, source,
		unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &NodeError{n, "bind", fmt.Errorf("open_tree %s: %w", source, err)}
	}
	defer unix.Close(tree)
	f, err := inspect(tree)
	if err != nil {
		return &NodeError{n, "bind", fmt.Errorf("%s: %w", source, err)}
	}
	if f.Type != n.Type || f.Major != n.Major || f.Minor != n.Minor {
		return &NodeError{n, "bind", fmt.Errorf("%s is not the device %s%s", source, n.Type, n.Number())}
	}
	made, err := p.makeTarget()
	if err != nil {
		return &NodeError{n, "bind", fmt.Errorf("make target: %w", err)}
	}
	// Without MOVE_MOUNT_T_SYMLINKS a link at the target is not followed.
	if err := unix.MoveMount(tree, "", p.dir, p.name, unix.MOVE_MOUNT_F_EMPTY_PATH); err != nil {
		if made {
			_ = unix.Unlinkat(p.dir, p.name, 0)
		}
		return &NodeError{n, "bind", fmt.Errorf("move_mount: %w", err)}
	}
	return nil
}

// makeTarget makes the empty file to mount on, or takes the one that is there.
func (p place) makeTarget() (made bool, err error) {
	fd, err := unix.Openat(p.dir, p.name, unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		return true, unix.Close(fd)
	}
	if !errors.Is(err, unix.EEXIST) {
		return false, err
	}
	f, fd, err := p.look()
	if err != nil {
		return false, err
	}
	unix.Close(fd)
	if !f.emptyRegular {
		return false, ErrForeign
	}
	return false, nil
}
