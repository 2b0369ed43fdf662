package container

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	_ "github.com/opencontainers/cgroups/devices" // without it device rules are no rules

	"firn/cgroups"
	"firn/shim/internal/config"
	"firn/shim/internal/lower"
	"firn/shim/internal/pidfd"
	"firn/shim/internal/rundir"
	"firn/shim/internal/seccomp"
	"firn/shim/internal/spec"
	"firn/shim/internal/stage"
)

// launch is one start of a container, until PID 1 is executed.
type launch struct {
	config *config.Config
	name   string
	dir    rundir.Dir
	claim  *rundir.Claim
	record *rundir.Record
	cgroup cgroups.Layout
	host   *cgroups.Host
	stdio  [3]*os.File
	term   bool
	places *places
	stage  *stage.Stage
	warn   func(string)
	calls  chan func()
}

// launched is a running container in the supervisor's hands.
type launched struct {
	container *libcontainer.Container
	process   *libcontainer.Process
	leader    *pidfd.FD
	console   *os.File // pty master, nil with a pipe console
	spec      *spec.Spec
}

// run does the launch on a thread of its own, which ends with it: a thread
// that has been on the stage cannot come back. The caller's goroutine must
// not be on the main thread's; see shim/main.go.
func (l *launch) run() (*launched, error) {
	type result struct {
		launched *launched
		err      error
	}
	done := make(chan result)
	l.calls = make(chan func())
	go func() {
		runtime.LockOSThread() // and never unlocked
		launched, err := l.onStage()
		done <- result{launched, err}
	}()
	for {
		select {
		case call := <-l.calls:
			call()
		case r := <-done:
			return r.launched, r.err
		}
	}
}

// outside runs work for the stage's thread in the host's namespaces.
func (l *launch) outside(work func() error) error {
	done := make(chan error, 1)
	l.calls <- func() { done <- work() }
	return <-done
}

// onStage is the part that needs the stage's mount namespace.
func (l *launch) onStage() (*launched, error) {
	var err error
	if l.stage, err = stage.Enter(l.dir.Stage()); err != nil {
		return nil, err
	}
	root, err := l.openRoot()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	facts, err := l.facts(root)
	if err != nil {
		return nil, err
	}
	s, err := spec.Build(l.config, facts)
	if err != nil {
		return nil, err
	}
	for _, w := range s.Warnings {
		l.warn(w)
	}
	if err := l.check(s, root); err != nil {
		return nil, err
	}
	if err := l.hostFiles(s, root); err != nil {
		return nil, err
	}
	if err := l.stageMounts(s); err != nil {
		return nil, err
	}
	if err := l.lockRoot(s, root); err != nil {
		return nil, err
	}
	if err := l.lockStage(); err != nil {
		return nil, err
	}
	return l.create(s)
}

// lockStage makes the read-only mounts final. Where the kernel has no user
// namespaces they are read-only and no more.
func (l *launch) lockStage() error {
	err := l.stage.Lock()
	if errors.Is(err, stage.ErrUnavailable) {
		l.warn(fmt.Sprintf("read-only binds cannot be locked: root inside can remount them writable: %v", err))
		return nil
	}
	return err
}

// create has libcontainer make the namespaces and execute PID 1.
func (l *launch) create(s *spec.Spec) (_ *launched, err error) {
	low, err := lower.Lower(s)
	if err != nil {
		return nil, err
	}
	if err := l.outside(func() error { return l.makeCgroups(low) }); err != nil {
		return nil, err
	}
	container, err := libcontainer.Create(l.dir.State(), l.name, low.Config)
	if err != nil {
		return nil, fmt.Errorf("create container: %w", err)
	}
	run := &launched{container: container, process: lower.Process(s), spec: s}
	defer func() {
		if err != nil {
			run.abandon()
		}
	}()
	if err := run.start(l.stdio); err != nil {
		return nil, err
	}
	return run, l.execute(run)
}

// start makes PID 1, up to the point where it waits to be executed.
func (r *launched) start(stdio [3]*os.File) error {
	if r.spec.OCI.Process.Terminal {
		parent, child, err := socketpair()
		if err != nil {
			return fmt.Errorf("make console socket: %w", err)
		}
		defer parent.Close()
		defer child.Close()
		r.process.ConsoleSocket = child
		defer func() { r.process.ConsoleSocket = nil }()
		if err := r.startBlocked(); err != nil {
			return err
		}
		r.console, err = receiveConsole(parent)
		return err
	}
	r.process.Stdin, r.process.Stdout, r.process.Stderr = stdio[0], stdio[1], stdio[2]
	return r.startBlocked()
}

// startBlocked clones PID 1 with the Spec's signals blocked. PID 1 of a
// namespace loses signals that it has no handler for; a blocked one stays
// pending, over execve too, until an init reads it. So no halt is lost,
// however early it comes. The Go runtime of libcontainer's stage keeps a
// mask that it inherits.
func (r *launched) startBlocked() error {
	var set, old unix.Sigset_t
	for _, sig := range r.spec.Blocked {
		n := uint(sig) - 1
		set.Val[n/64] |= 1 << (n % 64)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		return fmt.Errorf("block signals: %w", err)
	}
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	if err := seccomp.RefuseHandles(); err != nil {
		return err
	}
	if err := r.container.Start(r.process); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	return nil
}

// execute sets what must be set from outside, lets PID 1 go and notes it in
// the record.
func (l *launch) execute(r *launched) error {
	pid, err := r.process.Pid()
	if err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	ref, err := pidfd.Of(pid)
	if err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	if r.leader, err = ref.Open(); err != nil {
		return fmt.Errorf("start container: %w", err)
	}
	if err := setAffinity(pid, r.spec.Affinity); err != nil {
		return err
	}
	l.record.Leader = ref
	l.record.Command = strings.Join(r.spec.OCI.Process.Args, " ")
	l.record.KillSignal = int(unix.SIGKILL)
	if len(r.spec.Blocked) > 0 {
		l.record.KillSignal = int(r.spec.Blocked[0])
	} else if l.config.Exec.KillSignal.Set {
		l.record.KillSignal = int(l.config.Exec.KillSignal.V)
	}
	if err := newBootID(pid); err != nil {
		return err
	}
	if err := r.container.Exec(); err != nil {
		return fmt.Errorf("execute %s: %w", r.spec.OCI.Process.Args[0], err)
	}
	// Not before: a PID 1 that waits to be executed would pass for a running
	// container if firn were killed now. So it is swept.
	l.record.Phase = rundir.Running
	return l.claim.Write(l.record)
}

// abandon ends a container whose start did not come to its end.
func (r *launched) abandon() {
	_ = r.container.Signal(unix.SIGKILL)
	if _, err := r.process.Pid(); err == nil {
		_, _ = r.process.Wait()
	}
	_ = r.container.Destroy()
	if r.leader != nil {
		r.leader.Close()
	}
	if r.console != nil {
		r.console.Close()
	}
}

// setAffinity binds PID 1 to CPUs. libcontainer has just reset the affinity
// that it inherited, so this comes after Start.
func setAffinity(pid int, cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(pid, &set); err != nil {
		return fmt.Errorf("set CPU affinity to %v: %w", cpus, err)
	}
	return nil
}
