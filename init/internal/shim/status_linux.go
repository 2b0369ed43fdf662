package shim

import (
	"encoding/hex"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
)

// Status puts the end of the main command into the exit message's words.
func Status(s unix.WaitStatus) handoff.ExitStatus {
	if s.Signaled() {
		return handoff.ExitStatus{Signal: int(s.Signal())}
	}
	return handoff.ExitStatus{Code: s.ExitStatus()}
}

// newBootID tells one boot of a container from the next: the kernel's boot id is the host's. crypto/rand would cost
// PID 1 the start-up of all of the standard library's cryptography.
func newBootID() string {
	var id [16]byte
	_, _ = unix.Getrandom(id[:], 0) // gives as much at once (getrandom(2))
	return hex.EncodeToString(id[:])
}
