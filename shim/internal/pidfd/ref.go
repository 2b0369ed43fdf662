// Package pidfd names processes in a way that survives PID reuse.
//
// A Ref is what is written into records: the PID and the time the kernel
// started it. An FD is what is held: a pidfd that was opened first and checked
// against the start time afterwards, so that a signal never reaches a process
// that merely inherited the number. Input: a PID or a Ref; output: an FD to
// signal and to wait on. It serves the stages "container" and "lifecycle".
package pidfd

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
)

// ErrGone says that the process a Ref names no longer runs.
var ErrGone = errors.New("process is gone")

// Ref names one process for good: no two processes share PID and start time.
type Ref struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot, field 22 of proc_pid_stat(5)
}

// Zero tells whether r names no process.
func (r Ref) Zero() bool { return r.PID == 0 }

// Of returns the Ref of the process that has pid now. The error wraps ErrGone
// if there is none, or only its zombie.
func Of(pid int) (Ref, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return Ref{}, fmt.Errorf("PID %d: %w", pid, ErrGone)
		}
		return Ref{}, err
	}
	state, start, err := parseStat(stat)
	if err != nil {
		return Ref{}, fmt.Errorf("parse /proc/%d/stat: %w", pid, err)
	}
	if state == 'Z' || state == 'X' {
		return Ref{}, fmt.Errorf("PID %d: %w", pid, ErrGone)
	}
	return Ref{PID: pid, Start: start}, nil
}

// Alive tells whether the process still runs; a zombie does not.
func (r Ref) Alive() bool {
	if r.Zero() {
		return false
	}
	now, err := Of(r.PID)
	return err == nil && now == r
}

// parseStat takes state (field 3) and start time (field 22) out of a line of
// proc_pid_stat(5). The command name in field 2 may hold spaces and
// parentheses, so fields are counted from the last ')'.
func parseStat(stat []byte) (state byte, start uint64, err error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, 0, errors.New("no command name")
	}
	fields := bytes.Fields(stat[end+1:])
	const startField = 22 - 3
	if len(fields) <= startField {
		return 0, 0, fmt.Errorf("%d fields after the command name", len(fields))
	}
	start, err = strconv.ParseUint(string(fields[startField]), 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("start time: %w", err)
	}
	return fields[0][0], start, nil
}
