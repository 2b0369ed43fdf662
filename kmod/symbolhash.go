package kmod

import (
	"encoding/binary"
	"slices"
	"strings"
)

// modules.symbols is ordered as kmod's depmod happens to hold the symbols: in a
// table of 2048 buckets by Paul Hsieh's SuperFastHash, each bucket by name. To
// write the same bytes, and for the priorities' sake no other, the order is made
// again here.

const symbolBuckets = 2048

// symbolOrder sorts symbols as that table holds them.
func symbolOrder(names []string) {
	hashes := make(map[string]uint32, len(names))
	for _, name := range names {
		hashes[name] = superFastHash(name) % symbolBuckets
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := int(hashes[a]) - int(hashes[b]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

// superFastHash is Hsieh's function on little-endian 16-bit words.
func superFastHash(s string) uint32 {
	b := []byte(s)
	hash := uint32(len(b))
	word := func(i int) uint32 { return uint32(binary.LittleEndian.Uint16(b[i:])) }
	for ; len(b) >= 4; b = b[4:] {
		hash += word(0)
		hash = hash<<16 ^ word(2)<<11 ^ hash
		hash += hash >> 11
	}
	switch len(b) {
	case 3:
		hash += word(0)
		hash ^= hash << 16
		hash ^= uint32(int8(b[2])) << 18
		hash += hash >> 11
	case 2:
		hash += word(0)
		hash ^= hash << 11
		hash += hash >> 17
	case 1:
		hash += uint32(b[0])
		hash ^= hash << 10
		hash += hash >> 1
	}
	hash ^= hash << 3
	hash += hash >> 5
	hash ^= hash << 4
	hash += hash >> 17
	hash ^= hash << 25
	hash += hash >> 6
	return hash
}
