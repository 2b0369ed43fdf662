package shim

import (
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
