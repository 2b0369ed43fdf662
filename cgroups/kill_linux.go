package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// killPatience bounds Kill: a process that does not end within it is
	// stuck in the kernel (state D), and only the kernel can end it.
	killPatience = 10 * time.Second
	// killRound is how long one round waits for what it killed.
	killRound = 250 * time.Millisecond
	// freezePatience bounds the wait for v1's freezer, which gives no notice.
	freezePatience = 50 * time.Millisecond
	// openAtOnce bounds the descriptors of one round.
	openAtOnce = 256
)

// Kill ends every process in the cgroup and below it with SIGKILL, over all
// hierarchies, and returns when they are gone. It uses cgroup.kill (v2, Linux
// 5.14); for what is left, or where there is none, it freezes the cgroup so
// that nothing can fork away, signals each process and thaws, until the cgroup
// is empty. After 10 seconds it gives up with a *BusyError. A cgroup that is
// not there is empty. The error wraps ErrSelf if the caller is in the cgroup.
func (h *Host) Kill(path string) error {
	if err := checkPath(path); err != nil {
		return err
	}
	places := h.places(path)
	return h.killAll(places, func() ([]int, error) {
		pids, err := h.processesIn(places)
		if err == nil && slices.Contains(pids, os.Getpid()) {
			err = ErrSelf
		}
		return pids, err
	})
}

// killAll works off the cgroups until members is empty.
func (h *Host) killAll(places []place, members func() ([]int, error)) error {
	deadline := time.Now().Add(killPatience)
	for round := 0; ; round++ {
		pids, err := members()
		if err != nil {
			return fmt.Errorf("kill cgroup %s: %w", places[0].dir, err)
		}
		if len(pids) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("kill: %w", &BusyError{Dir: places[0].dir, Holders: h.holders(pids)})
		}
		// The kernel kills a v2 cgroup as a whole; the second round is for
		// processes that stand in a v1 hierarchy only.
		if err := h.killRound(places, pids, members, round == 0); err != nil {
			return fmt.Errorf("kill cgroup %s: %w", places[0].dir, err)
		}
	}
}

func (h *Host) killRound(places []place, pids []int, members func() ([]int, error), whole bool) error {
	open := openProcesses(pids, openAtOnce)
	defer closeProcesses(open)
	if whole && h.killWhole(places) {
		thawAll(places) // v1's freezer would hold back what v2 killed
	} else {
		thaw := freeze(places)
		err := signalMembers(open, members)
		thaw()
		if err != nil {
			return err
		}
	}
	return awaitExits(context.Background(), open, killRound)
}

// killWhole asks the kernel to kill a v2 cgroup. False: it cannot.
func (h *Host) killWhole(places []place) bool {
	for _, p := range places {
		if p.hierarchy.V2 && h.kill(p.dir) == nil {
			return true
		}
	}
	return false
}

func writeKill(dir string) error { return writeValue(dir, "cgroup.kill", "1") }

// signalMembers kills those of the opened processes that are still listed.
// A PID that was listed, then opened, then listed again cannot be that of a
// stranger: had it been reused in between, either the stranger is a member
// too, or the descriptor is of a process that ended.
func signalMembers(open []handle, members func() ([]int, error)) error {
	listed, err := members()
	if err != nil {
		return err
	}
	for _, p := range open {
		if _, ok := slices.BinarySearch(listed, p.pid); !ok {
			continue
		}
		var err error
		if p.fd >= 0 {
			err = unix.PidfdSendSignal(p.fd, unix.SIGKILL, nil, 0)
		} else {
			err = unix.Kill(p.pid, unix.SIGKILL)
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("signal process %d: %w", p.pid, err)
		}
	}
	return nil
}

// freeze stops what runs in the cgroup as far as the host can: without a
// freezer, the rounds of Kill outrun forks all the same, if later. The
// function that it returns thaws again, the cgroups below too, since a task
// that v1 has frozen does not die before it is thawed.
func freeze(places []place) (thaw func()) {
	var thaws []func()
	for _, p := range places {
		switch {
		case p.hierarchy.V2:
			if writeValue(p.dir, "cgroup.freeze", "1") == nil {
				thaws = append(thaws, func() { _ = writeValue(p.dir, "cgroup.freeze", "0") })
			}
		case p.hierarchy.Has("freezer"):
			if writeValue(p.dir, "freezer.state", "FROZEN") == nil {
				awaitFrozen(p.dir)
				thaws = append(thaws, func() { thawBelow(p.dir) })
			}
		}
	}
	return func() {
		for _, t := range thaws {
			t()
		}
	}
}

// awaitFrozen gives v1's freezer a moment. State FREEZING is good enough to
// go on with: signalling is repeated until the cgroup is empty.
func awaitFrozen(dir string) {
	for end := time.Now().Add(freezePatience); time.Now().Before(end); {
		state, err := readValue(dir, "freezer.state")
		if err != nil || strings.HasPrefix(state, "FROZEN") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func thawAll(places []place) {
	for _, p := range places {
		if p.hierarchy.Has("freezer") && !p.hierarchy.V2 {
			thawBelow(p.dir)
		}
	}
}

// thawBelow thaws a v1 cgroup and each below it: one that was frozen for
// itself stays frozen when its parent thaws. An error means that it is gone.
func thawBelow(dir string) {
	_ = walk(dir, func(cgroup *os.Root) error {
		if f, err := cgroup.OpenFile("freezer.state", os.O_WRONLY, 0); err == nil {
			_, _ = f.WriteString("THAWED")
			f.Close()
		}
		return nil
	})
}
