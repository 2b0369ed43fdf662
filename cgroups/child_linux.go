package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Child is a cgroup below the caller's own, in every hierarchy that the
// caller may write. A container's PID 1 starts its processes there and so
// stays alone in its own cgroup, where a stop script looks for it.
type Child struct {
	host    *Host
	places  []place
	own     map[string]string // by place.dir: the cgroup that the caller was in
	v2      *os.File          // for CLONE_INTO_CGROUP; nil without v2
	noClone atomic.Bool       // clone3 did not take it

	// starting is held for reading by a Start whose thread is in the Child,
	// and for writing by Kill: v1's freezer would stop that thread, and a
	// collection of garbage that waits for it would stop the one to thaw it.
	starting sync.RWMutex
}

// Child makes the cgroup name, a single path component or more ("system.slice/x"),
// below the calling process's own cgroup in each hierarchy. Other than with
// Create the places may have different paths. The error wraps ErrNotWritable
// if there is no writable hierarchy at all. Close the Child after use.
func (h *Host) Child(name string) (*Child, error) {
	if err := checkPath("/" + name); err != nil {
		return nil, err
	}
	memberships, err := h.memberships(os.Getpid())
	if err != nil {
		return nil, err
	}
	c := &Child{host: h, own: make(map[string]string)}
	for _, hr := range h.Hierarchies {
		own, err := hr.own(memberships)
		if err != nil || hr.ReadOnly {
			continue
		}
		p := path.Join(own, name)
		err = makeDirs(hr, p)
		if refused(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make cgroup %s: %w", hr.Dir(p), err)
		}
		c.places = append(c.places, place{hierarchy: hr, dir: hr.Dir(p)})
		c.own[hr.Dir(p)] = hr.Dir(own)
	}
	if len(c.places) == 0 {
		return nil, fmt.Errorf("make cgroup %s: %w", name, ErrNotWritable)
	}
	return c, c.open()
}

// open gets the descriptor that clone3 wants.
func (c *Child) open() error {
	for _, p := range c.places {
		if !p.hierarchy.V2 {
			continue
		}
		f, err := os.Open(p.dir)
		if err != nil {
			return fmt.Errorf("open cgroup: %w", err)
		}
		c.v2 = f
	}
	return nil
}

// Close lets go of the Child; the cgroup stays.
func (c *Child) Close() error {
	if c.v2 == nil {
		return nil
	}
	return c.v2.Close()
}

// Start runs start such that the process that it makes is born in the
// cgroup, not moved there: no instant exists at which it is seen beside the
// caller, and no write to cgroup.procs waits for the kernel's lock on forks.
//
// start gets a function to be called on the SysProcAttr it will use, and
// returns the new PID. It runs on a thread that stands in the v1 cgroups for
// the while (never the main thread, since the main thread's place is PID 1's
// place), and on v2 the attribute makes clone3 do it. Where the kernel or a
// seccomp filter has no clone3, start is called a second time, and the process
// is moved after its birth.
func (c *Child) Start(start func(enter func(*syscall.SysProcAttr)) (pid int, err error)) (int, error) {
	type result struct {
		pid int
		err error
	}
	done := make(chan result, 1)
	offMainThread(func() {
		pid, err := c.startHere(start)
		done <- result{pid, err}
	})
	r := <-done
	return r.pid, r.err
}

// offMainThread runs f in a goroutine that is locked to a thread other than
// the process's first.
func offMainThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			// Not unlocked unless f does: see startHere.
			f()
			return
		}
		// While we hold the main thread, the next goroutine gets another.
		done := make(chan struct{})
		offMainThread(func() { defer close(done); f() })
		<-done
		runtime.UnlockOSThread()
	}()
}

// startHere runs on a locked thread. If the thread cannot be moved back it
// stays locked and so ends with its goroutine. It is moved back rather than
// always ended because a process's parent-death signal hangs on the thread
// that made it (prctl(2), PR_SET_PDEATHSIG).
func (c *Child) startHere(start func(func(*syscall.SysProcAttr)) (int, error)) (int, error) {
	c.starting.RLock()
	defer c.starting.RUnlock()
	home, err := c.enterThread()
	if err != nil {
		if leaveThread(home) {
			runtime.UnlockOSThread()
		}
		return 0, err
	}
	pid, cloned, err := c.attempt(start)
	if leaveThread(home) {
		runtime.UnlockOSThread()
	}
	if err != nil || c.v2 == nil || cloned {
		return pid, err
	}
	for _, p := range c.places {
		if p.hierarchy.V2 {
			if err := p.add(pid); err != nil {
				return pid, fmt.Errorf("move process %d to cgroup %s: %w", pid, p.dir, err)
			}
		}
	}
	return pid, nil
}

// attempt runs start with clone3 and, where there is none, without. cloned
// tells whether clone3 put the process in the v2 cgroup.
func (c *Child) attempt(start func(func(*syscall.SysProcAttr)) (int, error)) (pid int, cloned bool, err error) {
	if c.v2 != nil && !c.noClone.Load() {
		pid, err := start(func(attr *syscall.SysProcAttr) {
			attr.UseCgroupFD = true
			attr.CgroupFD = int(c.v2.Fd())
		})
		// E2BIG: a clone3 that knows no cgroup (Linux 5.3 to 5.6). It is also
		// execve's, for too many arguments: then it comes again.
		if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.E2BIG) {
			return pid, true, err
		}
	}
	pid, err = start(func(*syscall.SysProcAttr) {})
	if err == nil {
		c.noClone.Store(true)
	}
	return pid, false, err
}

// enterThread moves the calling thread alone: v1 keeps cgroups by thread,
// and "0" written to tasks is the writer. It returns the directories to go back
// to: the thread may have been elsewhere than its process, see MoveThreads.
func (c *Child) enterThread() (home []string, err error) {
	if !slices.ContainsFunc(c.places, func(p place) bool { return !p.hierarchy.V2 }) {
		return nil, nil
	}
	memberships, err := c.host.memberships(unix.Gettid())
	if err != nil {
		return nil, err
	}
	for _, p := range c.places {
		if p.hierarchy.V2 {
			continue
		}
		own, err := p.hierarchy.own(memberships)
		if err != nil {
			return home, err
		}
		if err := writeValue(p.dir, "tasks", "0"); err != nil {
			return home, fmt.Errorf("enter cgroup %s: %w", p.dir, err)
		}
		home = append(home, p.hierarchy.Dir(own))
	}
	return home, nil
}

func leaveThread(home []string) (ok bool) {
	ok = true
	for _, dir := range home {
		ok = writeValue(dir, "tasks", "0") == nil && ok
	}
	return ok
}

// Add moves a process that already runs, with all its threads.
func (c *Child) Add(pid int) error {
	for _, p := range c.places {
		if err := p.add(pid); err != nil {
			return fmt.Errorf("move process %d to cgroup %s: %w", pid, p.dir, err)
		}
	}
	return nil
}

// MoveThreads moves each thread of the calling process but the first to the
// Child, in v1's named hierarchies. v1's tasks file lists threads, and a
// program in Go has several: the old stop script, which takes each line of
// tasks for PID 1, then sees one. The runtime makes threads when it likes, so
// this is to be called again; it costs one read where there is nothing to do.
// Give the threads a Child of their own: it cannot be removed while they live.
func (c *Child) MoveThreads() error {
	self := os.Getpid()
	for _, p := range c.places {
		if p.hierarchy.Named == "" {
			continue
		}
		data, err := os.ReadFile(filepath.Join(c.own[p.dir], "tasks"))
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		tids, err := parsePIDs(data)
		if err != nil {
			return fmt.Errorf("list threads: %w", err)
		}
		if len(tids) == 1 {
			continue
		}
		for _, tid := range ownThreads(tids, self) {
			err := writeValue(p.dir, "tasks", strconv.Itoa(tid))
			if err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("move thread %d to cgroup %s: %w", tid, p.dir, err)
			}
		}
	}
	return nil
}

// ownThreads are those of tids that are this process's, the first excepted.
func ownThreads(tids []int, self int) []int {
	return slices.DeleteFunc(tids, func(tid int) bool {
		if tid == self {
			return true
		}
		_, err := os.Lstat(filepath.Join(procDir, "self/task", strconv.Itoa(tid)))
		return err != nil
	})
}

// Processes lists the processes in the Child and below, as Host.Processes
// does, without the caller.
func (c *Child) Processes() ([]int, error) {
	pids, err := c.host.processesIn(c.places)
	self := os.Getpid()
	return slices.DeleteFunc(pids, func(pid int) bool { return pid == self }), err
}

// Kill is Host.Kill for the Child. It waits for each Start that has begun,
// and holds up those that have not: start must not call it.
func (c *Child) Kill() error {
	c.starting.Lock()
	defer c.starting.Unlock()
	return c.host.killAll(c.places, c.Processes)
}

// Remove is Host.Remove for the Child.
func (c *Child) Remove(ctx context.Context) error { return c.host.removeIn(ctx, c.places) }

// String names the Child by its directories, for messages.
func (c *Child) String() string {
	var dirs []string
	for _, p := range c.places {
		dirs = append(dirs, p.dir)
	}
	return strings.Join(dirs, " ")
}
