package kmod

import (
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// replaceFile writes a file under another name and renames it, so that a
// modprobe running meanwhile reads the old or the new one, never half of it.
func replaceFile(path string, data []byte) error {
	temporary := path + "." + strconv.Itoa(os.Getpid()) + ".tmp"
	fd, err := unix.Open(temporary, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return &fs.PathError{Op: "create", Path: temporary, Err: err}
	}
	for len(data) > 0 && err == nil {
		var n int
		if n, err = unix.Write(fd, data); err == unix.EINTR {
			err = nil
			continue
		}
		data = data[max(n, 0):]
	}
	if closeErr := unix.Close(fd); err == nil {
		err = closeErr
	}
	if err == nil {
		err = unix.Rename(temporary, path)
	}
	if err != nil {
		_ = unix.Unlink(temporary)
		return &fs.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}
