package vm

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
)

// The initramfs format (Linux Documentation/driver-api/early-userspace/
// buffer-format.rst), the "newc" form of cpio:
//
//	archive = { entry } trailer
//	entry   = header name NUL pad content pad
//	header  = "070701" ino mode uid gid nlink mtime filesize
//	          devmajor devminor rdevmajor rdevminor namesize "00000000"
//	field   = 8 hexadecimal digits; pad = NULs up to a multiple of 4
//	trailer = entry of the name "TRAILER!!!"

// Modes of an entry, as in stat(2).
const (
	modeDir  = 0o040000
	modeFile = 0o100000
	modeLink = 0o120000
	modeChar = 0o020000
)

// archive builds an initramfs. Every file is root's. The zero value is ready.
type archive struct {
	buf   bytes.Buffer
	made  map[string]bool
	inode int
}

// entry writes one entry whose directory is there.
func (a *archive) entry(name string, mode int, major, minor int, content []byte) {
	a.inode++
	fmt.Fprintf(&a.buf, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		a.inode, mode, 0, 0, 1, 0, len(content), 0, 0, major, minor, len(name)+1, 0)
	a.buf.WriteString(name)
	a.buf.WriteByte(0)
	a.pad()
	a.buf.Write(content)
	a.pad()
}

func (a *archive) pad() {
	for a.buf.Len()%4 != 0 {
		a.buf.WriteByte(0)
	}
}

// dir makes a directory and those above it, once.
func (a *archive) dir(name string) {
	if a.made == nil {
		a.made = map[string]bool{".": true}
	}
	if name = clean(name); a.made[name] {
		return
	}
	a.dir(path.Dir(name))
	a.made[name] = true
	a.entry(name, modeDir|0o755, 0, 0, nil)
}

func (a *archive) file(name string, mode int, content []byte) {
	a.dir(path.Dir(clean(name)))
	a.entry(clean(name), modeFile|mode, 0, 0, content)
}

func (a *archive) link(name, target string) {
	a.dir(path.Dir(clean(name)))
	a.entry(clean(name), modeLink|0o777, 0, 0, []byte(target))
}

func (a *archive) char(name string, mode, major, minor int) {
	a.dir(path.Dir(clean(name)))
	a.entry(clean(name), modeChar|mode, major, minor, nil)
}

// tree adds what is below the host's directory as name in the guest.
func (a *archive) tree(name, dir string) error {
	return filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		in := path.Join(name, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			a.dir(in)
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			a.link(in, target)
		default:
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			a.file(in, int(info.Mode().Perm()), content)
		}
		return nil
	})
}

// bytes ends the archive.
func (a *archive) bytes() []byte {
	a.entry("TRAILER!!!", 0, 0, 0, nil)
	return a.buf.Bytes()
}

// clean gives a name as the archive has it: relative to the root.
func clean(name string) string {
	if name = path.Clean("/" + name); name != "/" {
		return name[1:]
	}
	return "."
}
