// Package rootfs prepares and examines the root file system of a container.
//
// Role: between Spec and start. Input: the root directory as the user gave it;
// output: a root that the API file systems can be mounted on, and answers
// about what is in it. Paths in the root are resolved inside it (openat2(2),
// RESOLVE_IN_ROOT), never through a link to the host.
package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	pathrs "github.com/cyphar/filepath-securejoin/pathrs-lite"
	"golang.org/x/sys/unix"
)

// Root is an open root directory.
type Root struct {
	Path string
	dir  *os.File
}

// Open opens the directory at path, which must be absolute.
func Open(path string) (*Root, error) {
	dir, err := os.OpenFile(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("root directory %s does not exist", path)
	case errors.Is(err, unix.ENOTDIR):
		return nil, fmt.Errorf("root %s is not a directory", path)
	case err != nil:
		return nil, fmt.Errorf("open root directory: %w", err)
	}
	return &Root{Path: path, dir: dir}, nil
}

// Close gives the directory up.
func (r *Root) Close() error { return r.dir.Close() }

// OpenFile opens p inside the root with flags of open(2). It never creates.
func (r *Root) OpenFile(p string, flags int) (*os.File, error) {
	handle, err := pathrs.OpenatInRoot(r.dir, p)
	if err != nil {
		return nil, fmt.Errorf("open %s in the root: %w", p, err)
	}
	defer handle.Close()
	f, err := pathrs.Reopen(handle, flags|unix.O_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open %s in the root: %w", p, err)
	}
	return f, nil
}

// Exists tells whether p, links followed inside the root, is there.
func (r *Root) Exists(p string) bool {
	handle, err := pathrs.OpenatInRoot(r.dir, p)
	if err != nil {
		return false
	}
	handle.Close()
	return true
}

// ReadFile returns the content of p, at most limit bytes of it.
func (r *Root) ReadFile(p string, limit int64) ([]byte, error) {
	f, err := r.OpenFile(p, unix.O_RDONLY|unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s in the root: not a regular file", p)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

// MkdirAll makes p and its parents, resolved inside the root.
func (r *Root) MkdirAll(p string, mode fs.FileMode) error {
	dir, err := pathrs.MkdirAllHandle(r.dir, p, mode)
	if err != nil {
		return fmt.Errorf("make %s in the root: %w", p, err)
	}
	return dir.Close()
}

// parent opens the directory that holds p, making it if it is missing, and
// returns it with p's last component, which is not followed.
func (r *Root) parent(p string) (*os.File, string, error) {
	dir, err := pathrs.MkdirAllHandle(r.dir, path.Dir(p), 0o755)
	if err != nil {
		return nil, "", fmt.Errorf("make %s in the root: %w", path.Dir(p), err)
	}
	return dir, path.Base(p), nil
}

// CreateFile makes p with the content if nothing, not even a dangling link,
// is there.
func (r *Root) CreateFile(p string, content []byte, mode fs.FileMode) error {
	dir, name, err := r.parent(p)
	if err != nil {
		return err
	}
	defer dir.Close()
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_CLOEXEC
	fd, err := unix.Openat(int(dir.Fd()), name, flags, uint32(mode))
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make %s in the root: %w", p, err)
	}
	f := os.NewFile(uintptr(fd), filepath.Join(r.Path, p))
	if _, err := f.Write(content); err != nil {
		f.Close()
		return fmt.Errorf("write %s in the root: %w", p, err)
	}
	return f.Close()
}

// ReplaceFile puts a file with the content at p, whatever was there before;
// a link is replaced, not followed.
func (r *Root) ReplaceFile(p string, content []byte, mode fs.FileMode) error {
	if err := r.Remove(p); err != nil {
		return err
	}
	return r.CreateFile(p, content, mode)
}

// Symlink makes p a symbolic link to target, whatever was there before.
func (r *Root) Symlink(target, p string) error {
	if err := r.Remove(p); err != nil {
		return err
	}
	dir, name, err := r.parent(p)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Symlinkat(target, int(dir.Fd()), name); err != nil {
		return fmt.Errorf("link %s in the root: %w", p, err)
	}
	return nil
}

// Remove unlinks the file or link at p; nothing there is no error.
func (r *Root) Remove(p string) error {
	dir, err := pathrs.OpenatInRoot(r.dir, path.Dir(p))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s in the root: %w", path.Dir(p), err)
	}
	defer dir.Close()
	if err := unix.Unlinkat(int(dir.Fd()), path.Base(p), 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("remove %s in the root: %w", p, err)
	}
	return nil
}

// ID names the directory itself, device:inode, however it was reached.
func (r *Root) ID() (string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(r.dir.Fd()), &st); err != nil {
		return "", fmt.Errorf("stat root: %w", err)
	}
	return fmt.Sprintf("%d:%d", st.Dev, st.Ino), nil
}

// Lock takes the root for one container, until the returned file is closed.
// ok is false if another holds it. The lock is on the directory itself
// (flock(2)), so nothing is left beside it.
func (r *Root) Lock() (lock *os.File, ok bool, err error) {
	dir, err := os.Open(r.Path)
	if err != nil {
		return nil, false, fmt.Errorf("open root directory: %w", err)
	}
	err = unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return dir, true, nil
	}
	dir.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("lock root directory: %w", err)
}

// Kind is what stands at a path in the root.
type Kind int

const (
	Nothing Kind = iota
	Regular      // a regular file
	Other        // a symbolic link, a directory, anything else
)

// Kind tells what p itself is; its last component is not followed.
func (r *Root) Kind(p string) (Kind, error) {
	dir, err := pathrs.OpenatInRoot(r.dir, path.Dir(p))
	if errors.Is(err, fs.ErrNotExist) {
		return Nothing, nil
	}
	if err != nil {
		return Other, fmt.Errorf("open %s in the root: %w", path.Dir(p), err)
	}
	defer dir.Close()
	var st unix.Stat_t
	switch err := unix.Fstatat(int(dir.Fd()), path.Base(p), &st, unix.AT_SYMLINK_NOFOLLOW); {
	case errors.Is(err, unix.ENOENT):
		return Nothing, nil
	case err != nil:
		return Other, fmt.Errorf("stat %s in the root: %w", p, err)
	case st.Mode&unix.S_IFMT == unix.S_IFREG:
		return Regular, nil
	}
	return Other, nil
}

// Readlink returns the target of the symbolic link at p, or "".
func (r *Root) Readlink(p string) string {
	dir, err := pathrs.OpenatInRoot(r.dir, path.Dir(p))
	if err != nil {
		return ""
	}
	defer dir.Close()
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(dir.Fd()), path.Base(p), buf)
	if err != nil {
		return ""
	}
	return string(buf[:n])
}
