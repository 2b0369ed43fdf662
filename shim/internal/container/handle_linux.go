package container

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"firn/cgroups"
	"firn/shim/internal/lifecycle"
	"firn/shim/internal/pidfd"
	"firn/shim/internal/rundir"
)

// Handle is a running container in the hands of another firn process than its
// supervisor, which may be dead.
type Handle struct {
	Record rundir.Record
	leader *pidfd.FD
	dir    rundir.Dir
	host   *cgroups.Host
	layout cgroups.Layout
}

// ErrNotRunning says that there is no such container.
var ErrNotRunning = errors.New("not running")

// Find returns the running container called name. One that is just starting
// is waited for, until ctx ends. PID 1 is looked up by the cgroup layout and
// must be the process on record; a container without a record is found by the
// layout alone. The error wraps ErrNotRunning.
func Find(ctx context.Context, runtime rundir.Root, host *cgroups.Host, name string) (*Handle, error) {
	h := &Handle{dir: runtime.Dir(name), host: host}
	rec, err := h.dir.Read()
	held := h.dir.Held()
	switch {
	case errors.Is(err, rundir.ErrUnknown) && !held:
		return h.findUnrecorded(name)
	case held && (errors.Is(err, rundir.ErrUnknown) || err == nil && rec.Phase != rundir.Running):
		rec, err = h.awaitRunning(ctx)
	}
	if errors.Is(err, rundir.ErrUnknown) {
		return nil, notRunning(name)
	}
	if err != nil {
		return nil, err
	}
	h.Record = *rec
	h.layout = cgroups.Layout{Parent: rec.CgroupBase, Name: name}
	return h, h.openLeader()
}

// awaitRunning waits while a container starts, or ends and perhaps starts again.
// The error wraps rundir.ErrUnknown if it does not come to run.
func (h *Handle) awaitRunning(ctx context.Context) (*rundir.Record, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, heldInterval)
		rec, err := h.dir.Await(wait, func(r *rundir.Record) bool { return r.Phase == rundir.Running })
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return rec, err
		}
		if !h.dir.Held() { // killed: nothing will change any more
			return nil, rundir.ErrUnknown
		}
	}
}

// heldInterval is how often a waiting process looks whether the supervisor
// still lives: of a lock's end the kernel tells only who takes it.
const heldInterval = 100 * time.Millisecond

func notRunning(name string) error { return fmt.Errorf("container %q is %w", name, ErrNotRunning) }

// openLeader opens PID 1 and compares what the record says with what stands
// in the cgroup. A payload may have moved its PID 1 anywhere below; then the
// record alone must do, and its start time protects it.
func (h *Handle) openLeader() error {
	fd, err := h.Record.Leader.Open()
	if errors.Is(err, pidfd.ErrGone) {
		return notRunning(h.Record.Name)
	}
	if err != nil {
		return err
	}
	pid, err := h.host.Leader(h.layout)
	if err == nil && pid != h.Record.Leader.PID && !fd.Ended() {
		fd.Close()
		return fmt.Errorf("PID 1 of %q is %d on record and %d in cgroup %s: nothing was signalled",
			h.Record.Name, h.Record.Leader.PID, pid, h.layout.Payload())
	}
	h.leader = fd
	return nil
}

// findUnrecorded serves a container whose directory below /run was deleted.
func (h *Handle) findUnrecorded(name string) (*Handle, error) {
	h.layout = cgroups.Layout{Parent: cgroups.DefaultParent, Name: name}
	pid, err := h.host.Leader(h.layout)
	if errors.Is(err, cgroups.ErrNoLeader) {
		return nil, notRunning(name)
	}
	if err != nil {
		return nil, err
	}
	ref, err := pidfd.Of(pid)
	if err != nil {
		return nil, notRunning(name)
	}
	h.Record = rundir.Record{Name: name, Phase: rundir.Running, Leader: ref, KillSignal: int(haltSignal), CgroupBase: h.layout.Parent}
	return h, h.openLeader()
}

// haltSignal is SIGRTMIN+3, see spec.HaltSignal.
const haltSignal = unix.Signal(34 + 3)

// Close gives the handle up.
func (h *Handle) Close() { h.leader.Close() }

// Supervised tells whether the container's supervisor lives.
func (h *Handle) Supervised() bool { return h.dir.Held() }

// Cgroup is the container's cgroup, limits and all.
func (h *Handle) Cgroup() string { return h.layout.Container() }

// Stats measures the container.
func (h *Handle) Stats() (cgroups.Stats, error) { return h.host.Stats(h.layout.Container()) }

// Stop asks PID 1, and no other process, to halt and waits until the container
// is gone altogether or ctx ends. It returns ctx's error then; nothing is
// killed.
func (h *Handle) Stop(ctx context.Context) error {
	ready := func() bool {
		rec, err := h.dir.Read()
		return err == nil && rec.Ready
	}
	return h.untilGone(ctx, func() error {
		return lifecycle.Halt(ctx, h.leader, unix.Signal(h.Record.KillSignal), ready)
	})
}

// Force kills every process of the container and waits until it is gone.
func (h *Handle) Force(ctx context.Context) error {
	return h.untilGone(ctx, func() error { return h.kill(ctx) })
}

func (h *Handle) kill(ctx context.Context) error {
	// PID 1 first: with it the kernel ends the whole PID namespace.
	if err := h.leader.Signal(unix.SIGKILL); err != nil && !errors.Is(err, pidfd.ErrGone) {
		return err
	}
	if h.host.Exists(h.layout.Container()) {
		if err := h.host.Kill(h.layout.Container()); err != nil {
			return fmt.Errorf("kill cgroup: %w", err)
		}
	}
	return h.leader.Wait(ctx)
}

// untilGone ends PID 1 and waits for the container's removal. One that was
// about to reboot when it was told comes up again, and is told again.
func (h *Handle) untilGone(ctx context.Context, end func() error) error {
	for {
		if err := end(); err != nil {
			return err
		}
		rebooted, err := h.awaitRemoval(ctx)
		if err != nil || !rebooted {
			return err
		}
	}
}

// awaitRemoval waits until the supervisor has cleared up. Where none lives,
// this process does it. If the same supervisor has started the container again,
// the handle goes over to the new PID 1.
func (h *Handle) awaitRemoval(ctx context.Context) (rebooted bool, err error) {
	for {
		wait, cancel := context.WithTimeout(ctx, heldInterval)
		rec, err := h.dir.Await(wait, func(r *rundir.Record) bool {
			return r.Leader != h.Record.Leader && r.Phase == rundir.Running
		})
		cancel()
		switch {
		case err == nil && rec.Supervisor != h.Record.Supervisor:
			return false, nil // somebody wanted a new one
		case err == nil:
			h.leader.Close()
			h.Record = *rec
			if err = h.openLeader(); !errors.Is(err, ErrNotRunning) {
				return true, err
			}
		case errors.Is(err, rundir.ErrUnknown):
			return false, h.clearUnrecorded()
		case ctx.Err() != nil:
			return false, ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded):
			return false, err
		}
		if !h.dir.Held() {
			return false, SweepOne(h.dir.Root(), h.host, h.dir.Name)
		}
	}
}

// clearUnrecorded removes the cgroups of a container that had no directory.
func (h *Handle) clearUnrecorded() error {
	if h.dir.Held() || !h.host.Exists(h.layout.Container()) {
		return nil
	}
	return clear(h.host, h.layout, &h.Record)
}

// Kill sends a signal to PID 1, or to all processes of the container.
func (h *Handle) Kill(sig unix.Signal, all bool) error {
	if !all {
		return h.leader.Signal(sig)
	}
	pids, err := h.host.Processes(h.layout.Container())
	if err != nil {
		return err
	}
	var errs []error
	for _, pid := range pids {
		errs = append(errs, signalMember(pid, sig))
	}
	return errors.Join(errs...)
}

func signalMember(pid int, sig unix.Signal) error {
	ref, err := pidfd.Of(pid)
	if errors.Is(err, pidfd.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	fd, err := ref.Open()
	if errors.Is(err, pidfd.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer fd.Close()
	if err := fd.Signal(sig); err != nil && !errors.Is(err, pidfd.ErrGone) {
		return err
	}
	return nil
}
