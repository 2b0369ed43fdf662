package unitload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Root is a directory as a file system whose links are followed within it, absolute ones too.
type Root struct {
	dir *os.File
}

// OpenRoot opens a directory. It needs Linux 5.6 (openat2).
func OpenRoot(dir string) (*Root, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("open root: %w", err)
	}
	return &Root{f}, nil
}

// Close closes the directory.
func (r *Root) Close() error { return r.dir.Close() }

func (r *Root) open(op, name string, flags uint64) (*os.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for {
		fd, err := unix.Openat2(int(r.dir.Fd()), name, &how)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN): // EAGAIN: something was renamed meanwhile
			continue
		case err != nil:
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		return os.NewFile(uintptr(fd), name), nil
	}
}

// Open implements fs.FS. A FIFO or device is never waited for.
func (r *Root) Open(name string) (fs.File, error) {
	return r.open("open", name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
}

// ReadDir implements fs.ReadDirFS.
func (r *Root) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := r.open("open", name, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// Stat implements fs.StatFS.
func (r *Root) Stat(name string) (fs.FileInfo, error) { return r.stat("stat", name, 0) }

// Lstat implements fs.ReadLinkFS.
func (r *Root) Lstat(name string) (fs.FileInfo, error) { return r.stat("lstat", name, unix.O_NOFOLLOW) }

func (r *Root) stat(op, name string, flags uint64) (fs.FileInfo, error) {
	f, err := r.open(op, name, unix.O_PATH|flags)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

// ReadLink implements fs.ReadLinkFS.
func (r *Root) ReadLink(name string) (string, error) {
	f, err := r.open("readlink", name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return "", err
	}
	defer f.Close()
	buffer := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(f.Fd()), "", buffer)
	if err != nil {
		if errors.Is(err, unix.ENOENT) { // what readlinkat says of an O_PATH descriptor that is no link
			err = unix.EINVAL
		}
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(buffer[:n]), nil
}
