package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// readable waits until one of fds is readable, for at most limit and until
// ctx ends; index is -1 then. Fds below zero are passed over.
func readable(ctx context.Context, fds []int, limit time.Duration) (index int, err error) {
	cancel, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return -1, fmt.Errorf("make eventfd: %w", err)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		// An eventfd takes one 64-bit count; any non-zero wakes poll.
		_, _ = unix.Write(cancel, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
	// The descriptor's number may be reused as soon as it is closed: a
	// function that has begun must have written before.
	defer func() {
		if !stop() {
			<-woken
		}
		unix.Close(cancel)
	}()

	set := make([]unix.PollFd, 0, len(fds)+1)
	for _, fd := range fds {
		set = append(set, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	set = append(set, unix.PollFd{Fd: int32(cancel), Events: unix.POLLIN})
	if err := pollUntil(set, time.Now().Add(limit)); err != nil {
		return -1, err
	}
	for i := range fds {
		if set[i].Revents != 0 {
			return i, nil
		}
	}
	return -1, nil
}

func pollUntil(set []unix.PollFd, deadline time.Time) error {
	for {
		left := max(time.Until(deadline), 0)
		// Rounded up: poll must not return before the deadline, again and again.
		_, err := unix.Poll(set, int((left+time.Millisecond-1)/time.Millisecond))
		if !errors.Is(err, unix.EINTR) {
			if err != nil {
				return fmt.Errorf("poll: %w", err)
			}
			return nil
		}
	}
}

// awaitEmpty waits for v2's notice that a cgroup and all below it hold no
// process (cgroup.events, "populated"). It returns early on any doubt: the
// caller looks again.
func awaitEmpty(ctx context.Context, dir string, limit time.Duration) error {
	notify, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("make inotify: %w", err)
	}
	defer unix.Close(notify)
	events := filepath.Join(dir, "cgroup.events")
	if _, err := unix.InotifyAddWatch(notify, events, unix.IN_MODIFY); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		return fmt.Errorf("watch %s: %w", events, err)
	}
	// Only after the watch is there can no change be missed.
	data, err := os.ReadFile(events)
	if err != nil || !strings.Contains(string(data), "populated 1") {
		return nil
	}
	_, err = readable(ctx, []int{notify}, limit)
	return err
}

// handle is a process that was opened. fd is -1 where the kernel has no
// pidfd (before 5.3); the PID alone must do there.
type handle struct {
	pid, fd int
}

// openProcesses opens those of pids that still live, at most limit.
func openProcesses(pids []int, limit int) []handle {
	var open []handle
	for _, pid := range pids[:min(len(pids), limit)] {
		fd, err := unix.PidfdOpen(pid, 0)
		switch {
		case err == nil:
			open = append(open, handle{pid: pid, fd: fd})
		case errors.Is(err, unix.ESRCH):
		default:
			open = append(open, handle{pid: pid, fd: -1})
		}
	}
	return open
}

func closeProcesses(open []handle) {
	for _, p := range open {
		if p.fd >= 0 {
			unix.Close(p.fd)
		}
	}
}

// blindWait is how long a process without a pidfd is waited for at once.
const blindWait = 5 * time.Millisecond

// awaitExits waits until every process ended, for at most limit and until
// ctx ends.
func awaitExits(ctx context.Context, open []handle, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for _, p := range open {
		left := time.Until(deadline)
		if left <= 0 || ctx.Err() != nil {
			return nil
		}
		if p.fd < 0 {
			left = min(left, blindWait)
		}
		// One after the other: all must end, so the order does not matter.
		if _, err := readable(ctx, []int{p.fd}, left); err != nil {
			return err
		}
	}
	return nil
}
