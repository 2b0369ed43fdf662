package zstd

import "encoding/binary"

// A compressed block (RFC 8878, 3.1.1.3) is literals and then sequences: each
// copies some literals, then a match out of what was unpacked before.

const maxBlock = 128 << 10

// A decoder holds what lives on from block to block of a frame.
type decoder struct {
	huffman  *huffTable
	tables   [3]*fseTable // literal lengths, offsets, match lengths
	offsets  [3]uint32
	literals []byte
}

// A code stands for a number: base plus some bits.
type code struct {
	base uint32
	bits uint8
}

const (
	literalLengths = iota
	offsetCodes
	matchLengths
)

var (
	lengthCodes = [2][]code{codes(0, 16, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
		codes(3, 32, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})}
	predefined = [3]struct {
		log  int
		norm []int16
	}{
		{6, []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}},
		{5, []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}},
		{6, []int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}},
	}
	maxLogs    = [3]int{9, 8, 9}
	maxSymbols = [3]int{35, 31, 52}
)

// codes makes the table of a length's codes: so many that are the value itself,
// then ever larger ranges. From 6 bits on (7 for matches) ranges are powers of two.
func codes(first uint32, plain int, widths []uint8) []code {
	var list []code
	for i := range plain {
		list = append(list, code{first + uint32(i), 0})
	}
	base := first + uint32(plain)
	for _, width := range widths {
		if width >= 6 && first == 0 || width >= 7 {
			base = first + 1<<width
		}
		list = append(list, code{base, width})
		base += 1 << width
	}
	return list
}

// block unpacks one compressed block. Matches reach back to start.
func (d *decoder) block(out, in []byte, start, limit int) ([]byte, error) {
	in, ok := d.readLiterals(in)
	if !ok || len(in) == 0 {
		return nil, corrupt("literals")
	}
	count, n := 0, 1
	switch head := int(in[0]); {
	case head < 128:
		count = head
	case head < 255 && len(in) > 1:
		count, n = (head-128)<<8+int(in[1]), 2
	case head == 255 && len(in) > 2:
		count, n = int(binary.LittleEndian.Uint16(in[1:]))+0x7f00, 3
	default:
		return nil, corrupt("sequences")
	}
	in = in[n:]
	if count == 0 {
		if len(in) != 0 {
			return nil, corrupt("sequences")
		}
		return d.appendLiterals(out, d.literals, limit)
	}
	if in, ok = d.readTables(in); !ok {
		return nil, corrupt("tables")
	}
	return d.sequences(out, in, count, start, limit)
}

func (d *decoder) appendLiterals(out, literals []byte, limit int) ([]byte, error) {
	if len(literals) > limit-len(out) {
		return nil, ErrTooLarge
	}
	return append(out, literals...), nil
}

// readLiterals unpacks the literals and returns what follows them.
func (d *decoder) readLiterals(in []byte) ([]byte, bool) {
	if len(in) == 0 {
		return nil, false
	}
	kind, format := in[0]&3, in[0]>>2&3
	var head [8]byte
	copy(head[:], in)
	word := binary.LittleEndian.Uint64(head[:])
	if kind < 2 {
		n, size := 1, int(word>>3&31)
		switch format {
		case 1:
			n, size = 2, int(word>>4&0xfff)
		case 3:
			n, size = 3, int(word>>4&0xfffff)
		}
		return d.plainLiterals(in, kind == 1, n, size)
	}
	n := [4]int{3, 3, 4, 5}[format]
	width := [4]int{10, 10, 14, 18}[format]
	size, packed := int(word>>4)&(1<<width-1), int(word>>(4+width))&(1<<width-1)
	if size > maxBlock || n+packed > len(in) {
		return nil, false
	}
	data, rest := in[n:n+packed], in[n+packed:]
	if kind == 2 {
		t, used, ok := readHuffman(data)
		if !ok {
			return nil, false
		}
		d.huffman, data = t, data[used:]
	}
	if d.huffman == nil {
		return nil, false
	}
	d.literals = sized(d.literals, size)
	if format == 0 {
		return rest, d.huffman.decode(d.literals, data)
	}
	return rest, d.fourStreams(data)
}

func (d *decoder) plainLiterals(in []byte, repeated bool, n, size int) ([]byte, bool) {
	used := size
	if repeated {
		used = 1
	}
	if size > maxBlock || n+used > len(in) {
		return nil, false
	}
	d.literals = sized(d.literals, size)
	if repeated {
		for i := range d.literals {
			d.literals[i] = in[n]
		}
	} else {
		copy(d.literals, in[n:])
	}
	return in[n+used:], true
}

// sized is buf, or a larger one, cut to n bytes.
func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		buf = make([]byte, n, maxBlock)
	}
	return buf[:n]
}

// fourStreams: the sizes of three, then four streams with a quarter each.
func (d *decoder) fourStreams(data []byte) bool {
	if len(data) < 6 {
		return false
	}
	sizes, streams := data[:6], data[6:]
	quarter := (len(d.literals) + 3) / 4
	if 3*quarter > len(d.literals) {
		return false
	}
	for i := range 4 {
		size, out := len(streams), d.literals[i*quarter:]
		if i < 3 {
			size, out = int(binary.LittleEndian.Uint16(sizes[2*i:])), out[:quarter]
		}
		if size > len(streams) || !d.huffman.decode(out, streams[:size]) {
			return false
		}
		streams = streams[size:]
	}
	return true
}

// readTables reads the modes of the three tables and the tables themselves.
func (d *decoder) readTables(in []byte) ([]byte, bool) {
	if len(in) == 0 || in[0]&3 != 0 {
		return nil, false
	}
	modes := in[0]
	in = in[1:]
	for i := range d.tables {
		switch modes >> (6 - 2*i) & 3 {
		case 0:
			d.tables[i] = buildFSE(predefined[i].norm, predefined[i].log)
		case 1:
			if len(in) == 0 || int(in[0]) > maxSymbols[i] {
				return nil, false
			}
			d.tables[i], in = rleTable(in[0]), in[1:]
		case 2:
			t, n, ok := readFSE(in, maxLogs[i], maxSymbols[i])
			if !ok {
				return nil, false
			}
			d.tables[i], in = t, in[n:]
		}
		if d.tables[i] == nil {
			return nil, false
		}
	}
	return in, true
}

// sequences carries out the block's sequences.
func (d *decoder) sequences(out, in []byte, count, start, limit int) ([]byte, error) {
	b, ok := newBackBits(in)
	if !ok {
		return nil, corrupt("sequences")
	}
	ll, of, ml := d.tables[literalLengths], d.tables[offsetCodes], d.tables[matchLengths]
	llState, ofState, mlState := b.read(ll.log), b.read(of.log), b.read(ml.log)
	literals := d.literals
	for i := range count {
		l, o, m := ll.states[llState], of.states[ofState], ml.states[mlState]
		offset := uint32(1)<<o.symbol + b.read(int(o.symbol))
		mc, lc := lengthCodes[1][m.symbol], lengthCodes[0][l.symbol]
		match := int(mc.base + b.read(int(mc.bits)))
		length := int(lc.base + b.read(int(lc.bits)))
		distance := int(d.distance(offset, length == 0))
		if i < count-1 {
			llState = uint32(l.base) + b.read(int(l.bits))
			mlState = uint32(m.base) + b.read(int(m.bits))
			ofState = uint32(o.base) + b.read(int(o.bits))
		}
		if length > len(literals) || distance == 0 || distance > len(out)+length-start {
			return nil, corrupt("sequence")
		}
		if length+match > limit-len(out) {
			return nil, ErrTooLarge
		}
		out = append(out, literals[:length]...)
		literals = literals[length:]
		out = appendMatch(out, distance, match)
	}
	if b.left != 0 {
		return nil, corrupt("sequences")
	}
	return d.appendLiterals(out, literals, limit)
}

// distance resolves an offset: 1 to 3 are the last ones again (moved by one if no
// literal goes before), others are new and three more than they mean.
func (d *decoder) distance(offset uint32, noLiterals bool) uint32 {
	o := &d.offsets
	if offset > 3 {
		o[2], o[1], o[0] = o[1], o[0], offset-3
		return o[0]
	}
	if noLiterals {
		offset++
	}
	switch offset {
	case 2:
		o[0], o[1] = o[1], o[0]
	case 3:
		o[0], o[1], o[2] = o[2], o[0], o[1]
	case 4:
		o[0], o[1], o[2] = o[0]-1, o[0], o[1]
	}
	return o[0]
}

// appendMatch repeats what is distance bytes back; it may overlap its copy.
func appendMatch(out []byte, distance, length int) []byte {
	from := len(out) - distance
	for length > distance {
		out = append(out, out[from:from+distance]...)
		length -= distance
		// The copy continues its source, so twice as much can be copied next.
		distance = len(out) - from
	}
	return append(out, out[from:from+length]...)
}
