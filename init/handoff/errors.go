package handoff

import "errors"

// Errors that a caller may tell apart with errors.Is.
var (
	// ErrAbsent: there is no socket, so this system does not run under firn.
	ErrAbsent = errors.New("no handoff socket")
	// ErrTooLong: a line is longer than MaxLine.
	ErrTooLong = errors.New("message is longer than 64 KiB")
	// ErrGarbage: a line is no JSON object of this protocol; the connection is of no more use.
	ErrGarbage = errors.New("not a handoff message")
	// ErrVersion: the other end speaks another major version.
	ErrVersion = errors.New("another major version of the protocol")
	// ErrMember: a message lacks a member or has one that makes no sense.
	ErrMember = errors.New("missing or bad member")
	// ErrClosed: the connection ended before an answer came.
	ErrClosed = errors.New("handoff connection closed")
	// ErrSequence: a message came out of turn, such as any other before hello.
	ErrSequence = errors.New("message out of turn")
)

// DeniedError is the host's refusal to load a module.
type DeniedError struct {
	Module string
	Reason string // the host's own words
}

func (e *DeniedError) Error() string {
	return "load module " + e.Module + ": denied by the host: " + e.Reason
}
