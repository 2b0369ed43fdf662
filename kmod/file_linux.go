package kmod

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// Plain descriptors instead of os.File throughout: os.Open asks the runtime's
// poller to watch the file, three more system calls for the first one, and a
// modprobe called by the kernel opens a handful of files and is gone.

// maxConfigFile bounds what is read into memory as one configuration or list.
const maxConfigFile = 64 << 20

// openFile opens for reading without waiting (a FIFO in a tree must not hang us).
func openFile(path string) (fd int, err error) {
	for {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

// openIn opens root+path. Under a root other than "/" symbolic links, absolute
// ones too, end inside it (openat2(2), Linux 5.6).
func openIn(root, path string) (fd int, err error) {
	if root == "" || root == "/" {
		return openFile(path)
	}
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)
	how := unix.OpenHow{
		Flags:   unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOCTTY | unix.O_NONBLOCK,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		// EAGAIN: a rename elsewhere raced with the walk, see openat2(2).
		fd, err = unix.Openat2(dir, path, &how)
		if err != unix.EINTR && err != unix.EAGAIN {
			break
		}
	}
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: root + path, Err: err}
	}
	return fd, nil
}

// readIn reads the regular file root+path. /dev/null, the usual mask, is empty.
func readIn(root, path string) ([]byte, error) {
	fd, err := openIn(root, path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFCHR:
		return nil, nil
	case unix.S_IFDIR:
		return nil, &fs.PathError{Op: "read", Path: path, Err: unix.EISDIR}
	default:
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	data, err := readAll(fd, st.Size)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}

// readAll reads to the end; files of /proc and /sys have a size of 0.
func readAll(fd int, size int64) ([]byte, error) {
	buf := make([]byte, 0, max(size+1, 512))
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return buf, nil
		default:
			if buf = buf[:len(buf)+n]; len(buf) > maxConfigFile {
				return nil, fmt.Errorf("larger than %d MB", maxConfigFile>>20)
			}
		}
	}
}

// ReadFile reads a file by its plain path.
func ReadFile(path string) ([]byte, error) { return readIn("", path) }

// listIn returns the names in the directory root+path, unsorted.
func listIn(root, path string) ([]string, error) {
	fd, err := openIn(root, path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var names []string
	buf := make([]byte, 8192)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "list", Path: path, Err: err}
		}
		if n == 0 {
			return names, nil
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
}

// KernelRelease is what uname -r says, the name of the running kernel's tree.
func KernelRelease() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// KernelCommandLine is /proc/cmdline below root, "" where there is none.
func KernelCommandLine(root string) string {
	data, err := readIn(root, "/proc/cmdline")
	if err != nil {
		return ""
	}
	return string(data)
}

func closeFd(fd int) { _ = unix.Close(fd) }

// AbsPath makes a path absolute by putting the working directory before it.
func AbsPath(path string) string {
	if path == "" || path[0] == '/' {
		return path
	}
	cwd, err := unix.Getwd()
	if err != nil {
		return path
	}
	return cwd + "/" + path
}

// IsDir says whether a path is a directory.
func IsDir(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// IsTree says whether a directory looks like a module tree.
func IsTree(dir string) bool {
	for _, name := range []string{"/modules.dep.bin", "/modules.dep", "/modules.order", "/modules.builtin", "/kernel", "/updates", "/extra"} {
		var st unix.Stat_t
		if unix.Stat(dir+name, &st) == nil {
			return true
		}
	}
	return false
}

// IsRegular says whether a path is a regular file.
func IsRegular(path string) bool {
	var st unix.Stat_t
	return unix.Stat(path, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG
}
