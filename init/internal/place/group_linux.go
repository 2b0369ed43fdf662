package place

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/cgroups"
)

// Group is the control group of one unit.
type Group struct {
	all   *Cgroups
	child *cgroups.Child
	path  string // below PID 1's own
	oom   uint64 // kills that were told
}

// Unit makes the control group of a unit in a slice, after MoveThreads.
func (c *Cgroups) Unit(slice, name string) (*Group, error) {
	path := slicePath(slice) + "/" + name
	child, err := c.host.Child(path)
	if err != nil {
		return nil, err
	}
	return &Group{all: c, child: child, path: path}, nil
}

// slicePath gives the directories of a slice: a-b.slice is in a.slice (systemd.slice(5)).
func slicePath(slice string) string {
	stem, ok := strings.CutSuffix(slice, ".slice")
	if !ok || stem == "-" || stem == "" {
		return "system.slice"
	}
	var path []string
	for i, c := range stem {
		if c == '-' {
			path = append(path, stem[:i]+".slice")
		}
	}
	return strings.Join(append(path, slice), "/")
}

// Start is execute.Place.
func (g *Group) Start(start func(enter func(*syscall.SysProcAttr)) (int, error)) (int, error) {
	// The thread that has started it is back in PID 1's cgroup then, not where it was.
	defer func() { _ = g.all.sweep() }()
	return g.child.Start(start)
}

// Limit sets limits, as far as this system can.
func (g *Group) Limit(l cgroups.Limits) error { return g.child.Limit(l) }

// Processes lists the PIDs in it.
func (g *Group) Processes() ([]int, error) { return g.child.Processes() }

// Has reports whether a process is in it, or below.
func (g *Group) Has(pid int) bool {
	pids, err := g.Processes()
	return err == nil && slices.Contains(pids, pid)
}

// Empty reports whether nothing is in it.
func (g *Group) Empty() bool {
	pids, err := g.Processes()
	return err != nil || len(pids) == 0
}

// rounds is how often Signal looks again for processes that were made meanwhile, when it kills.
const rounds = 5

// Signal signals all but some processes, and counts them.
func (g *Group) Signal(sig syscall.Signal, except map[int]bool) (int, error) {
	done := make(map[int]bool)
	for range rounds {
		pids, err := g.Processes()
		if err != nil {
			return len(done), err
		}
		fresh := 0
		for _, pid := range pids {
			if except[pid] || done[pid] {
				continue
			}
			if err := unix.Kill(pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
				return len(done), fmt.Errorf("signal process %d: %w", pid, err)
			}
			done[pid] = true
			fresh++
		}
		if fresh == 0 || sig != unix.SIGKILL {
			break
		}
	}
	return len(done), nil
}

// OOMKilled reports whether the kernel has killed in it for want of memory since it was asked last (cgroup-v2.rst,
// memory.events; cgroup-v1/memory.rst, memory.oom_control).
func (g *Group) OOMKilled() bool {
	var count uint64
	for _, dir := range strings.Fields(g.child.String()) {
		for _, file := range []string{"memory.events", "memory.oom_control"} {
			text, err := os.ReadFile(dir + "/" + file)
			if err != nil {
				continue
			}
			for line := range strings.Lines(string(text)) {
				var n uint64
				if _, err := fmt.Sscanf(line, "oom_kill %d", &n); err == nil {
					count += n
				}
			}
		}
	}
	killed := count > g.oom
	g.oom = count
	return killed
}

// removePatience: a process that has just ended holds its cgroup a moment longer.
const removePatience = 50 * time.Millisecond

// Remove removes it.
func (g *Group) Remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removePatience)
	defer cancel()
	return errors.Join(g.child.Remove(ctx), g.child.Close())
}
