// Package command is command mode: one command as the only child of PID 1, its signals forwarded, all orphans reaped,
// its exit code firn-init's. Its input is an argv and the signal queue; its output is an exit code. It is the whole
// of firn-init's data flow in this mode. $NOTIFY_SOCKET is the command's to use: firn-init tells the shim alone, by
// firn/init/handoff, that the command runs and how it ended.
package command

import (
	"time"
)

// The loop's states, beside which the reaper takes in whatever ends:
//
//	state   | event                          | does                                    | next
//	--------+--------------------------------+-----------------------------------------+--------
//	running | command has ended              |                                         | ended
//	running | a signal that ends the system, | SIGTERM and SIGCONT to the command's    | ending
//	        | halt, poweroff, reboot of the  | group; the grace period begins          |
//	        | shim                           |                                         |
//	running | other signal                   | forward it to the command               | running
//	ending  | command has ended              |                                         | ended
//	ending  | grace period is over, or a     | SIGKILL to everything                   | ending
//	        | signal that ends at once       |                                         |
//	ending  | other signal                   | forward it to the command               | ending
//	ended   |                                | exit with the code                      |

// DefaultGrace is how long a command has between SIGTERM and SIGKILL.
const DefaultGrace = 10 * time.Second

// Options of a run.
type Options struct {
	Argv  []string
	Env   []string
	Grace time.Duration
	// PID1 tells that all other processes end with firn-init, and SIGKILL may go to all of them.
	PID1 bool
}

// Exit codes for a command that could not be started, as shells give them.
const (
	ExitNotExecutable = 126
	ExitNotFound      = 127
)
