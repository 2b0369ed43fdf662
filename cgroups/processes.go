package cgroups

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Processes lists the PIDs in the cgroup and all below it, over all
// hierarchies, each once and sorted. PIDs are as this process's PID namespace
// numbers them; a process that it does not show is left out. A cgroup that is
// not there holds none.
func (h *Host) Processes(path string) ([]int, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	return h.processesIn(h.places(path))
}

func (h *Host) processesIn(places []place) ([]int, error) {
	var pids []int
	for _, p := range places {
		err := walk(p.dir, func(cgroup *os.Root) error {
			here, err := h.processesOf(cgroup)
			pids = append(pids, here...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list processes: %w", err)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}

// processesOf lists the processes of this one cgroup. A threaded v2 cgroup
// refuses cgroup.procs (cgroup-v2.rst, "Threads"): its threads tell the processes.
func (h *Host) processesOf(cgroup *os.Root) ([]int, error) {
	data, err := cgroup.ReadFile("cgroup.procs")
	if errors.Is(err, syscall.EOPNOTSUPP) {
		return h.threadGroups(cgroup)
	}
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return parsePIDs(data)
}

func (h *Host) threadGroups(cgroup *os.Root) ([]int, error) {
	data, err := cgroup.ReadFile("cgroup.threads")
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tids, err := parsePIDs(data)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, tid := range tids {
		// A thread that ended meanwhile has no status left.
		if s, err := h.readStatus(tid); err == nil && s.tgid > 0 {
			pids = append(pids, s.tgid)
		}
	}
	return pids, nil
}

// parsePIDs reads a PID a line. 0 stands for a process that our PID
// namespace does not show.
func parsePIDs(data []byte) ([]int, error) {
	var pids []int
	for line := range bytes.Lines(data) {
		pid, err := strconv.Atoi(string(bytes.TrimSpace(line)))
		if err != nil || pid < 0 {
			return nil, fmt.Errorf("process list: %q is no PID", bytes.TrimSpace(line))
		}
		if pid > 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// status is what is needed of /proc/PID/status, proc_pid_status(5).
type status struct {
	tgid  int
	nspid []int // the PID in each namespace, ours first; nil before Linux 4.1
}

func (h *Host) readStatus(pid int) (status, error) {
	data, err := os.ReadFile(filepath.Join(h.proc, strconv.Itoa(pid), "status"))
	if err != nil {
		return status{}, err
	}
	return parseStatus(data), nil
}

func parseStatus(data []byte) status {
	var s status
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(string(line), ":")
		switch key {
		case "Tgid":
			s.tgid, _ = strconv.Atoi(strings.TrimSpace(value))
		case "NSpid":
			for _, f := range strings.Fields(value) {
				n, err := strconv.Atoi(f)
				if err != nil {
					return s
				}
				s.nspid = append(s.nspid, n)
			}
		}
	}
	return s
}

// holders names processes for people.
func (h *Host) holders(pids []int) []Holder {
	var all []Holder
	for _, pid := range pids {
		comm, err := readValue(filepath.Join(h.proc, strconv.Itoa(pid)), "comm")
		if err != nil {
			comm = ""
		}
		all = append(all, Holder{PID: pid, Comm: comm})
	}
	return all
}
