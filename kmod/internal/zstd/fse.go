package zstd

import "math/bits"

// An FSE table (RFC 8878, 4.1) decodes symbols by states: each says its symbol, and
// how many bits to read and add to a base for the next state.
type fseTable struct {
	log    int
	states []fseState
}

type fseState struct {
	base   uint16
	symbol uint8
	bits   uint8
}

// readFSE reads a table's description: 4 bits for the log, then for each symbol
// its share of the states, in as many bits as the rest can need, and runs of zeros.
func readFSE(data []byte, maxLog, maxSymbol int) (t *fseTable, size int, ok bool) {
	b := foreBits{data: data}
	log := int(b.peek(4)) + 5
	b.at = 4
	if log > maxLog {
		return nil, 0, false
	}
	norm := make([]int16, 0, maxSymbol+1)
	for left := 1<<log + 1; left > 1; {
		if len(norm) > maxSymbol {
			return nil, 0, false
		}
		width := bits.Len(uint(left))
		threshold := 1<<width - 1 - left
		v := int(b.peek(width))
		// Values below the threshold take one bit less.
		if low := v & (1<<(width-1) - 1); low < threshold {
			v = low
			b.at += width - 1
		} else {
			if v >= 1<<(width-1) {
				v -= threshold
			}
			b.at += width
		}
		share := v - 1 // -1 stands for less than one
		norm = append(norm, int16(share))
		left -= max(share, -share)
		for share == 0 {
			repeat := int(b.peek(2))
			b.at += 2
			for range repeat {
				norm = append(norm, 0)
			}
			if len(norm) > maxSymbol+1 {
				return nil, 0, false
			}
			if repeat < 3 {
				break
			}
		}
		if left < 1 {
			return nil, 0, false
		}
	}
	if len(norm) > maxSymbol+1 {
		return nil, 0, false
	}
	n, ok := b.bytes()
	return buildFSE(norm, log), n, ok
}

// buildFSE spreads the symbols over the states.
func buildFSE(norm []int16, log int) *fseTable {
	size := 1 << log
	t := &fseTable{log: log, states: make([]fseState, size)}
	next := make([]uint16, len(norm))
	high := size - 1
	for s, n := range norm {
		if n == -1 {
			t.states[high].symbol = uint8(s)
			high--
			next[s] = 1
		} else {
			next[s] = uint16(n)
		}
	}
	at, step, mask := 0, size>>1+size>>3+3, size-1
	for s, n := range norm {
		for range max(int(n), 0) {
			t.states[at].symbol = uint8(s)
			for at = (at + step) & mask; at > high; at = (at + step) & mask {
			}
		}
	}
	for i := range t.states {
		st := &t.states[i]
		n := next[st.symbol]
		next[st.symbol]++
		st.bits = uint8(log - bits.Len16(n) + 1)
		st.base = n<<st.bits - uint16(size)
	}
	return t
}

// rleTable is a table of one symbol that needs no bits.
func rleTable(symbol byte) *fseTable {
	return &fseTable{states: []fseState{{symbol: symbol}}}
}
