package mounts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrRequired marks the error of a file system that the system cannot do without.
var ErrRequired = errors.New("required file system")

var flagBits = map[Flags]uintptr{
	noSUID: unix.MS_NOSUID, noDev: unix.MS_NODEV, noExec: unix.MS_NOEXEC, strictATime: unix.MS_STRICTATIME,
}

func (f Flags) bits() (bits uintptr) {
	for flag, bit := range flagBits {
		if f&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

// Mount mounts the rows that are missing below root ("" for the system's own) and gives the targets of those that it
// mounted, in order. It goes on after an error with an optional row and gives it joined with others; one that wraps
// ErrRequired ends it.
func Mount(root string, rows []Row) (mounted []string, err error) {
	for _, row := range rows {
		target := filepath.Join("/", root, row.Target)
		done, e := mount(target, row)
		if done {
			mounted = append(mounted, target)
		}
		if e == nil {
			continue
		}
		e = fmt.Errorf("mount %s: %w", target, e)
		if row.Required {
			return mounted, errors.Join(err, fmt.Errorf("%w: %w", ErrRequired, e))
		}
		err = errors.Join(err, e)
	}
	return mounted, err
}

func mount(target string, row Row) (bool, error) {
	if there, err := isMountPoint(target); there {
		return false, err
	}
	if row.NotPopulated && isNull(filepath.Join(target, "null")) {
		return false, nil
	}
	// /sys/fs/cgroup cannot be made where sysfs is missing, and is not asked for then.
	if err := os.MkdirAll(target, os.FileMode(row.Mode&0o777)); err != nil {
		if row.Type == "cgroup2" {
			return false, nil
		}
		return false, err
	}
	if row.Mode&0o1000 != 0 && unix.Access(target, unix.W_OK) == nil {
		_ = unix.Chmod(target, row.Mode) // a directory just made lacks what umask took, and its sticky bit
	}
	if row.ReadOnlyOnly && unix.Access(target, unix.W_OK) == nil {
		return false, nil
	}
	if covers(target) {
		return false, nil
	}
	if err := unix.Mount(row.Type, target, row.Type, row.Flags.bits(), row.Data); err != nil {
		return false, err
	}
	return true, nil
}

// isMountPoint asks the kernel (5.8), or compares devices on an older one, which misses a bind mount of the same file
// system. It does not read /proc, which may be what is missing.
func isMountPoint(dir string) (bool, error) {
	var st unix.Statx_t
	err := unix.Statx(unix.AT_FDCWD, dir, unix.AT_NO_AUTOMOUNT, unix.STATX_BASIC_STATS, &st)
	if err != nil {
		return false, err
	}
	if st.Attributes_mask&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
	}
	var here, above unix.Stat_t
	if err := errors.Join(unix.Stat(dir, &here), unix.Stat(filepath.Dir(dir), &above)); err != nil {
		return false, err
	}
	return here.Dev != above.Dev, nil
}

// covers reports whether a mount at target would hide one below it, such as a manager's /run/host where /run itself is
// only a directory: that directory must do then. Without /proc, the first row, nothing can be below.
func covers(target string) bool {
	points, err := listPoints()
	return err == nil && below(points, target)
}

func listPoints() ([]string, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	defer f.Close()
	return Points(f)
}

func isNull(file string) bool {
	var st unix.Stat_t
	return unix.Stat(file, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
}

// Unmount takes away what Mount mounted, in reverse order. What is in use is detached: its users are gone a moment
// later, with their PID namespace.
func Unmount(mounted []string) error {
	var errs []error
	for _, target := range slices.Backward(mounted) {
		err := unix.Unmount(target, 0)
		if errors.Is(err, unix.EBUSY) {
			err = unix.Unmount(target, unix.MNT_DETACH)
		}
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) { // gone already
			errs = append(errs, fmt.Errorf("unmount %s: %w", target, err))
		}
	}
	return errors.Join(errs...)
}

// api are the mounts that hold no data, and that the last steps of a halt still use.
var api = []string{"/proc", "/sys", "/dev", "/run"}

// ReleaseMachine unmounts every file system of a machine that may hold data, newest first, and makes read-only what is
// busy, / at least. Never on a container: its root is a file system of the host, on which a remount would act whole.
func ReleaseMachine() error {
	points, err := listPoints()
	if err != nil {
		return err
	}
	var errs []error
	for _, target := range slices.Backward(points) {
		if slices.ContainsFunc(api, func(a string) bool { return target == a || strings.HasPrefix(target, a+"/") }) {
			continue
		}
		if target != "/" && unix.Unmount(target, 0) == nil {
			continue
		}
		if err := unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			errs = append(errs, fmt.Errorf("remount %s read-only: %w", target, err))
		}
	}
	return errors.Join(errs...)
}
