package zstd

import (
	"encoding/binary"
	"math/bits"
)

// XXH64 with seed 0, the checksum of frames; github.com/Cyan4973/xxHash,
// doc/xxhash_spec.md.

const (
	prime1 uint64 = 0x9e3779b185ebca87
	prime2 uint64 = 0xc2b2ae3d27d4eb4f
	prime3 uint64 = 0x165667b19e3779f9
	prime4 uint64 = 0x85ebca77c2b2ae63
	prime5 uint64 = 0x27d4eb2f165667c5
)

func xxhRound(lane, input uint64) uint64 {
	return bits.RotateLeft64(lane+input*prime2, 31) * prime1
}

func xxh64(b []byte) uint64 {
	length := uint64(len(b))
	hash := prime5
	if len(b) >= 32 {
		// The sums wrap around, which constants may not.
		lanes := [4]uint64{prime1, prime2, 0, 0}
		lanes[0] += prime2
		lanes[3] -= prime1
		for ; len(b) >= 32; b = b[32:] {
			for i := range lanes {
				lanes[i] = xxhRound(lanes[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		hash = 0
		for i, lane := range lanes {
			hash += bits.RotateLeft64(lane, [4]int{1, 7, 12, 18}[i])
		}
		for _, lane := range lanes {
			hash = (hash^xxhRound(0, lane))*prime1 + prime4
		}
	}
	hash += length
	for ; len(b) >= 8; b = b[8:] {
		hash = bits.RotateLeft64(hash^xxhRound(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		hash = bits.RotateLeft64(hash^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		hash = bits.RotateLeft64(hash^uint64(c)*prime5, 11) * prime1
	}
	hash = (hash ^ hash>>33) * prime2
	hash = (hash ^ hash>>29) * prime3
	return hash ^ hash>>32
}
