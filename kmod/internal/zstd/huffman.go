package zstd

import "math/bits"

// A huffTable (RFC 8878, 4.2) holds for each value of the next log bits the symbol
// they start with and its length.
type huffTable struct {
	log   int
	codes [1 << maxHuffLog]huffCode
}

type huffCode struct{ symbol, bits uint8 }

const (
	maxHuffLog    = 11
	maxWeightLog  = 6
	maxWeightCode = 255
)

// readHuffman reads a tree's description: the weight of each symbol but the last
// one used, whose weight makes the sum a power of two.
func readHuffman(data []byte) (t *huffTable, size int, ok bool) {
	if len(data) == 0 {
		return nil, 0, false
	}
	head := int(data[0])
	var weights []uint8
	if head >= 128 {
		count := head - 127
		if size = 1 + (count+1)/2; size > len(data) {
			return nil, 0, false
		}
		for i := range count {
			weights = append(weights, data[1+i/2]>>(4*(1-i&1))&15)
		}
	} else {
		if size = 1 + head; size > len(data) {
			return nil, 0, false
		}
		if weights, ok = fseWeights(data[1:size]); !ok {
			return nil, 0, false
		}
	}
	t, ok = buildHuffman(weights)
	return t, size, ok
}

// fseWeights decodes weights with two states that take turns.
func fseWeights(data []byte) (weights []uint8, ok bool) {
	table, n, ok := readFSE(data, maxWeightLog, 12)
	if !ok {
		return nil, false
	}
	b, ok := newBackBits(data[n:])
	if !ok {
		return nil, false
	}
	state := [2]uint32{b.read(table.log), b.read(table.log)}
	for i := 0; ; i ^= 1 {
		s := table.states[state[i]]
		weights = append(weights, s.symbol)
		if b.left < int(s.bits) {
			// The stream is used up: the other state holds the last weight.
			weights = append(weights, table.states[state[i^1]].symbol)
			return weights, b.left >= 0
		}
		state[i] = uint32(s.base) + b.read(int(s.bits))
		if len(weights) > maxWeightCode {
			return nil, false
		}
	}
}

func buildHuffman(weights []uint8) (*huffTable, bool) {
	if len(weights) > maxWeightCode {
		return nil, false
	}
	sum := 0
	for _, w := range weights {
		if w > maxHuffLog {
			return nil, false
		}
		if w > 0 {
			sum += 1 << (w - 1)
		}
	}
	if sum == 0 {
		return nil, false
	}
	log := bits.Len(uint(sum))
	rest := 1<<log - sum
	if log > maxHuffLog || rest&(rest-1) != 0 {
		return nil, false
	}
	weights = append(weights, uint8(bits.Len(uint(rest))))
	t := &huffTable{log: log}
	// Codes go from the longest (weight 1) to the shortest, symbols in order.
	at := 0
	for w := 1; w <= log; w++ {
		for s, weight := range weights {
			if int(weight) != w {
				continue
			}
			n := 1 << (w - 1)
			if at+n > 1<<log {
				return nil, false
			}
			for i := range n {
				t.codes[at+i] = huffCode{uint8(s), uint8(log + 1 - w)}
			}
			at += n
		}
	}
	return t, at == 1<<log
}

// decode fills out from one stream, which it must use up exactly.
func (t *huffTable) decode(out, stream []byte) bool {
	b, ok := newBackBits(stream)
	if !ok {
		return false
	}
	for i := range out {
		c := t.codes[b.peek(t.log)&(1<<maxHuffLog-1)]
		b.skip(int(c.bits))
		out[i] = c.symbol
	}
	return b.left == 0
}
