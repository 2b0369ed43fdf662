package kmod

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"firn/kmod/internal/xz"
	"firn/kmod/internal/zstd"
)

// A compression is how a module file is packed.
type compression uint8

const (
	plain compression = iota
	gzipped
	xzipped
	zstandard
)

// String is the kernel's word, as in /sys/module/compression.
func (c compression) String() string {
	return [...]string{"none", "gzip", "xz", "zstd"}[c]
}

var errTooLarge = errors.New("unpacks to more than 512 MB")

// decompress unpacks a module. A few hundred bytes can unpack to gigabytes, so
// the output is bounded, and what a header says of its size is not trusted. The
// result lies in buf if that is large enough; nil is fine.
//
// The standard library's gzip is as good as others, since few pack modules with
// it; for xz and zstd it has no public readers, and those of others cost every
// start of modprobe, which hardly ever unpacks, up to 0.2 ms of initialization.
func decompress(c compression, packed, buf []byte) (out []byte, err error) {
	switch c {
	case xzipped:
		out, err = xz.Decode(packed, buf, maxModule)
	case zstandard:
		out, err = zstd.Decode(packed, buf, maxModule)
	case gzipped:
		out, err = gunzip(packed, buf)
	default:
		return packed, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return out, nil
}

func gunzip(packed, buf []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	// Modules shrink to about a quarter.
	if size := min(4*len(packed)+512, 16<<20); cap(buf) < size {
		buf = make([]byte, 0, size)
	}
	out := bytes.NewBuffer(buf[:0])
	n, err := out.ReadFrom(io.LimitReader(r, maxModule+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("gzip after %d bytes: %w", n, err)
	case n > maxModule:
		return nil, errTooLarge
	}
	return out.Bytes(), nil
}

// unpackedSize is how much that will be, 0 if it is not known.
func unpackedSize(c compression, packed []byte) int {
	switch c {
	case xzipped:
		return xz.Size(packed, maxModule)
	case zstandard:
		return zstd.Size(packed, maxModule)
	}
	return 0
}
