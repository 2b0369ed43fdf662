package cgroups

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Create makes the cgroup and its parents in every hierarchy that can be
// written. The error wraps ErrNotWritable if neither name=systemd nor v2 can.
func (h *Host) Create(path string) error {
	_, err := h.create(path)
	return err
}

func (h *Host) create(path string) ([]place, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	var made []place
	tracked := false
	for _, hr := range h.Hierarchies {
		if hr.ReadOnly {
			continue
		}
		err := makeDirs(hr, path)
		if refused(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make cgroup %s: %w", hr.Dir(path), err)
		}
		made = append(made, place{hierarchy: hr, dir: hr.Dir(path)})
		tracked = tracked || hr.tracks()
	}
	if !tracked {
		return made, fmt.Errorf("make cgroup %s: %w", path, ErrNotWritable)
	}
	return made, nil
}

// makeTries bounds makeDirs against a parent that is always gone again.
const makeTries = 100

// makeDirs makes each directory on the way to path. A parent that is removed
// between its making and its child's (Prune, at another container's end) is
// made again: once it has a child it stays.
func makeDirs(hr Hierarchy, path string) (err error) {
	for range makeTries {
		if err = makeChain(hr, path); !gone(err) {
			return err
		}
	}
	return err
}

func makeChain(hr Hierarchy, path string) error {
	dir := hr.MountPoint
	for _, name := range strings.Split(strings.Trim(path, "/"), "/") {
		dir = filepath.Join(dir, name)
		if err := makeDir(hr, dir); err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes one cgroup. A new v1 cpuset has no CPU and no memory node,
// and refuses every process until it has (cpusets.rst): it gets its parent's.
func makeDir(hr Hierarchy, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if hr.V2 || !hr.Has("cpuset") {
		return nil
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := readValue(dir, file)
		if err != nil || value != "" {
			continue
		}
		inherited, err := readValue(filepath.Dir(dir), file)
		if err != nil {
			return err
		}
		if err := writeValue(dir, file, inherited); err != nil {
			return err
		}
	}
	return nil
}

// Join makes the cgroup as Create does and moves the process, all its
// threads with it, there in each hierarchy that allows it. The error wraps
// ErrNotWritable if the process could be moved in neither name=systemd nor v2.
func (h *Host) Join(path string, pid int) error {
	places, err := h.create(path)
	if err != nil {
		return err
	}
	tracked := false
	for _, p := range places {
		err := p.add(pid)
		if refused(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("move process %d to cgroup %s: %w", pid, p.dir, err)
		}
		tracked = tracked || p.hierarchy.tracks()
	}
	if !tracked {
		return fmt.Errorf("move process %d to cgroup %s: %w", pid, path, ErrNotWritable)
	}
	return nil
}

// MoveSelf is Join for the calling process.
func (h *Host) MoveSelf(path string) error { return h.Join(path, os.Getpid()) }

func (p place) add(pid int) error {
	return writeValue(p.dir, "cgroup.procs", strconv.Itoa(pid))
}
