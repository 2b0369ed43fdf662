package kmod

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// A treeScan finds the module files of a tree.
type treeScan struct {
	exclude []string
	found   func(path string)
	problem func(error)
	buf     []byte
}

// An inode names a directory however it is reached.
type inode struct{ dev, ino uint64 }

// walk goes through dir; above holds the directories on the way down, so that a
// symbolic link to one of them ends the walk instead of repeating it.
func (s *treeScan) walk(dir string, above []inode) error {
	fd, err := openFile(dir)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		closeFd(fd)
		return &fs.PathError{Op: "stat", Path: dir, Err: err}
	}
	here := inode{uint64(st.Dev), st.Ino}
	if slices.Contains(above, here) {
		closeFd(fd)
		return nil
	}
	files, dirs, err := s.entries(fd, dir)
	closeFd(fd)
	if err != nil {
		return err
	}
	for _, name := range files {
		s.found(dir + "/" + name)
	}
	above = append(above[:len(above):len(above)], here)
	for _, name := range dirs {
		if err := s.walk(dir+"/"+name, above); err != nil {
			s.problem(err)
		}
	}
	return nil
}

// entries sorts a directory's names into module files and directories. The
// order is by name: what modules.order does not list comes out the same on
// every file system.
func (s *treeScan) entries(fd int, dir string) (files, dirs []string, err error) {
	if s.buf == nil {
		s.buf = make([]byte, 32<<10)
	}
	for {
		n, err := unix.Getdents(fd, s.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, nil, &fs.PathError{Op: "list", Path: dir, Err: err}
		}
		if n == 0 {
			break
		}
		eachDirent(s.buf[:n], func(name string, kind byte) {
			// What is not a plain file or directory has to be asked: links, and
			// file systems that do not tell.
			if kind != unix.DT_REG && kind != unix.DT_DIR {
				kind = typeOf(fd, name)
			}
			switch {
			case kind == unix.DT_DIR && !s.skips(dir, name):
				dirs = append(dirs, name)
			case kind == unix.DT_REG && isModuleFile(name):
				files = append(files, name)
			}
		})
	}
	slices.Sort(files)
	slices.Sort(dirs)
	return files, dirs, nil
}

// skips leaves out the links to the kernel's source and what is excluded.
func (s *treeScan) skips(dir, name string) bool {
	if name == "build" || name == "source" {
		return true
	}
	for _, exclude := range s.exclude {
		if name == exclude || strings.HasSuffix(dir+"/"+name, "/"+exclude) {
			return true
		}
	}
	return false
}

func typeOf(dirFd int, name string) byte {
	var st unix.Stat_t
	if unix.Fstatat(dirFd, name, &st, 0) != nil {
		return unix.DT_UNKNOWN
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return unix.DT_REG
	case unix.S_IFDIR:
		return unix.DT_DIR
	}
	return unix.DT_UNKNOWN
}

// eachDirent reads what getdents64(2) wrote: ino(8) off(8) reclen(2) type(1) name.
func eachDirent(buf []byte, yield func(name string, kind byte)) {
	const nameOffset = 19
	for len(buf) > nameOffset {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length <= nameOffset || length > len(buf) {
			return
		}
		name, _, _ := strings.Cut(string(buf[nameOffset:length]), "\x00")
		if name != "." && name != ".." {
			yield(name, buf[18])
		}
		buf = buf[length:]
	}
}

// newerThan says whether any file below dir changed after the file at path did.
func (s *treeScan) newerThan(dir, path string) (bool, error) {
	var ref unix.Stat_t
	if err := unix.Stat(path, &ref); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return true, nil
		}
		return false, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	newer := false
	s.found = func(file string) {
		var st unix.Stat_t
		if unix.Stat(file, &st) == nil && (st.Mtim.Sec > ref.Mtim.Sec || st.Mtim.Sec == ref.Mtim.Sec && st.Mtim.Nsec > ref.Mtim.Nsec) {
			newer = true
		}
	}
	s.problem = func(error) {}
	err := s.walk(dir, nil)
	return newer, err
}
