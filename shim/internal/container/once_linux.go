package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/console"
	"firn/shim/internal/lifecycle"
	"firn/shim/internal/rundir"
	"firn/shim/internal/systemd"
)

// once starts the container, serves it, and returns when PID 1 has ended and
// everything of this boot is gone but the record.
func (s *Supervisor) once(ctx context.Context, signals <-chan os.Signal) (end, error) {
	// An error from here on, a full disk above all, leaves what is half made
	// to the deferred destroy.
	if err := s.makeDirectories(); err != nil {
		return end{}, s.startError(err)
	}
	if err := s.update(func(r *rundir.Record) { r.Phase, r.Ready, r.Status = rundir.Starting, false, "" }); err != nil {
		return end{}, s.startError(err)
	}
	inbox, err := lifecycle.Listen(s.dir)
	if err != nil {
		return end{}, s.startError(err)
	}
	defer inbox.Close()
	run, err := s.launch()
	if err != nil {
		return end{}, s.startError(err)
	}
	defer run.leader.Close()
	s.tell("Spawning container %s on %s.", s.name, s.record.Root)
	if run.spec.Console == config.ConsoleInteractive {
		s.tell("Press ^] three times within 1s to kill container.")
	}
	if s.Changed != nil {
		s.Changed(s.record)
	}
	inbox.Accept(run.leader.Ref().PID)
	machine, err := s.register(ctx, run)
	if err != nil {
		run.abandon()
		return end{}, s.startError(err)
	}
	defer machine.Unregister()
	result := s.serve(ctx, run, inbox, signals)
	if err := run.container.Destroy(); err != nil {
		s.Warn(fmt.Sprintf("destroy container: %v", err))
	}
	return result, s.update(func(r *rundir.Record) { r.Phase = rundir.Stopping })
}

func (s *Supervisor) makeDirectories() error {
	for _, d := range []struct {
		path string
		mode os.FileMode
	}{{s.dir.Host(), 0o755}, {s.dir.Handoff(), 0o755}, {s.dir.Stage(), 0o700}} {
		if err := os.MkdirAll(d.path, d.mode); err != nil {
			return fmt.Errorf("make state directory: %w", err)
		}
	}
	return nil
}

func (s *Supervisor) launch() (*launched, error) {
	l := &launch{
		config: s.Config, name: s.name, dir: s.dir, claim: s.claim, record: &s.record,
		cgroup: s.cgroup, host: s.host, stdio: s.Stdio, term: isTerminal(s.Stdio[0]) && isTerminal(s.Stdio[1]),
		places: &places{name: s.name, dir: s.dir, record: &s.record, claim: s.claim, made: &s.made},
		warn:   s.Warn,
	}
	return l.run()
}

// register makes the container known to systemd-machined, where there is one.
// That it cannot is an error only if --register= asked for it.
func (s *Supervisor) register(ctx context.Context, run *launched) (*systemd.Machine, error) {
	asked := s.Config.Unit.Register
	if !asked.Or(systemd.Running()) {
		return nil, nil
	}
	machine, err := systemd.Register(ctx, s.name, s.record.UUID, s.record.Root, run.leader.Ref().PID)
	if err != nil && asked.Set {
		return nil, fmt.Errorf("%s: %w", asked.From, err)
	}
	if err != nil {
		s.Warn(err.Error())
	}
	return machine, nil
}

// serve is the supervisor's event loop while PID 1 runs.
func (s *Supervisor) serve(ctx context.Context, run *launched, inbox *lifecycle.Inbox, signals <-chan os.Signal) end {
	exited := make(chan syscall.WaitStatus, 1)
	go func() { exited <- wait(run) }()
	session, ended := s.attach(ctx, run)
	defer session()

	host := lifecycle.NewManager(s.Config.Exec.NotifyReady.V)
	host.Started(run.leader.Ref().PID)
	var result end
	for {
		select {
		case result.status = <-exited:
			rebooted := result.status.Signaled() && result.status.Signal() == unix.SIGHUP
			result.reboot = rebooted && !result.killed && !result.asked
			return result
		case note := <-inbox.Notes:
			s.noted(host, note)
		case <-signals:
			result.killed = s.halt(run, result.asked) || result.killed
			result.asked = true
		case how := <-ended:
			ended = nil
			if how == console.ByEscape {
				result.killed = true
				_ = run.leader.Signal(unix.SIGKILL)
			}
		}
	}
}

// halt asks PID 1 to end as the record says: the first time by its halt
// signal, then by SIGKILL. It tells whether it killed.
func (s *Supervisor) halt(run *launched, again bool) (killed bool) {
	sig := unix.Signal(s.record.KillSignal)
	if again {
		sig = unix.SIGKILL
	}
	_ = run.leader.Signal(sig) // gone already: the wait will tell
	return sig == unix.SIGKILL
}

// noted takes what PID 1 said of itself.
func (s *Supervisor) noted(host *lifecycle.Manager, note lifecycle.Note) {
	first := note.Ready && !s.record.Ready
	if err := s.update(func(r *rundir.Record) {
		r.Ready = r.Ready || note.Ready
		if note.Status != "" {
			r.Status = note.Status
		}
	}); err != nil {
		s.Warn(err.Error())
	}
	if first {
		host.Ready()
	}
	if note.Status != "" {
		host.Status(note.Status)
	}
}

// attach joins the user's terminal to the container's console. The returned
// function ends that and drains what the console still holds.
func (s *Supervisor) attach(ctx context.Context, run *launched) (stop func(), ended <-chan console.Ended) {
	if run.console == nil {
		return func() {}, nil
	}
	session := &console.Session{Master: run.console, In: s.Stdio[0], Out: s.Stdio[1], Mode: sessionMode(run.spec.Console)}
	closeLog := func() {}
	if s.LogFile != "" {
		log, err := console.OpenLog(s.LogFile)
		if err != nil {
			s.Warn(err.Error())
		} else {
			session.Log, closeLog = log, func() { log.Close() }
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan console.Ended, 1)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		how, err := session.Run(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			s.Warn(fmt.Sprintf("console: %v", err))
		}
		done <- how
	}()
	return func() {
		cancel()
		<-finished
		closeLog()
		run.console.Close()
	}, done
}

func sessionMode(m config.ConsoleMode) console.Mode {
	switch m {
	case config.ConsoleInteractive:
		return console.Interactive
	case config.ConsolePassive:
		return console.Passive
	}
	return console.ReadOnly
}

// wait reaps PID 1. libcontainer's Wait returns an error for every exit code
// but 0; the state is what counts.
func wait(run *launched) syscall.WaitStatus {
	state, _ := run.process.Wait()
	if state == nil {
		return syscall.WaitStatus(1 << 8) // ended unseen; exit code 1
	}
	status, _ := state.Sys().(syscall.WaitStatus)
	return status
}

func isTerminal(f *os.File) bool {
	if f == nil {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
