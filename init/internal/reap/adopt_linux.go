package reap

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrNotChild is the error of adopting a process whose end this one will not hear of.
var ErrNotChild = errors.New("not a child of this process")

// Adopt makes an orphan that PID 1 has inherited a known process: the daemon that a forking service has left. Its end is
// then not lost among the other orphans'.
func (r *Reaper) Adopt(pid int) (*Process, error) {
	r.birth.Lock() // as in a start: what is not reaped cannot go, and its number cannot be another's
	defer r.birth.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.children[pid]; p != nil {
		return p, nil
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil, fmt.Errorf("adopt process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything; after it come state and parent (proc_pid_stat(5)).
	rest := string(text[strings.LastIndexByte(string(text), ')')+1:])
	if f := strings.Fields(rest); len(f) < 2 || f[1] != strconv.Itoa(os.Getpid()) {
		return nil, fmt.Errorf("adopt process %d: %w", pid, ErrNotChild)
	}
	p := &Process{PID: pid, Started: time.Now(), r: r, done: make(chan struct{})}
	r.children[pid] = p
	return p, nil
}

// Hold keeps everything from being reaped while f runs, so that PIDs that were read from elsewhere stay whose they were
// if their parent is this process.
func (r *Reaper) Hold(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}
