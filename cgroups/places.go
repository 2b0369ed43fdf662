package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// place is one cgroup's directory in one hierarchy. A container has one in
// each hierarchy; what it is asked for is asked of all.
type place struct {
	hierarchy Hierarchy
	dir       string
}

// places are the directories of path that exist.
func (h *Host) places(path string) []place {
	var found []place
	for _, hr := range h.Hierarchies {
		if dir := hr.Dir(path); isDir(dir) {
			found = append(found, place{hierarchy: hr, dir: dir})
		}
	}
	return found
}

func isDir(dir string) bool {
	info, err := os.Lstat(dir)
	return err == nil && info.IsDir()
}

// gone tells that a cgroup vanished while it was looked at. Reading a file
// of a cgroup that was removed after the open gives ENODEV.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENODEV)
}

// refused tells that a hierarchy cannot be written by us at all, by mount
// or by permission: other than an error about one cgroup in it.
func refused(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// walk visits the cgroup dir and all below it, parents first. Each is
// opened from its parent's descriptor: a payload may nest cgroups until
// their path is longer than a path can be, and must not escape us by that.
// A cgroup that vanishes meanwhile is not an error.
func walk(dir string, visit func(cgroup *os.Root) error) error {
	root, err := os.OpenRoot(dir)
	if gone(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open cgroup: %w", err)
	}
	return descend(root, visit)
}

func descend(cgroup *os.Root, visit func(*os.Root) error) error {
	defer cgroup.Close()
	if err := visit(cgroup); err != nil {
		return err
	}
	names, err := children(cgroup)
	if err != nil {
		return err
	}
	for _, name := range names {
		child, err := cgroup.OpenRoot(name)
		if gone(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("open cgroup: %w", err)
		}
		if err := descend(child, visit); err != nil {
			return err
		}
	}
	return nil
}

// children are the names of the cgroups right below.
func children(cgroup *os.Root) ([]string, error) {
	d, err := cgroup.Open(".")
	if err != nil {
		if gone(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("open cgroup: %w", err)
	}
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil && !gone(err) {
		return nil, fmt.Errorf("list cgroup: %w", err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Containers lists the names of the containers below parent, sorted, in
// whatever hierarchy they are found: one that is half gone still counts.
func (h *Host) Containers(parent string) ([]string, error) {
	var names []string
	for _, hr := range h.Hierarchies {
		entries, err := os.ReadDir(hr.Dir(parent))
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list containers: %w", err)
		}
		for _, e := range entries {
			if name, ok := nameOf(e.Name()); ok && e.IsDir() {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// readValue reads a file with one line.
func readValue(dir, file string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, file))
	return strings.TrimSpace(string(data)), err
}

// writeValue writes in one write(2), as cgroup files need it. It never
// makes the file: in a cgroup file system there is nothing to make.
func writeValue(dir, file, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, file), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}
