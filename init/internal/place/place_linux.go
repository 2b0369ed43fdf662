// Package place keeps PID 1 alone in its cgroup: what it starts is born in a cgroup below, and its own threads but the
// first are moved into another. Its input is the cgroup tree as mounted in the container, its output are a Place for
// reap.Spec; between the boot steps and the service.
//
//	PID 1's own cgroup, "system" under firn      PID 1, and on v1 its main thread only
//	  firn-init.threads                          v1's named hierarchy: PID 1's other threads
//	  system.slice/NAME                          what it starts
package place

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"firn/cgroups"
)

// Starter starts a process somewhere; see reap.Spec.
type Starter = func(start func(enter func(*syscall.SysProcAttr)) (pid int, err error)) (int, error)

// Cgroups is the tree below PID 1's own cgroup.
type Cgroups struct {
	host    *cgroups.Host
	threads *cgroups.Child

	mu       sync.Mutex
	services map[string]*cgroups.Child
}

// Find looks at what is mounted. The error wraps cgroups.ErrNoCgroups if that is nothing.
func Find() (*Cgroups, error) {
	host, err := cgroups.Discover()
	if err != nil {
		return nil, err
	}
	return &Cgroups{host: host, services: make(map[string]*cgroups.Child)}, nil
}

// passes is how often PID 1's threads are looked for: one that was being made by another, not yet moved, is found in
// the second pass, and whatever it made by then in the third. Threads made after come from moved ones, since the main
// goroutine is locked to the main thread.
const passes = 3

// MoveThreads leaves the main thread alone in PID 1's cgroup.
func (c *Cgroups) MoveThreads() error {
	child, err := c.host.Child("firn-init.threads")
	if err != nil {
		return fmt.Errorf("place threads: %w", err)
	}
	c.threads = child
	return c.sweep()
}

func (c *Cgroups) sweep() error {
	for range passes {
		if err := c.threads.MoveThreads(); err != nil {
			return fmt.Errorf("place threads: %w", err)
		}
	}
	return nil
}

// Service gives a Starter for the service of a name, after MoveThreads. Without a cgroup that can be written it is nil, with the error.
func (c *Cgroups) Service(name string) (Starter, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	child := c.services[name]
	if child == nil {
		var err error
		if child, err = c.host.Child("system.slice/" + name); err != nil {
			return nil, err
		}
		c.services[name] = child
	}
	return func(start func(enter func(*syscall.SysProcAttr)) (int, error)) (int, error) {
		// The thread that has started it is back in PID 1's cgroup then, not where it was.
		defer func() { _ = c.sweep() }()
		return child.Start(start)
	}, nil
}

// Absent reports whether an error says no more than that this system has no cgroups for PID 1 to use.
func Absent(err error) bool {
	return errors.Is(err, cgroups.ErrNoCgroups) || errors.Is(err, cgroups.ErrNotWritable)
}
