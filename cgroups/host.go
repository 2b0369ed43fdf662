package cgroups

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Mode is the way a host mounts its cgroups.
type Mode int

const (
	Legacy  Mode = iota + 1 // v1 hierarchies only
	Hybrid                  // v1 hierarchies, and cgroup2 beside them
	Unified                 // cgroup2 at /sys/fs/cgroup
)

func (m Mode) String() string {
	switch m {
	case Legacy:
		return "legacy"
	case Hybrid:
		return "hybrid"
	case Unified:
		return "unified"
	}
	return fmt.Sprintf("mode %d", int(m))
}

// MarshalText makes JSON show the word.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Hierarchy is one mounted cgroup hierarchy.
type Hierarchy struct {
	Controllers []string // v1: from the mount; v2: filled in by Discover only
	Named       string   // v1: "systemd" for name=systemd; else empty
	MountPoint  string
	Root        string // what part of the hierarchy is mounted; "/" is all
	V2          bool
	ReadOnly    bool
}

// Dir is the directory of the cgroup path in this hierarchy.
func (hr Hierarchy) Dir(path string) string { return filepath.Join(hr.MountPoint, path) }

// Has tells whether the hierarchy carries the controller.
func (hr Hierarchy) Has(controller string) bool { return slices.Contains(hr.Controllers, controller) }

func (hr Hierarchy) String() string {
	switch {
	case hr.V2:
		return "v2"
	case hr.Named != "":
		return "name=" + hr.Named
	}
	return strings.Join(hr.Controllers, ",")
}

// tracks tells whether a manager of processes keeps its books here:
// systemd's own v1 hierarchy, or v2.
func (hr Hierarchy) tracks() bool { return hr.V2 || hr.Named == systemdName }

const (
	systemdName = "systemd"
	cgroupDir   = "/sys/fs/cgroup"
	procDir     = "/proc"
)

// v1Controllers are the names that may stand among a v1 mount's options
// (kernel/cgroup/cgroup-v1.c and include/linux/cgroup_subsys.h). All other
// options are not controllers: rw, xattr, noprefix, release_agent=...
var v1Controllers = []string{
	"blkio", "cpu", "cpuacct", "cpuset", "debug", "devices", "freezer",
	"hugetlb", "memory", "misc", "net_cls", "net_prio", "perf_event", "pids", "rdma",
}

// Host is what is mounted. Hierarchies stand in the order in which a
// process is looked up: name=systemd, v2, then the others as mounted.
type Host struct {
	Mode        Mode
	Hierarchies []Hierarchy

	proc string // /proc, or a test's
	kill func(dir string) error
}

// Discover reads this process's mounts. The error is ErrNoCgroups where
// nothing is mounted.
func Discover() (*Host, error) {
	f, err := os.Open(procDir + "/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("read mounts: %w", err)
	}
	defer f.Close()
	h, err := ParseHost(f)
	if err != nil {
		return nil, err
	}
	for i := range h.Hierarchies {
		hr := &h.Hierarchies[i]
		if !hr.V2 {
			continue
		}
		// A cgroup namespace's root may lack the file on kernels before 4.5.
		if data, err := os.ReadFile(filepath.Join(hr.MountPoint, "cgroup.controllers")); err == nil {
			hr.Controllers = strings.Fields(string(data))
		}
	}
	return h, nil
}

// ParseHost reads a mountinfo file, proc_pid_mountinfo(5). It is pure.
func ParseHost(mountinfo io.Reader) (*Host, error) {
	mounts, err := parseMountinfo(mountinfo)
	if err != nil {
		return nil, err
	}
	var seen []Hierarchy
	for _, m := range mounts {
		if hr, ok := hierarchyOf(m); ok && !hidden(mounts, m) {
			seen = append(seen, hr)
		}
	}
	chosen := choose(seen)
	if len(chosen) == 0 {
		return nil, ErrNoCgroups
	}
	return &Host{Mode: modeOf(chosen), Hierarchies: chosen, proc: procDir, kill: writeKill}, nil
}

func hierarchyOf(m mount) (Hierarchy, bool) {
	hr := Hierarchy{MountPoint: m.point, Root: m.root, ReadOnly: m.readOnly}
	switch m.fstype {
	case "cgroup2":
		hr.V2 = true
		return hr, true
	case "cgroup":
		for _, o := range m.super {
			if name, ok := strings.CutPrefix(o, "name="); ok {
				hr.Named = name
			} else if slices.Contains(v1Controllers, o) {
				hr.Controllers = append(hr.Controllers, o)
			}
		}
		return hr, hr.Named != "" || len(hr.Controllers) > 0
	}
	return Hierarchy{}, false
}

// choose keeps one mount for each hierarchy and orders them. A hierarchy
// can be mounted many times: a container's own view below its root
// directory, a bind mount of a part. Where cgroup2 is /sys/fs/cgroup itself
// the host is Unified, and a v1 hierarchy that some program mounted elsewhere
// for itself (net_cls, often) is not the host's: libcontainer sees it so too.
func choose(seen []Hierarchy) []Hierarchy {
	unified := slices.ContainsFunc(seen, func(hr Hierarchy) bool {
		return hr.V2 && hr.MountPoint == cgroupDir
	})
	slices.SortStableFunc(seen, func(a, b Hierarchy) int {
		return cmp.Or(
			cmp.Compare(order(a), order(b)),
			falseFirst(!within(a.MountPoint, cgroupDir), !within(b.MountPoint, cgroupDir)),
			falseFirst(a.Root != "/", b.Root != "/"),
			falseFirst(a.ReadOnly, b.ReadOnly),
		)
	})
	var chosen []Hierarchy
	have := make(map[string]bool)
	// A controller is in one hierarchy only, so the first decides.
	for _, hr := range seen {
		key := hr.String()
		if have[key] || unified && !hr.V2 {
			continue
		}
		have[key] = true
		chosen = append(chosen, hr)
	}
	return chosen
}

func order(hr Hierarchy) int {
	switch {
	case hr.Named == systemdName:
		return 0
	case hr.V2:
		return 1
	}
	return 2
}

func falseFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func modeOf(hierarchies []Hierarchy) Mode {
	var v1, v2 bool
	for _, hr := range hierarchies {
		v1, v2 = v1 || !hr.V2, v2 || hr.V2
	}
	switch {
	case v1 && v2:
		return Hybrid
	case v2:
		return Unified
	}
	return Legacy
}

// carrier finds the v1 hierarchy that carries a controller, else v2.
// The same controller is never usable in both.
func (h *Host) carrier(controller string) (Hierarchy, bool) {
	for _, hr := range h.Hierarchies {
		if !hr.V2 && hr.Has(controller) {
			return hr, true
		}
	}
	return h.v2()
}

func (h *Host) v2() (Hierarchy, bool) {
	for _, hr := range h.Hierarchies {
		if hr.V2 {
			return hr, true
		}
	}
	return Hierarchy{}, false
}

// Exists tells whether the cgroup is there in any hierarchy.
func (h *Host) Exists(path string) bool { return len(h.places(path)) > 0 }
