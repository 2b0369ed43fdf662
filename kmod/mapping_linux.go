package kmod

import (
	"fmt"
	"io/fs"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// A mapping is a file mapped read-only.
type mapping struct {
	data []byte
}

// mapFile maps a whole regular file.
func mapFile(path string) (*mapping, error) {
	fd, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("not a regular file")}
	}
	if st.Size == 0 {
		return &mapping{}, nil
	}
	data, err := unix.Mmap(fd, 0, int(st.Size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, &fs.PathError{Op: "mmap", Path: path, Err: err}
	}
	return &mapping{data: data}, nil
}

// guard runs read over the mapped bytes. If somebody truncates the file, a page
// beyond its end raises SIGBUS; that becomes an error instead of the end of the
// process. Nothing that read returns may still point into data.
func (m *mapping) guard(read func(data []byte) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch r := recover().(type) {
		case nil:
		case interface {
			error
			Addr() uintptr
		}:
			err = fmt.Errorf("%w: file was truncated while in use", ErrCorrupt)
		default:
			panic(r)
		}
	}()
	return read(m.data)
}

// Close unmaps the file.
func (m *mapping) Close() {
	if m.data != nil {
		_ = unix.Munmap(m.data)
		m.data = nil
	}
}
