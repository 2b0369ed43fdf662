package devnodes

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Options say how Apply makes nodes.
type Options struct {
	// Groups are the group numbers of the system whose /dev it is. A name that
	// is not there becomes group 0, as udev ignores a group it does not know.
	Groups Groups
	// HostDev is a /dev whose nodes are bind-mounted where the kernel refuses
	// mknod(2), as it does in a user namespace. Empty means that such a node is
	// an error (fs.ErrPermission).
	HostDev string
}

// Apply makes the nodes below devDir, with mode and owner as given whatever the
// umask is. Each appears at once, under a temporary name renamed, so that nobody
// opens a node that has not its mode yet. What is right already stays untouched,
// what is wrong is corrected, and files that are not nodes are never removed
// (ErrForeign). A node that cannot be made is reported as a NodeError, all of
// them joined, after every other one has been made.
//
// No symbolic link is followed out of devDir. Needs Linux 5.6 (openat2), and
// CAP_MKNOD, CAP_CHOWN and CAP_FOWNER for what there is to do.
func Apply(devDir string, nodes []Node, o Options) error {
	root, err := unix.Open(devDir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", devDir, err)
	}
	defer unix.Close(root)
	m := maker{root: root, Options: o}
	var errs []error
	for _, n := range nodes {
		if err := m.make(n); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

type maker struct {
	Options
	root int
}

// attempts bounds how often a node that another process makes or removes at the
// same time is looked at again.
const attempts = 8

func (m *maker) make(n Node) error {
	if err := n.check(); err != nil {
		return &NodeError{n, "make", err}
	}
	p, err := m.place(n.Name)
	if err != nil {
		return &NodeError{n, "make", err}
	}
	defer unix.Close(p.dir)
	for range attempts {
		if err = m.settle(p, n); !errors.Is(err, errMoved) {
			return err
		}
	}
	return &NodeError{n, "make", err}
}

// errMoved means that the place has changed since it was looked at.
var errMoved = errors.New("another process keeps changing it")

// settle brings the node from whatever is found to what is wanted.
func (m *maker) settle(p place, n Node) error {
	gid := m.Groups[n.Group] // 0 for "" and for an unknown group
	f, fd, err := p.look()
	if errors.Is(err, unix.ENOENT) {
		return m.create(p, n, gid, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		return &NodeError{n, "make", err}
	}
	defer unix.Close(fd)
	switch judge(f, n, gid) {
	case keep:
		return nil
	case replace:
		return m.create(p, n, gid, 0)
	case correct:
		return m.correct(p, n, fd, gid)
	}
	if f.emptyRegular && m.HostDev != "" && n.Type.IsDevice() && p.refused(n) {
		return m.bind(p, n) // the target that an earlier bind mount has left
	}
	return &NodeError{n, "make", ErrForeign}
}

// correct sets mode and owner in place: the inode stays the one that devtmpfs
// knows as its own and that others may have bind-mounted.
func (m *maker) correct(p place, n Node, fd int, gid uint32) error {
	// The owner first: chown(2) clears set-id bits.
	if err := unix.Fchownat(fd, "", 0, int(gid), unix.AT_EMPTY_PATH); err != nil {
		return &NodeError{n, "correct", fmt.Errorf("chown to 0:%d: %w", gid, err)}
	}
	err := setMode(fd, n.Mode)
	if errors.Is(err, errNoWay) && n.Type.IsDevice() {
		return m.create(p, n, gid, 0)
	}
	if err != nil {
		return &NodeError{n, "correct", fmt.Errorf("chmod to %04o: %w", n.Mode, err)}
	}
	return nil
}

// create makes the node under a temporary name and renames it into its place.
func (m *maker) create(p place, n Node, gid uint32, renameFlags uint) error {
	temp := p.temporary()
	err := temp.make(n)
	if errors.Is(err, unix.EPERM) && n.Type.IsDevice() && m.HostDev != "" {
		if renameFlags&unix.RENAME_NOREPLACE == 0 {
			// Only what cannot be made here can be in the way here: a device
			// from outside. Mounting over it would hide it, not replace it.
			return &NodeError{n, "bind", ErrForeign}
		}
		return m.bind(p, n)
	}
	if err != nil {
		return &NodeError{n, "make", err}
	}
	if err := temp.own(n, gid); err != nil {
		temp.remove(n)
		return &NodeError{n, "make", err}
	}
	if err := unix.Renameat2(p.dir, temp.name, p.dir, p.name, renameFlags); err != nil {
		temp.remove(n)
		if errors.Is(err, unix.EEXIST) {
			return errMoved
		}
		return &NodeError{n, "make", fmt.Errorf("rename into place: %w", err)}
	}
	return nil
}

// place is a name in an open directory.
type place struct {
	dir  int
	name string
}

// place opens the directory of a node, making it where it is missing.
func (m *maker) place(name string) (place, error) {
	dir, err := m.openDir(".")
	if err != nil {
		return place{}, err
	}
	parts := strings.Split(name, "/")
	for i := range parts[:len(parts)-1] {
		sub := path.Join(parts[:i+1]...)
		next, err := m.openDir(sub)
		if errors.Is(err, unix.ENOENT) {
			if err = makeDir(dir, parts[i]); err == nil {
				next, err = m.openDir(sub)
			}
		}
		unix.Close(dir)
		if err != nil {
			return place{}, fmt.Errorf("open directory %s: %w", sub, err)
		}
		dir = next
	}
	return place{dir: dir, name: parts[len(parts)-1]}, nil
}

// openDir opens a directory below the root, which stands for "/" to every link
// on the way.
func (m *maker) openDir(name string) (int, error) {
	how := unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(m.root, name, &how)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			// A rename elsewhere ran across the lookup (openat2(2), EAGAIN).
		case errors.Is(err, unix.ENOSYS):
			return -1, fmt.Errorf("openat2: %w (Linux 5.6 has it)", err)
		default:
			return fd, err
		}
	}
}

// makeDir makes a directory between /dev and a node: 0755 and root's.
func makeDir(dir int, name string) error {
	p := place{dir: dir}.temporary()
	n := Node{Name: name, Type: Directory, Mode: 0o755}
	if err := p.make(n); err != nil {
		return err
	}
	err := p.own(n, 0)
	if err == nil {
		err = unix.Renameat2(dir, p.name, dir, name, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		p.remove(n)
		if errors.Is(err, unix.EEXIST) {
			return nil // another process was quicker
		}
	}
	return err
}
