package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// removePatience bounds Remove when its context has no deadline.
	removePatience = 10 * time.Second
	// The steps of waiting for a busy cgroup that gives no notice: v1 has
	// none, and the kernel lets go of an empty cgroup a little after its
	// last process ended.
	firstPause = time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// Remove removes the cgroup and all below it from every hierarchy, the
// deepest first. One that still holds processes is waited for until ctx ends
// (10 seconds if ctx has no deadline): by cgroup.events on v2, by the
// processes' pidfds on v1. Then the error holds a *BusyError that names the
// processes. A cgroup that is not there is no error, nor is a hierarchy that
// is mounted read-only.
func (h *Host) Remove(ctx context.Context, path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	return h.removeIn(ctx, h.places(path))
}

func (h *Host) removeIn(ctx context.Context, places []place) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, removePatience)
		defer cancel()
	}
	var errs []error
	for _, p := range places {
		if p.hierarchy.ReadOnly {
			continue
		}
		if err := h.removePlace(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("remove: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (h *Host) removePlace(ctx context.Context, p place) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := removeTree(unix.AT_FDCWD, p.dir)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY) {
			return fmt.Errorf("cgroup %s: %w", p.dir, err)
		}
		pids, perr := h.processesIn([]place{p})
		if perr != nil {
			return perr
		}
		if ctx.Err() != nil {
			return &BusyError{Dir: p.dir, Holders: h.holders(pids)}
		}
		if err := p.awaitChange(ctx, pids, pause); err != nil {
			return err
		}
	}
}

// awaitChange returns when it is worth to try again.
func (p place) awaitChange(ctx context.Context, pids []int, pause time.Duration) error {
	if len(pids) > 0 && p.hierarchy.V2 {
		return awaitEmpty(ctx, p.dir, removePatience)
	}
	open := openProcesses(pids, openAtOnce)
	defer closeProcesses(open)
	if len(open) > 0 && open[0].fd >= 0 {
		// A process may also leave the cgroup, which no pidfd tells.
		_, err := readable(ctx, []int{open[0].fd}, lastPause)
		return err
	}
	_, err := readable(ctx, nil, pause)
	return err
}

// removeTree tries the cgroup itself first: mostly nothing is below. A
// concurrent remover or a payload that makes more cgroups is no error here,
// the caller tries again.
func removeTree(parent int, name string) error {
	err := unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := removeBelow(fd, name); err != nil {
		return err
	}
	err = unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

// removeBelow goes on after one that is busy: as much as can go goes.
// It closes fd.
func removeBelow(fd int, name string) error {
	d := os.NewFile(uintptr(fd), name)
	defer d.Close()
	entries, err := d.ReadDir(-1)
	if err != nil && !gone(err) {
		return err
	}
	var first error
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := removeTree(fd, e.Name()); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Prune removes the layout's parent if nothing is left in it. Who makes
// cgroups below it at the same time may find it gone between making it and
// making its own: Create and Join make it again; libcontainer does not, so
// call Create before. An occupied parent is no error.
func (h *Host) Prune(parent string) error {
	if err := checkPath(parent); err != nil {
		return err
	}
	for _, p := range h.places(path.Clean(parent)) {
		err := unix.Rmdir(p.dir)
		switch {
		case err == nil, p.hierarchy.ReadOnly:
		case errors.Is(err, unix.EBUSY), errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.ENOENT):
		default:
			return fmt.Errorf("remove cgroup %s: %w", p.dir, err)
		}
	}
	return nil
}
