package xz

// LZMA2 is a run of chunks, each with a control byte:
//
//	00                          end
//	01, 02 size-1(2)            that many bytes as they are; 01 forgets what was before
//	1RRuuuuu u(2) p(2) [props]  u+1 bytes packed into p+1 by LZMA; RR:
//	                            0 go on, 1 reset the state, 2 and new properties
//	                            (props), 3 and forget what was before
//
// props = (pb*5 + lp)*9 + lc, lc + lp at most 4.

func (d *decoder) lzma2(out, in []byte, limit int) ([]byte, []byte, error) {
	start := len(out)
	ready := false // the state is set
	for {
		if len(in) == 0 {
			return nil, nil, corrupt("block has no end")
		}
		control := in[0]
		if control == 0 {
			return out, in[1:], nil
		}
		if control == 1 || control >= 0xe0 {
			start = len(out)
		}
		var err error
		switch {
		case control < 0x80:
			out, in, err = plainChunk(out, in, limit)
		default:
			ready = ready || control >= 0xc0
			if !ready {
				return nil, nil, corrupt("chunk without properties")
			}
			out, in, err = d.lzmaChunk(out, in, start, limit)
		}
		if err != nil {
			return nil, nil, err
		}
	}
}

func plainChunk(out, in []byte, limit int) ([]byte, []byte, error) {
	if in[0] > 2 || len(in) < 3 {
		return nil, nil, corrupt("chunk")
	}
	size := int(in[1])<<8 + int(in[2]) + 1
	if len(in) < 3+size {
		return nil, nil, corrupt("chunk ends too early")
	}
	if len(out)+size > limit {
		return nil, nil, ErrTooLarge
	}
	return append(out, in[3:3+size]...), in[3+size:], nil
}

func (d *decoder) lzmaChunk(out, in []byte, start, limit int) ([]byte, []byte, error) {
	if len(in) < 6 {
		return nil, nil, corrupt("chunk ends too early")
	}
	control := in[0]
	size := int(control&0x1f)<<16 + int(in[1])<<8 + int(in[2]) + 1
	packed := int(in[3])<<8 + int(in[4]) + 1
	in = in[5:]
	if control >= 0xc0 {
		props := uint32(in[0])
		if props >= 9*5*5 {
			return nil, nil, corrupt("properties")
		}
		d.lc, d.lp, d.pb = props%9, props/9%5, props/45
		if d.lc+d.lp > 4 {
			return nil, nil, corrupt("properties")
		}
		in = in[1:]
	}
	if control >= 0xa0 {
		d.reset()
	}
	if len(in) < packed {
		return nil, nil, corrupt("chunk ends too early")
	}
	if len(out)+size > limit {
		return nil, nil, ErrTooLarge
	}
	out = grow(out, size)
	if !d.decode(out, start, len(out)+size, in[:packed]) {
		return nil, nil, corrupt("chunk")
	}
	return out[:len(out)+size], in[packed:], nil
}

// grow makes room for n more bytes.
func grow(out []byte, n int) []byte {
	if cap(out)-len(out) >= n {
		return out
	}
	larger := make([]byte, len(out), max(2*cap(out), len(out)+n))
	copy(larger, out)
	return larger
}
