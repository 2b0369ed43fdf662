// Package zstd unpacks .zst files as kernels' modules are packed (RFC 8878): any
// frames without a dictionary. Input and output are bytes in memory, which makes
// the output the window.
//
// It is here because the reader that there is for Go fills tables and starts
// packages (snappy's, big numbers, random numbers) for 0.2 ms in every program
// that can unpack, a fifth of a modprobe.
package zstd

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// A file is frames, one after the other:
//
//	frame     = 28 b5 2f fd, descriptor(1) [window(1)] [dictionary(1,2,4)] [size(1,2,4,8)]
//	            BLOCK... [checksum(4): low half of XXH64]
//	BLOCK     = header(3): last:1 kind:2 size:21, data; kind 0 as it is, 1 one byte
//	            repeated, 2 compressed
//	skippable = 5x 2a 4d 18, size(4), data

var (
	// ErrCorrupt: the file contradicts itself or ends too early.
	ErrCorrupt = errors.New("corrupt zstd data")
	// ErrUnsupported: a frame that needs a dictionary.
	ErrUnsupported = errors.New("zstd data need a dictionary")
	// ErrTooLarge: the output would exceed the limit.
	ErrTooLarge = errors.New("zstd data unpack to more than allowed")
)

const (
	magic     = 0xfd2fb528
	skipMagic = 0x184d2a50
)

func corrupt(what string) error { return fmt.Errorf("%w: %s", ErrCorrupt, what) }

// A header is what stands before a frame's blocks.
type header struct {
	size     uint64 // of the content
	sized    bool
	checksum bool
	length   int // of the header itself
}

func readHeader(in []byte) (h header, err error) {
	if len(in) < 6 || binary.LittleEndian.Uint32(in) != magic {
		return h, corrupt("frame header")
	}
	descriptor := in[4]
	if descriptor&8 != 0 {
		return h, corrupt("reserved bit")
	}
	h.checksum = descriptor&4 != 0
	single := descriptor&0x20 != 0
	h.length = 5
	if !single {
		h.length++
	}
	dictionary := [4]int{0, 1, 2, 4}[descriptor&3]
	width := [4]int{0, 2, 4, 8}[descriptor>>6]
	if width == 0 && single {
		width = 1
	}
	if len(in) < h.length+dictionary+width {
		return h, corrupt("frame header")
	}
	for _, b := range in[h.length : h.length+dictionary] {
		if b != 0 {
			return h, ErrUnsupported
		}
	}
	h.length += dictionary
	for i, b := range in[h.length : h.length+width] {
		h.size |= uint64(b) << (8 * i)
	}
	if width == 2 {
		h.size += 256
	}
	h.length += width
	h.sized = width > 0
	return h, nil
}

// Size is what the first frame says it unpacks to, as far as that can be believed
// before a byte has been unpacked; 0 if it does not say.
func Size(packed []byte, limit int) int {
	h, err := readHeader(packed)
	if err != nil || !h.sized {
		return 0
	}
	return int(min(h.size, uint64(limit), uint64(64*len(packed)+4096)))
}

// Decode unpacks a whole file, to at most limit bytes. The result lies in buf if
// that is large enough; nil is fine.
func Decode(packed, buf []byte, limit int) ([]byte, error) {
	out := buf[:0]
	if size := Size(packed, limit); cap(out) < size {
		out = make([]byte, 0, size)
	}
	for first := true; first || len(packed) > 0; first = false {
		if len(packed) >= 8 && binary.LittleEndian.Uint32(packed)&^15 == skipMagic {
			size := uint64(binary.LittleEndian.Uint32(packed[4:]))
			if size > uint64(len(packed)-8) {
				return nil, corrupt("skippable frame")
			}
			packed = packed[8+size:]
			continue
		}
		var err error
		if out, packed, err = frame(out, packed, limit); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// frame unpacks one frame and returns what follows it.
func frame(out, in []byte, limit int) ([]byte, []byte, error) {
	h, err := readHeader(in)
	if err != nil {
		return nil, nil, err
	}
	in = in[h.length:]
	start := len(out)
	d := decoder{offsets: [3]uint32{1, 4, 8}}
	for last := false; !last; {
		if len(in) < 3 {
			return nil, nil, corrupt("block header")
		}
		word := int(in[0]) | int(in[1])<<8 | int(in[2])<<16
		last = word&1 != 0
		if out, in, err = d.anyBlock(out, in[3:], word>>1&3, word>>3, start, limit); err != nil {
			return nil, nil, err
		}
	}
	if h.sized && uint64(len(out)-start) != h.size {
		return nil, nil, corrupt("size")
	}
	if h.checksum {
		if len(in) < 4 || binary.LittleEndian.Uint32(in) != uint32(xxh64(out[start:])) {
			return nil, nil, corrupt("checksum")
		}
		in = in[4:]
	}
	return out, in, nil
}

// anyBlock unpacks a block of any kind and returns what follows it.
func (d *decoder) anyBlock(out, in []byte, kind, size, start, limit int) ([]byte, []byte, error) {
	used := size
	if kind == 1 {
		used = 1
	}
	if size > maxBlock || used > len(in) {
		return nil, nil, corrupt("block ends too early")
	}
	if kind < 2 && size > limit-len(out) {
		return nil, nil, ErrTooLarge
	}
	var err error
	switch kind {
	case 0:
		out = append(out, in[:size]...)
	case 1:
		for range size {
			out = append(out, in[0])
		}
	case 2:
		out, err = d.block(out, in[:size], start, limit)
	default:
		err = corrupt("block kind")
	}
	return out, in[used:], err
}
