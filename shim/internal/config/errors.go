package config

import (
	"errors"
	"strings"
)

var (
	// ErrUnsupported is wrapped by the error for an option or key that
	// systemd-nspawn documents and firn does not implement.
	ErrUnsupported = errors.New("not supported by firn yet")
	// ErrUnknown is wrapped by the error for an option, key or section that no
	// manual names.
	ErrUnknown = errors.New("unknown")
	// ErrConflict is wrapped by the error for options that exclude each other.
	ErrConflict = errors.New("may not be combined")
	// ErrNoName is returned where no machine name was given and none follows
	// from the root directory.
	ErrNoName = errors.New("no machine name follows from the root directory, give one with --machine=")
)

// ValueError is a problem with what the user wrote. It prints the place, the
// value and the problem: `--chdir=tmp: not an absolute path`.
type ValueError struct {
	From  Origin
	Value string // as written; empty where the option itself is the problem
	Err   error
}

func (e *ValueError) Error() string {
	place := e.From.String()
	if e.Value == "" {
		return place + ": " + e.Err.Error()
	}
	if !strings.HasSuffix(place, "=") {
		place += " "
	}
	return place + printable(e.Value) + ": " + e.Err.Error()
}

// Unwrap gives the problem.
func (e *ValueError) Unwrap() error { return e.Err }

// printable keeps a value from garbling a terminal or a log line.
func printable(s string) string {
	const most = 200
	if len(s) > most {
		s = s[:most] + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return '?'
		}
		return r
	}, s)
}
