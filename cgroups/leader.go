package cgroups

import (
	"fmt"
	"os"
)

// Leader finds the container's PID 1 by the layout alone: in Payload, or in
// init.scope below it, where a systemd moves itself to. Hierarchies are asked
// in order: name=systemd, v2, then the others, since a payload that may write
// a hierarchy may also leave it.
//
// Payload may hold more than PID 1 for a while (a systemd that forked before
// it moved, a runtime's stages before the payload starts). PID 1 is the one
// that is number 1 in its PID namespace, and if several are, the outermost:
// the payload may have made PID namespaces of its own.
//
// The error wraps ErrNoLeader if there is none. The PID can be reused: open a
// pidfd and call Leader again, or compare start times, before trusting it.
func (h *Host) Leader(l Layout) (int, error) {
	if err := l.Check(); err != nil {
		return 0, err
	}
	for _, hr := range h.Hierarchies {
		var pids []int
		for _, p := range l.leaderPaths() {
			here, err := h.processesAt(hr.Dir(p))
			if err != nil {
				return 0, fmt.Errorf("look for PID 1 of %s: %w", l.Name, err)
			}
			pids = append(pids, here...)
		}
		if pid := h.leaderAmong(pids); pid > 0 {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("container %s: %w", l.Name, ErrNoLeader)
}

func (h *Host) processesAt(dir string) ([]int, error) {
	cgroup, err := os.OpenRoot(dir)
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer cgroup.Close()
	return h.processesOf(cgroup)
}

// leaderAmong picks the outermost process that is PID 1 of a namespace
// below ours, or 0. A kernel without NSpid (before 4.1) cannot tell: there a
// process alone in the cgroup is taken.
func (h *Host) leaderAmong(pids []int) int {
	leader, depth, blind := 0, 0, false
	for _, pid := range pids {
		s, err := h.readStatus(pid)
		if err != nil {
			continue // it ended meanwhile
		}
		n := len(s.nspid)
		blind = blind || n == 0
		if n < 2 || s.nspid[n-1] != 1 {
			continue
		}
		if leader == 0 || n < depth {
			leader, depth = pid, n
		}
	}
	if leader == 0 && blind && len(pids) == 1 {
		return pids[0]
	}
	return leader
}
