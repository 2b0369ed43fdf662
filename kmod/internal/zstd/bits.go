package zstd

import (
	"encoding/binary"
	"math/bits"
)

// backBits reads a bit stream from its end: the last byte's highest one bit marks
// where the stream starts, below it come the first bits. Reads past the beginning
// give zeros; left is negative then.
type backBits struct {
	data  []byte
	value uint64 // the next bits, from the top
	count int    // how many of value are loaded
	left  int    // bits not yet read, loaded or not
}

func newBackBits(data []byte) (backBits, bool) {
	if len(data) == 0 || data[len(data)-1] == 0 {
		return backBits{}, false
	}
	b := backBits{data: data, left: 8 * len(data)}
	b.skip(9 - bits.Len8(data[len(data)-1]))
	return b, true
}

// fill loads bytes until at least 56 bits are there or the data end.
func (b *backBits) fill() {
	if len(b.data) >= 8 {
		n := (64 - b.count) >> 3
		word := binary.LittleEndian.Uint64(b.data[len(b.data)-8:])
		b.value |= word >> b.count
		b.data = b.data[:len(b.data)-n]
		b.count += 8 * n
		// What came along with an incomplete byte is not counted; clear it.
		if b.count < 64 {
			b.value &= ^uint64(0) << (64 - b.count)
		}
		return
	}
	for b.count <= 56 && len(b.data) > 0 {
		b.value |= uint64(b.data[len(b.data)-1]) << (56 - b.count)
		b.data = b.data[:len(b.data)-1]
		b.count += 8
	}
}

// peek returns the next n bits, at most 32, without reading them.
func (b *backBits) peek(n int) uint32 {
	if b.count < n {
		b.fill()
	}
	return uint32(b.value >> 32 >> (32 - n))
}

func (b *backBits) skip(n int) {
	if b.count < n {
		b.fill()
	}
	b.value <<= n
	b.count = max(b.count-n, 0)
	b.left -= n
}

func (b *backBits) read(n int) uint32 {
	v := b.peek(n)
	b.skip(n)
	return v
}

// foreBits reads a bit stream from its start, low bits first.
type foreBits struct {
	data []byte
	at   int // bits read
}

func (b *foreBits) peek(n int) uint32 {
	v := uint32(0)
	for i := 0; i < 4; i++ {
		if k := b.at>>3 + i; k < len(b.data) {
			v |= uint32(b.data[k]) << (8 * i)
		}
	}
	return v >> (b.at & 7) & (1<<n - 1)
}

// bytes is how many bytes have been touched; ok is false if there were not as many.
func (b *foreBits) bytes() (n int, ok bool) {
	n = (b.at + 7) >> 3
	return n, n <= len(b.data)
}
