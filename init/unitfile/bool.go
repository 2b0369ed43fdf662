package unitfile

import (
	"errors"
	"strings"
)

// ErrBool is returned for a value that is no boolean of systemd.syntax(7).
var ErrBool = errors.New("not a boolean (yes or no)")

// ParseBool reads a boolean: 1, yes, y, true, t, on and 0, no, n, false, f,
// off, in upper or lower case.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true, nil
	case "0", "no", "n", "false", "f", "off":
		return false, nil
	}
	return false, ErrBool
}
