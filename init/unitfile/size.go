package unitfile

import (
	"errors"
	"strings"
)

// ErrSize is returned for a value that is no size in bytes.
var ErrSize = errors.New("not a size in bytes")

var sizeUnits = map[string]uint64{
	"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50, "E": 1 << 60,
}

// ParseSize reads a size in bytes with the suffixes K, M, G, T, P and E to the
// base 1024, with a fraction if need be ("1.5G"), or several added up from the
// largest unit to the smallest ("1G 512M").
func ParseSize(s string) (uint64, error) {
	var sum uint64
	last := sizeUnits["E"] << 1
	s = strings.Trim(s, blanks)
	for first := true; s != "" || first; first = false {
		if s == "" || s[0] == '.' {
			return 0, ErrSize
		}
		n, rest, err := scanNumber(s)
		if err != nil {
			return 0, ErrSize
		}
		rest = strings.TrimLeft(rest, blanks)
		name := rest[:unitLength(rest)]
		unit, ok := sizeUnits[name]
		part, fits := n.times(unit)
		if !ok || !fits || unit >= last || sum+part < sum {
			return 0, ErrSize
		}
		sum += part
		last = unit
		s = strings.TrimLeft(rest[len(name):], blanks)
	}
	return sum, nil
}
