package kmod

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"
)

// maxModule bounds a module in memory. Debian's largest is 15 MB, one with all
// debug information a few hundred.
const maxModule = 512 << 20

// largeModule is from where on memory for unpacking is the image's own, mapped and
// unmapped: a few graphics drivers of 10 to 30 MB would otherwise set the size of
// depmod's heap.
const largeModule = 2 << 20

// An image is the content of a module file. Of a plain file only what is asked
// for is read, by pread, so that a file cut off meanwhile is an error and not a
// signal; a compressed one is unpacked into memory.
type image struct {
	path        string
	fd          int // -1 once closed
	size        int64
	data        []byte // unpacked, gone after Close; nil for a plain file
	mapped      []byte // memory under large data, given back at once
	compression compression
	buffers     *buffers
}

// buffers are used again for one image after the other; an image and what it
// returned must be done with before the next is opened with them.
type buffers struct {
	packed, unpacked []byte
}

// openImage opens a module file and unpacks it if need be.
func openImage(path string) (*image, error) { return (&buffers{}).open(path) }

// open is openImage with these buffers.
func (b *buffers) open(path string) (*image, error) {
	im, err := openPacked(path)
	if err != nil {
		return nil, err
	}
	im.buffers = b
	if im.compression == plain {
		return im, nil
	}
	err = im.unpack()
	im.closeFile()
	if err != nil {
		im.Close()
		return nil, err
	}
	return im, nil
}

// openPacked opens a module file and says how it is packed, by its first bytes.
func openPacked(path string) (*image, error) {
	fd, err := openFile(path)
	if err != nil {
		return nil, err
	}
	im := &image{path: path, fd: fd}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		im.Close()
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		im.Close()
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	im.size = st.Size
	var magic [6]byte
	n, err := unix.Pread(fd, magic[:], 0)
	if err != nil {
		im.Close()
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	im.compression = compressionOf(magic[:n])
	return im, nil
}

// unpack reads the whole file into data, decompressed.
func (im *image) unpack() error {
	if im.size > maxModule {
		return &fs.PathError{Op: "read", Path: im.path, Err: unix.EFBIG}
	}
	if im.buffers == nil {
		im.buffers = &buffers{}
	}
	b := im.buffers
	packed, err := im.bytes(0, im.size, b.packed)
	if err != nil {
		return err
	}
	if im.compression == plain {
		im.data = packed
		return nil
	}
	target := b.unpacked
	if size := unpackedSize(im.compression, packed); size > largeModule {
		if im.mapped, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON); err == nil {
			target = im.mapped
		}
	}
	if im.data, err = decompress(im.compression, packed, target); err != nil {
		return fmt.Errorf("unpack %s: %w", im.path, err)
	}
	if im.mapped == nil {
		b.packed, b.unpacked = packed, im.data
	}
	im.size = int64(len(im.data))
	return nil
}

// bytes returns n bytes at offset; in buf, if they fit and have to be read.
func (im *image) bytes(offset, n int64, buf []byte) ([]byte, error) {
	if offset < 0 || n < 0 || offset > im.size || n > im.size-offset {
		return nil, fmt.Errorf("%w: %s ends before byte %d", ErrCorrupt, im.path, uint64(offset)+uint64(n))
	}
	if im.data != nil {
		return im.data[offset : offset+n], nil
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	for done := 0; done < len(buf); {
		k, err := unix.Pread(im.fd, buf[done:], offset+int64(done))
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: im.path, Err: err}
		}
		if k == 0 {
			return nil, fmt.Errorf("%w: %s was truncated while in use", ErrCorrupt, im.path)
		}
		done += k
	}
	return buf, nil
}

// Close closes the file and gives large data back.
func (im *image) Close() {
	im.closeFile()
	if im.mapped != nil {
		_ = unix.Munmap(im.mapped)
		im.mapped, im.data = nil, nil
	}
}

func (im *image) closeFile() {
	if im.fd >= 0 {
		closeFd(im.fd)
		im.fd = -1
	}
}

var elfMagic = []byte("\x7fELF")

// compressionOf names the packing that starts with these bytes.
func compressionOf(magic []byte) compression {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzipped
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		return xzipped
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	}
	return plain
}
