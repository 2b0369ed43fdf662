package cgroups

import (
	"errors"
	"fmt"
	"strings"
)

var (
	// ErrNoCgroups: no cgroup file system is mounted where this process can see it.
	ErrNoCgroups = errors.New("no cgroup file system is mounted")

	// ErrNoCgroup: the cgroup is in no hierarchy.
	ErrNoCgroup = errors.New("no such cgroup")

	// ErrNoLeader: the layout's cgroups hold no process that is PID 1 of a
	// PID namespace. The container does not run, or has not come that far.
	ErrNoLeader = errors.New("no PID 1 in the container's cgroup")

	// ErrUnreachable: a process is in a cgroup that no mount of its
	// hierarchy shows to us.
	ErrUnreachable = errors.New("cgroup is outside of what is mounted here")

	// ErrSelf: the caller is itself in the cgroup that it asked to kill.
	ErrSelf = errors.New("the caller is in this cgroup")

	// ErrNotWritable: no hierarchy that tracks processes (name=systemd or
	// v2) can be written.
	ErrNotWritable = errors.New("no writable cgroup hierarchy")

	// ErrInnerProcesses: a v2 cgroup that holds processes cannot hand
	// controllers down (cgroup-v2.rst, "No Internal Process Constraint").
	ErrInnerProcesses = errors.New("cgroup holds processes, so it can hand no controller down")
)

// PathError tells what is wrong with a cgroup path or a container's name.
type PathError struct {
	Path   string
	Reason string
}

func (e *PathError) Error() string { return fmt.Sprintf("cgroup path %q: %s", e.Path, e.Reason) }

// Holder is a process that keeps a cgroup from being removed.
type Holder struct {
	PID  int
	Comm string // from /proc/PID/comm; empty if it could not be read
}

func (h Holder) String() string {
	if h.Comm == "" {
		return fmt.Sprint(h.PID)
	}
	return fmt.Sprintf("%d (%s)", h.PID, h.Comm)
}

// BusyError is a cgroup that still holds processes when the time for
// killing or removing it is over.
type BusyError struct {
	Dir     string // in the file system
	Holders []Holder
}

// shownHolders bounds the message; Holders has them all.
const shownHolders = 8

func (e *BusyError) Error() string {
	if len(e.Holders) == 0 {
		return fmt.Sprintf("cgroup %s is busy without a process in it", e.Dir)
	}
	var names []string
	for i, h := range e.Holders {
		if i == shownHolders {
			names = append(names, fmt.Sprintf("and %d more", len(e.Holders)-i))
			break
		}
		names = append(names, h.String())
	}
	return fmt.Sprintf("cgroup %s is held by %s", e.Dir, strings.Join(names, ", "))
}
