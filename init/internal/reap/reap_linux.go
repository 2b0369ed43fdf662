// Package reap starts processes and waits for all that end: the one place that does either in firn-init. Its input
// are Specs from the stages below init/ and SIGCHLD; its output is each Process's end. Orphans that PID 1 inherits
// are reaped with the rest and forgotten.
package reap

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/signals"
)

// ErrEnded is the error of a signal to a process that has ended.
var ErrEnded = errors.New("process has ended")

// ErrClosed is the error of a start after Close.
var ErrClosed = errors.New("no process is started any more: the system is ending")

// Spec is what to start.
type Spec struct {
	Path string   // resolved already: no search in $PATH
	Args []string // with argv[0]
	Env  []string
	Dir  string
	// Files are the child's descriptors 0, 1, 2, and so on.
	Files []uintptr
	Attr  syscall.SysProcAttr
	// Place, if set, calls the function that it gets on a thread, and with a change to the attributes, of its own
	// choice, so that the child is born in a cgroup: the method Start of cgroups.Child.
	Place func(start func(enter func(*syscall.SysProcAttr)) (pid int, err error)) (int, error)
}

// Reaper knows every process that was started through it.
//
// Two locks keep what must not happen apart. While birth is held, from before a fork until the child is registered, no
// child is reaped: so none is before it is known. While mu is held, no child is reaped either, and children cannot
// change: so no signal goes to a PID that was reaped and may be another's. Whoever takes both takes birth first. A
// signal needs mu alone: a fork that hangs, in an execve(2) from a dead network file system, keeps nobody from halting.
type Reaper struct {
	birth  sync.Mutex
	closed atomic.Bool

	mu       sync.Mutex
	children map[int]*Process
	orphans  uint64
}

// Process is a child. Its Status may be read once Done is closed.
type Process struct {
	PID     int
	Started time.Time

	r      *Reaper
	done   chan struct{}
	ended  bool // under r.mu
	status unix.WaitStatus
}

// New makes a Reaper. There must be one in a program.
func New() *Reaper {
	return &Reaper{children: make(map[int]*Process)}
}

// Start starts a process with an empty signal mask and default dispositions. An error of execve(2) is Start's
// error. With a Process, an error says no more than that it runs in the wrong cgroup.
func (r *Reaper) Start(spec Spec) (*Process, error) {
	place := spec.Place
	if place == nil {
		place = onOneThread
	}
	var p *Process
	_, err := place(func(enter func(*syscall.SysProcAttr)) (int, error) {
		attr := spec.Attr
		enter(&attr)
		var err error
		if p, err = r.fork(spec, &attr); err != nil {
			return 0, err
		}
		return p.PID, nil
	})
	return p, err
}

func onOneThread(start func(func(*syscall.SysProcAttr)) (int, error)) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return start(func(*syscall.SysProcAttr) {})
}

// fork runs on a locked thread.
func (r *Reaper) fork(spec Spec, attr *syscall.SysProcAttr) (*Process, error) {
	env := spec.Env
	if env == nil {
		env = []string{} // nil means the caller's own
	}
	signals.CleanMask()
	r.birth.Lock()
	defer r.birth.Unlock()
	if r.closed.Load() {
		return nil, ErrClosed
	}
	pid, err := syscall.ForkExec(spec.Path, spec.Args, &syscall.ProcAttr{Dir: spec.Dir, Env: env, Files: spec.Files, Sys: attr})
	if err != nil {
		return nil, fmt.Errorf("execute %s: %w", spec.Path, err)
	}
	p := &Process{PID: pid, Started: time.Now(), r: r, done: make(chan struct{})}
	r.mu.Lock()
	r.children[pid] = p
	r.mu.Unlock()
	return p, nil
}

// Close refuses every start from now on. One that is under way may still come to an end.
func (r *Reaper) Close() { r.closed.Store(true) }

// Run reaps at each SIGCHLD, which child holds at most one of, until child is closed. After each round it calls
// after, if that is set.
func (r *Reaper) Run(child <-chan os.Signal, after func()) {
	for range child {
		for r.reapSome() {
		}
		if after != nil {
			after()
		}
	}
}

// batch is how many are reaped under one lock, so that a burst keeps nobody else waiting.
const batch = 256

// reapSome takes in children that have ended by now: one SIGCHLD may stand for any number of them. It reports whether
// there may be more.
func (r *Reaper) reapSome() bool {
	r.birth.Lock()
	defer r.birth.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for range batch {
		var status unix.WaitStatus
		// __WALL: also orphans that were cloned with another exit signal.
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return false
		}
		p, ok := r.children[pid]
		if !ok {
			r.orphans++
			continue
		}
		delete(r.children, pid)
		p.status, p.ended = status, true
		close(p.done)
	}
	return true
}

// Orphans counts those reaped that this Reaper had not started.
func (r *Reaper) Orphans() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.orphans
}

// Running counts the processes that were started and have not ended.
func (r *Reaper) Running() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.children)
}

// Done is closed when the process has ended and was reaped.
func (p *Process) Done() <-chan struct{} { return p.done }

// Status is how the process ended.
func (p *Process) Status() unix.WaitStatus {
	<-p.done
	return p.status
}

// Signal sends to the process. The error is ErrEnded after its end, never a signal to a stranger.
func (p *Process) Signal(sig syscall.Signal) error { return p.kill(p.PID, sig) }

// SignalGroup sends to the process group that the process leads.
func (p *Process) SignalGroup(sig syscall.Signal) error { return p.kill(-p.PID, sig) }

func (p *Process) kill(target int, sig syscall.Signal) error {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	if p.ended {
		return ErrEnded
	}
	if err := unix.Kill(target, sig); err != nil {
		return fmt.Errorf("send %s to %d: %w", signals.Name(sig), target, err)
	}
	return nil
}

// ExitCode is a status as a shell gives it: the code, or 128 and the signal's number.
func ExitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// Describe says a status for people.
func Describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "killed by " + signals.Name(status.Signal())
	}
	return fmt.Sprintf("exited with code %d", status.ExitStatus())
}
