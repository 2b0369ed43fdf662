package devnodes

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"golang.org/x/sys/unix"
)

// look opens what stands at the place, without following a link, and says what
// it is. The caller closes the descriptor.
func (p place) look() (found, int, error) {
	fd, err := unix.Openat(p.dir, p.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return found{}, -1, err
	}
	f, err := inspect(fd)
	if err != nil {
		unix.Close(fd)
		return found{}, -1, err
	}
	return f, fd, nil
}

func inspect(fd int) (found, error) {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS, &st); err != nil {
		return found{}, fmt.Errorf("statx: %w", err)
	}
	f := found{
		Node: Node{Major: st.Rdev_major, Minor: st.Rdev_minor, Mode: uint32(st.Mode) &^ unix.S_IFMT},
		uid:  st.Uid,
		gid:  st.Gid,
		// Since Linux 5.8; before, a mounted node counts as one of ours, which
		// matters in a user namespace only.
		mountRoot: st.Attributes&st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0,
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFCHR:
		f.Type = Char
	case unix.S_IFBLK:
		f.Type = Block
	case unix.S_IFDIR:
		f.Type = Directory
	case unix.S_IFLNK:
		f.Type = Link
		target := make([]byte, unix.PathMax)
		n, err := unix.Readlinkat(fd, "", target)
		if err != nil {
			return found{}, fmt.Errorf("readlink: %w", err)
		}
		f.Target = string(target[:n])
	case unix.S_IFREG:
		f.emptyRegular = st.Size == 0
	}
	return f, nil
}

// make makes the bare node; its mode is not yet right, its owner the caller.
func (p place) make(n Node) error {
	switch n.Type {
	case Link:
		if err := unix.Symlinkat(n.Target, p.dir, p.name); err != nil {
			return fmt.Errorf("symlink: %w", err)
		}
	case Directory:
		if err := unix.Mkdirat(p.dir, p.name, 0); err != nil {
			return fmt.Errorf("mkdir: %w", err)
		}
	default:
		kind := uint32(unix.S_IFCHR)
		if n.Type == Block {
			kind = unix.S_IFBLK
		}
		if err := unix.Mknodat(p.dir, p.name, kind, int(unix.Mkdev(n.Major, n.Minor))); err != nil {
			return fmt.Errorf("mknod: %w", err)
		}
	}
	return nil
}

// own gives a node just made its owner and its mode.
func (p place) own(n Node, gid uint32) error {
	if err := unix.Fchownat(p.dir, p.name, 0, int(gid), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("chown to 0:%d: %w", gid, err)
	}
	if n.Type == Link {
		return nil
	}
	fd, err := unix.Openat(p.dir, p.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = setMode(fd, n.Mode)
	if errors.Is(err, errNoWay) {
		// The name is a random one of our own making, so that no link stands
		// there for chmod to follow.
		err = unix.Fchmodat(p.dir, p.name, n.Mode, 0)
	}
	if err != nil {
		return fmt.Errorf("chmod to %04o: %w", n.Mode, err)
	}
	return nil
}

// temporary is a place of a random name in the same directory. A process that is
// killed before it renames or removes what it makes there leaves it behind.
func (p place) temporary() place {
	return place{dir: p.dir, name: fmt.Sprintf(".firn-%016x", rand.Uint64())}
}

// refused reports whether the kernel forbids making such a device here.
func (p place) refused(n Node) bool {
	temp := p.temporary()
	err := temp.make(n)
	if err == nil {
		temp.remove(n)
	}
	return errors.Is(err, unix.EPERM)
}

// remove takes away a temporary node.
func (p place) remove(n Node) {
	flags := 0
	if n.Type == Directory {
		flags = unix.AT_REMOVEDIR
	}
	_ = unix.Unlinkat(p.dir, p.name, flags) // the failure that led here is the one to report
}

// errNoWay means that an open node's mode cannot be set without its name.
var errNoWay = errors.New("neither fchmodat2 nor /proc")

// setMode sets the mode of a node opened with O_PATH: by fchmodat2(2), which is
// Linux 6.6, or else through /proc, which a PID 1 may not have mounted yet.
func setMode(fd int, mode uint32) error {
	err := unix.Fchmodat(fd, "", mode, unix.AT_EMPTY_PATH)
	if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EPERM) {
		return err
	}
	// EPERM is also what an old seccomp filter says to an unknown call.
	byProc := unix.Chmod(fmt.Sprintf("/proc/self/fd/%d", fd), mode)
	if errors.Is(byProc, unix.ENOENT) || errors.Is(byProc, unix.ENOTDIR) {
		if errors.Is(err, unix.EPERM) {
			return err
		}
		return errNoWay
	}
	return byProc
}
