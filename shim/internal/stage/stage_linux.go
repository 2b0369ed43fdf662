// Package stage makes read-only mounts that root inside a container cannot
// make writable again, though it holds CAP_SYS_ADMIN over its mount namespace.
//
// The kernel keeps a mount's read-only flag for good when the mount is copied
// into a mount namespace whose owner is another user namespace than that of
// the namespace it comes from (lock_mnt_tree in fs/namespace.c, Linux 3.12;
// mount_namespaces(7), "Restrictions on mount namespaces"). A container without
// a user namespace never crosses that border, so stage takes it across:
//
//	host's namespace              owner: initial user namespace
//	  -> Enter: the stage         owner: the same
//	       Bind /nix read-only, Tmpfs, Overlay
//	  -> Lock: a copy of it       owner: a throw-away user namespace
//	  -> the container's          owner: initial user namespace again
//	       bind stage/N -> /nix   the copy of a locked mount stays locked
//
// The thread keeps its credentials all the way: no capability, no ownership of
// files and no device node changes, and a locked bind costs what a bind costs.
//
// Input: paths on the host; output: paths below the stage directory that only
// the calling thread and its children see. It serves the stage "container".
package stage

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// HolderArg, as the only argument of the program, makes it wait for the end
// and do nothing else: the process that owns the user namespace for the moment
// it takes to enter it.
const HolderArg = "stage-holder"

// ErrUnavailable says that the kernel gives no user namespaces
// (user.max_user_namespaces=0, or built without), so nothing can be locked.
var ErrUnavailable = errors.New("no user namespaces")

// Stage is a private file system with one directory per locked mount.
type Stage struct {
	dir   string
	count int
}

// Enter moves the calling goroutine's thread into a mount namespace of its own
// and mounts the stage at dir there. The goroutine must be locked to its
// thread, must not be the main one, and must never unlock: the thread ends with
// it, and with the thread, once no child has copied it, the namespace and all
// that was staged.
func Enter(dir string) (*Stage, error) {
	if err := unix.Unshare(unix.CLONE_FS | unix.CLONE_NEWNS); err != nil {
		return nil, os.NewSyscallError("unshare", err)
	}
	// What is mounted here must not travel back; the host's may still come in.
	if err := unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""); err != nil {
		return nil, fmt.Errorf("make mounts slaves: %w", err)
	}
	if err := unix.Mount("firn-stage", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=700,size=64k"); err != nil {
		return nil, fmt.Errorf("mount stage at %s: %w", dir, err)
	}
	return &Stage{dir: dir}, nil
}

// Lock moves the thread on into a copy of its mount namespace that a fresh user
// namespace owns. From then on nothing can be bound without its submounts, and
// read-only mounts stay so; it is the last thing before the container is made.
func (s *Stage) Lock() error {
	ns, err := lockingNamespace()
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("setns", err)
	}
	return nil
}

// Bind makes a copy of the mount tree at source, submounts included if
// recursive, and returns where it stands. With readOnly, a bind mount of the
// result is read-only for ever once the stage is locked.
func (s *Stage) Bind(source string, recursive, readOnly bool) (string, error) {
	info, err := os.Stat(source)
	if err != nil {
		return "", err
	}
	target := s.next()
	if err := makeTarget(target, info.IsDir()); err != nil {
		return "", fmt.Errorf("make mount point on the stage: %w", err)
	}
	flags, attrFlags := uintptr(unix.MS_BIND), uint(0)
	if recursive {
		flags, attrFlags = flags|unix.MS_REC, unix.AT_RECURSIVE
	}
	if err := unix.Mount(source, target, "", flags, ""); err != nil {
		return "", fmt.Errorf("bind %s on the stage: %w", source, err)
	}
	if !readOnly {
		return target, nil
	}
	// Private: a mount that the host makes below later would come in writable.
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY, Propagation: unix.MS_PRIVATE}
	if err := unix.MountSetattr(unix.AT_FDCWD, target, attrFlags, &attr); err != nil { // Linux 5.12
		return "", fmt.Errorf("make %s read-only on the stage: %w", source, err)
	}
	return target, nil
}

// Tmpfs mounts a tmpfs with the options on the stage and returns where.
func (s *Stage) Tmpfs(options string) (string, error) {
	target, err := s.directory()
	if err != nil {
		return "", err
	}
	if err := unix.Mount("tmpfs", target, "tmpfs", unix.MS_NODEV, options); err != nil {
		return "", fmt.Errorf("mount tmpfs on the stage: %w", err)
	}
	return target, nil
}

// Overlay mounts an overlay with the options of mount(8) on the stage and
// returns where.
func (s *Stage) Overlay(options []string) (string, error) {
	target, err := s.directory()
	if err != nil {
		return "", err
	}
	flags := uintptr(0)
	data := slices.DeleteFunc(slices.Clone(options), func(o string) bool { return o == "ro" })
	if len(data) < len(options) {
		flags = unix.MS_RDONLY
	}
	if err := unix.Mount("overlay", target, "overlay", flags, strings.Join(data, ",")); err != nil {
		return "", fmt.Errorf("mount overlay with %s: %w", strings.Join(options, ","), err)
	}
	return target, nil
}

func (s *Stage) directory() (string, error) {
	target := s.next()
	return target, os.Mkdir(target, 0o755)
}

// next is a name that is free on the stage.
func (s *Stage) next() string {
	s.count++
	return filepath.Join(s.dir, strconv.Itoa(s.count))
}

// lockingNamespace returns a copy of the thread's mount namespace that belongs
// to a user namespace of its own. Go cannot clone without exec, so the namespace is made by a child
// that has just executed this program and is killed at once: the descriptor
// keeps the namespace, nothing else of the child is needed.
func lockingNamespace() (*os.File, error) {
	cmd := exec.Command("/proc/self/exe", HolderArg)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		Pdeathsig:  unix.SIGKILL, // holds: the starting thread is locked and outlives the child
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", cmd.Process.Pid))
	if err != nil {
		return nil, fmt.Errorf("open mount namespace: %w", err)
	}
	return ns, nil
}

// Hold is the holder's whole work.
func Hold() {
	runtime.LockOSThread()
	for {
		_ = unix.Pause()
	}
}

func makeTarget(path string, dir bool) error {
	if dir {
		return os.Mkdir(path, 0o700)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
