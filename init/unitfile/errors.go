package unitfile

import (
	"errors"
	"fmt"
)

var (
	// ErrNUL is returned for a text that holds a NUL byte.
	ErrNUL = errors.New("NUL byte in text")
	// ErrNotUTF8 is returned for an assignment or header that is not UTF-8.
	ErrNotUTF8 = errors.New("not valid UTF-8")
	// ErrLineTooLong is returned for a line above MaxLine bytes.
	ErrLineTooLong = errors.New("line longer than 1 MiB")
	// ErrSectionHeader is returned for a line that begins with "[" but is no header.
	ErrSectionHeader = errors.New("malformed section header")

	// ErrOutsideSection is the problem of an assignment before the first section.
	ErrOutsideSection = errors.New("assignment before the first section")
	// ErrNoEquals is the problem of a line that is no assignment.
	ErrNoEquals = errors.New(`no "=" in line`)
	// ErrNoKey is the problem of a line that begins with "=".
	ErrNoKey = errors.New(`no key before "="`)

	// ErrMasked is returned for a file that is empty or a link to /dev/null.
	ErrMasked = errors.New("masked")

	// ErrUnbalancedQuotes is returned for a quote that nothing closes.
	ErrUnbalancedQuotes = errors.New("unbalanced quotes")
	// ErrTrailingBackslash is returned for a backslash with nothing after it.
	ErrTrailingBackslash = errors.New("backslash at the end")
	// ErrEscape is returned for a backslash sequence that systemd.syntax(7) does not list.
	ErrEscape = errors.New("unknown escape sequence")
)

// LineError is a problem at one line of a file. It prints `NAME:LINE: problem`.
type LineError struct {
	Name string
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

// Unwrap gives the sentinel.
func (e *LineError) Unwrap() error { return e.Err }
