package cgroups

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// EnableControllers lets every v2 controller that top has reach path, by
// writing cgroup.subtree_control of top and of each cgroup between. Above top
// it writes nothing: those cgroups are another manager's (under --keep-unit
// top is the unit's own cgroup; else it is "/"). It returns the controllers
// that path then has. Controllers that could not be enabled are in the error;
// it wraps ErrInnerProcesses where a cgroup on the way holds processes. On a
// host without v2 it does nothing.
func (h *Host) EnableControllers(top, path string) ([]string, error) {
	hr, ok := h.v2()
	if !ok {
		return nil, nil
	}
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if !within(path, top) || path == top {
		return nil, &PathError{Path: path, Reason: "not below " + top}
	}
	var errs []error
	for _, p := range ancestors(top, path) {
		errs = append(errs, enableAll(hr.Dir(p)))
	}
	have, err := readValue(hr.Dir(path), "cgroup.controllers")
	if err != nil {
		errs = append(errs, fmt.Errorf("read controllers: %w", err))
	}
	return strings.Fields(have), errors.Join(errs...)
}

// ancestors are top and what lies between it and p, from the top.
func ancestors(top, p string) []string {
	var all []string
	for dir := filepath.Dir(p); within(dir, top); dir = filepath.Dir(dir) {
		all = append(all, dir)
		if dir == top {
			break
		}
	}
	slices.Reverse(all)
	return all
}

// enableAll hands each controller down in a write of its own: one that is
// refused (cpu, if there are realtime processes) must not keep the others.
func enableAll(dir string) error {
	have, err := readValue(dir, "cgroup.controllers")
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	on, err := readValue(dir, "cgroup.subtree_control")
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	enabled := strings.Fields(on)
	var errs []error
	for _, c := range strings.Fields(have) {
		if slices.Contains(enabled, c) {
			continue
		}
		err := writeValue(dir, "cgroup.subtree_control", "+"+c)
		if errors.Is(err, syscall.EBUSY) {
			err = ErrInnerProcesses
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("enable controller %s below %s: %w", c, dir, err))
		}
	}
	return errors.Join(errs...)
}
