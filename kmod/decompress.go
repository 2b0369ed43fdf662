package kmod

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"firn/kmod/internal/xz"
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
// the output is bounded, and grows by reading rather than by what a header says.
// The result lies in buf if that is large enough; nil is fine.
func decompress(c compression, packed, buf []byte) ([]byte, error) {
	if c == xzipped {
		out, err := xz.Decode(packed, buf, maxModule)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return out, err
	}
	r, err := decompressor(c, packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, c, err)
	}
	// Modules shrink to about a quarter.
	if size := min(4*len(packed)+512, 16<<20); cap(buf) < size {
		buf = make([]byte, 0, size)
	}
	out := bytes.NewBuffer(buf[:0])
	n, err := out.ReadFrom(io.LimitReader(r, maxModule+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %s after %d bytes: %w", ErrCorrupt, c, n, err)
	case n > maxModule:
		return nil, errTooLarge
	}
	return out.Bytes(), nil
}

// unpackedSize is how much that will be, 0 if it is not known.
func unpackedSize(c compression, packed []byte) int {
	if c == xzipped {
		return xz.Size(packed, maxModule)
	}
	return 0
}

func decompressor(c compression, packed []byte) (io.Reader, error) {
	in := bytes.NewReader(packed)
	if c == gzipped {
		return gzip.NewReader(in)
	}
	// One goroutine, blocks decoded as they are read.
	return zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxModule))
}
