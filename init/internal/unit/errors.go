package unit

import (
	"errors"
	"fmt"
)

var (
	// ErrUnknownKey is the problem of a key that no unit file of the type has.
	ErrUnknownKey = errors.New("unknown key")
	// ErrValue is the problem of a value that is none of those a setting takes.
	ErrValue = errors.New("not a value of this setting")
	// ErrNotAbsolute is the problem of a path that does not begin with "/".
	ErrNotAbsolute = errors.New("not an absolute path")
	// ErrPath is the problem of a path with "..", a line end or the like.
	ErrPath = errors.New("not a clean path")
	// ErrRange is the problem of a number that is too large or too small.
	ErrRange = errors.New("out of range")
)

// badSetting is an error with which the unit must not be used at all.
type badSetting struct{ error }

func (e badSetting) Unwrap() error { return e.error }

// refuse makes an error one for which systemd, too, does not load the unit.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	return badSetting{err}
}

// Error is why a unit cannot be used, at its place in the text.
type Error struct {
	File string
	Line int // 0: the unit as a whole
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
