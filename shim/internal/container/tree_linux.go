package container

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Attributes of ioctl_iflags(2) that keep a file from being removed. Root inside
// holds CAP_LINUX_IMMUTABLE and may have set them.
const lockedAttributes = 0x10 | 0x20 // FS_IMMUTABLE_FL, FS_APPEND_FL

// removeTree removes a temporary directory with all that a container has left
// in it. No process of the container may be alive.
func removeTree(dir string) error {
	err := os.RemoveAll(dir)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() && !entry.Type().IsRegular() {
			return err
		}
		return unlockFile(path)
	})
	return errors.Join(err, os.RemoveAll(dir))
}

func unlockFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	fd := int(f.Fd())
	flags, err := unix.IoctlGetUint32(fd, unix.FS_IOC_GETFLAGS)
	if err != nil || flags&lockedAttributes == 0 {
		return nil // a file system without attributes locks nothing
	}
	if err := unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, int(flags&^lockedAttributes)); err != nil {
		return &fs.PathError{Op: "unlock", Path: path, Err: err}
	}
	return nil
}
