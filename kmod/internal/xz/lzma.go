package xz

// LZMA codes a symbol as a run of bits, each with its own adaptive probability
// and a range coder:
//
//	isMatch=0                      literal: 8 bits, context: previous byte
//	isMatch=1 isRep=0              length, distance: new match
//	isMatch=1 isRep=1 G0=0 long=0  one byte at the last distance
//	                       long=1  length: match at the last distance
//	                  G0=1 ...     length: one of the three distances before
//
// The state, 0 to 11, remembers what the last symbols were (0 to 6: a literal
// was last). The output is the dictionary: a match copies out of it.
//
// Registers of the range coder (low word of code against rng) go through every
// function as arguments and results, which the compiler keeps in machine
// registers; bits whose value nobody can predict are decoded without a branch.
// Reading past the input yields zeros and is noticed at the chunk's end.

const (
	probInit   = 1024 // of 2048: even odds
	topValue   = 1 << 24
	minMatch   = 2
	posStates  = 16
	litStates  = 7
	alignBits  = 4
	fullSlots  = 14 // from this distance slot on, direct and align bits follow
	litContext = 0x300
)

type lenCoder struct {
	choice [2]uint16
	low    [posStates][8]uint16
	mid    [posStates][8]uint16
	high   [256]uint16
}

// A decoder holds what lives on from one LZMA2 chunk to the next.
type decoder struct {
	state      uint32
	rep        [4]uint32
	lc, lp, pb uint32

	isMatch    [12][posStates]uint16
	isRep      [12]uint16
	isRepG     [3][12]uint16
	isRep0Long [12][posStates]uint16
	slot       [4][64]uint16
	special    [128]uint16
	align      [16]uint16
	length     lenCoder
	repLength  lenCoder
	literal    [16][litContext]uint16
}

// reset forgets all that was learnt; the properties stay.
func (d *decoder) reset() {
	d.state, d.rep = 0, [4]uint32{}
	fill := func(probs []uint16) {
		for i := range probs {
			probs[i] = probInit
		}
	}
	for i := range d.isMatch {
		fill(d.isMatch[i][:])
		fill(d.isRep0Long[i][:])
	}
	fill(d.isRep[:])
	for i := range d.isRepG {
		fill(d.isRepG[i][:])
	}
	for i := range d.slot {
		fill(d.slot[i][:])
	}
	fill(d.special[:])
	fill(d.align[:])
	for _, l := range []*lenCoder{&d.length, &d.repLength} {
		fill(l.choice[:])
		for i := range posStates {
			fill(l.low[i][:])
			fill(l.mid[i][:])
		}
		fill(l.high[:])
	}
	for i := range 1 << (d.lc + d.lp) {
		fill(d.literal[i][:])
	}
}

// bit decodes one bit that is usually predictable.
func bit(p *uint16, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	if rng < topValue {
		rng <<= 8
		code <<= 8
		if uint(pos) < uint(len(in)) {
			code |= uint32(in[pos])
		}
		pos++
	}
	v := uint32(*p)
	bound := (rng >> 11) * v
	if code < bound {
		*p = uint16(v + (2048-v)>>5)
		return 0, bound, code, pos
	}
	*p = uint16(v - v>>5)
	return 1, rng - bound, code - bound, pos
}

// tree decodes so many bits, highest first, each in the context of those before.
// The result has a leading one bit.
func tree(probs []uint16, bits int, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	sym := uint32(1)
	for range bits {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if uint(pos) < uint(len(in)) {
				code |= uint32(in[pos])
			}
			pos++
		}
		v := uint32(probs[sym])
		bound := (rng >> 11) * v
		zero := uint32(int64(uint64(code)-uint64(bound)) >> 63) // all ones if the bit is 0
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		probs[sym] = uint16(int32(v) - (int32(v)+int32(zero)&(31-2048))>>5)
		sym = sym<<1 + 1 + zero
	}
	return sym, rng, code, pos
}

// reverseTree is tree with the lowest bit first; the result has no leading bit.
func reverseTree(probs []uint16, bits int, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	sym, out := uint32(1), uint32(0)
	for i := range bits {
		var b uint32
		b, rng, code, pos = bit(&probs[sym], rng, code, in, pos)
		sym = sym<<1 + b
		out |= b << i
	}
	return out, rng, code, pos
}

// matched decodes a literal after a match, in the context of the byte that the
// match would have gone on with.
func matched(probs *[litContext]uint16, match, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	sym, offset := uint32(1), uint32(0x100)
	for sym < 0x100 {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if uint(pos) < uint(len(in)) {
				code |= uint32(in[pos])
			}
			pos++
		}
		match <<= 1
		expected := match & offset
		i := (offset + expected + sym) % litContext
		v := uint32(probs[i])
		bound := (rng >> 11) * v
		zero := uint32(int64(uint64(code)-uint64(bound)) >> 63)
		rng = bound&zero | (rng-bound)&^zero
		code -= bound &^ zero
		probs[i] = uint16(int32(v) - (int32(v)+int32(zero)&(31-2048))>>5)
		sym = sym<<1 + 1 + zero
		// As long as the bits are the expected ones, the context stays.
		offset &= expected ^ zero
	}
	return sym, rng, code, pos
}

// matchLength decodes a match's length.
func (l *lenCoder) matchLength(posState uint32, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	var b, sym uint32
	if b, rng, code, pos = bit(&l.choice[0], rng, code, in, pos); b == 0 {
		sym, rng, code, pos = tree(l.low[posState][:], 3, rng, code, in, pos)
		return sym - 8 + minMatch, rng, code, pos
	}
	if b, rng, code, pos = bit(&l.choice[1], rng, code, in, pos); b == 0 {
		sym, rng, code, pos = tree(l.mid[posState][:], 3, rng, code, in, pos)
		return sym + minMatch, rng, code, pos
	}
	sym, rng, code, pos = tree(l.high[:], 8, rng, code, in, pos)
	return sym - 256 + 16 + minMatch, rng, code, pos
}

// distance decodes a new match's distance, less one.
func (d *decoder) distance(length, rng, code uint32, in []byte, pos int) (uint32, uint32, uint32, int) {
	var slot, low uint32
	slot, rng, code, pos = tree(d.slot[min(length-minMatch, 3)][:], 6, rng, code, in, pos)
	slot -= 64
	if slot < 4 {
		return slot, rng, code, pos
	}
	bits := slot>>1 - 1
	dist := (2 | slot&1) << bits
	if slot < fullSlots {
		low, rng, code, pos = reverseTree(d.special[dist-slot:], int(bits), rng, code, in, pos)
		return dist + low, rng, code, pos
	}
	for i := bits - 1; i >= alignBits; i-- {
		if rng < topValue {
			rng <<= 8
			code <<= 8
			if uint(pos) < uint(len(in)) {
				code |= uint32(in[pos])
			}
			pos++
		}
		rng >>= 1
		one := ^uint32(int64(uint64(code)-uint64(rng)) >> 63)
		code -= rng & one
		dist += (one & 1) << i
	}
	low, rng, code, pos = reverseTree(d.align[:], alignBits, rng, code, in, pos)
	return dist + low, rng, code, pos
}

// decode appends what one chunk holds to out until it is end bytes long. Matches
// reach back to start. It returns false if the chunk is corrupt.
func (d *decoder) decode(out []byte, start, end int, in []byte) bool {
	if len(in) < 5 || in[0] != 0 {
		return false
	}
	rng, code := ^uint32(0), uint32(in[1])<<24|uint32(in[2])<<16|uint32(in[3])<<8|uint32(in[4])
	pos := 5
	state := d.state
	rep0, rep1, rep2, rep3 := d.rep[0], d.rep[1], d.rep[2], d.rep[3]
	posMask, litMask := uint32(1)<<d.pb-1, uint32(1)<<d.lp-1
	at := len(out)
	out = out[:end]
	var b, sym, length uint32
	for at < end {
		posState := uint32(at-start) & posMask
		if b, rng, code, pos = bit(&d.isMatch[state][posState], rng, code, in, pos); b == 0 {
			previous := uint32(0)
			if at > start {
				previous = uint32(out[at-1])
			}
			probs := &d.literal[(uint32(at-start)&litMask<<d.lc+previous>>(8-d.lc))&15]
			if state < litStates {
				sym, rng, code, pos = tree(probs[:0x100], 8, rng, code, in, pos)
			} else {
				if int(rep0) >= at-start {
					return false
				}
				sym, rng, code, pos = matched(probs, uint32(out[at-int(rep0)-1]), rng, code, in, pos)
			}
			out[at] = byte(sym)
			at++
			switch {
			case state < 4:
				state = 0
			case state < 10:
				state -= 3
			default:
				state -= 6
			}
			continue
		}
		if b, rng, code, pos = bit(&d.isRep[state], rng, code, in, pos); b == 0 {
			rep3, rep2, rep1 = rep2, rep1, rep0
			length, rng, code, pos = d.length.matchLength(posState, rng, code, in, pos)
			rep0, rng, code, pos = d.distance(length, rng, code, in, pos)
			state = afterMatch(state, 7)
		} else {
			if b, rng, code, pos = bit(&d.isRepG[0][state], rng, code, in, pos); b == 0 {
				if b, rng, code, pos = bit(&d.isRep0Long[state][posState], rng, code, in, pos); b == 0 {
					if int(rep0) >= at-start {
						return false
					}
					out[at] = out[at-int(rep0)-1]
					at++
					state = afterMatch(state, 9)
					continue
				}
			} else if b, rng, code, pos = bit(&d.isRepG[1][state], rng, code, in, pos); b == 0 {
				rep0, rep1 = rep1, rep0
			} else if b, rng, code, pos = bit(&d.isRepG[2][state], rng, code, in, pos); b == 0 {
				rep0, rep1, rep2 = rep2, rep0, rep1
			} else {
				rep0, rep1, rep2, rep3 = rep3, rep0, rep1, rep2
			}
			length, rng, code, pos = d.repLength.matchLength(posState, rng, code, in, pos)
			state = afterMatch(state, 8)
		}
		// A match never crosses the end of its chunk.
		if int64(rep0) >= int64(at-start) || int(length) > end-at {
			return false
		}
		at = copyMatch(out, at, int(rep0)+1, int(length))
	}
	d.state, d.rep = state, [4]uint32{rep0, rep1, rep2, rep3}
	// The coder reads one byte ahead of what it needs, at the latest here.
	if rng < topValue {
		pos++
	}
	return pos == len(in)
}

// afterMatch is the state after a match (7), a repeated one (8) or a single
// byte (9); three more if no literal was before.
func afterMatch(state, next uint32) uint32 {
	if state >= litStates {
		if next == 7 {
			return 10
		}
		return 11
	}
	return next
}

// copyMatch copies length bytes from distance bytes back; they may overlap, and
// then repeat.
func copyMatch(out []byte, at, distance, length int) int {
	if distance >= length {
		copy(out[at:at+length], out[at-distance:])
		return at + length
	}
	from := at - distance
	for end := at + length; at < end; {
		n := copy(out[at:end], out[from:at])
		at += n
	}
	return at
}
