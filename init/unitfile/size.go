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
// base 1024, with a fraction if need be ("1.5G").
func ParseSize(s string) (uint64, error) {
	n, rest, err := scanNumber(strings.Trim(s, blanks))
	if err != nil {
		return 0, ErrSize
	}
	unit, ok := sizeUnits[strings.TrimLeft(rest, blanks)]
	if !ok {
		return 0, ErrSize
	}
	size, fits := n.times(unit)
	if !fits {
		return 0, ErrSize
	}
	return size, nil
}
