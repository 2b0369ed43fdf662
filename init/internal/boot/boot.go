package boot

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"firn/init/handoff"
	"firn/init/internal/activate"
	"firn/init/internal/halt"
	"firn/init/internal/log"
	"firn/init/internal/manager"
	"firn/init/internal/mounts"
	"firn/init/internal/notify"
	"firn/init/internal/place"
	"firn/init/internal/reap"
	"firn/init/internal/service"
	"firn/init/internal/shim"
	"firn/init/internal/signals"
	"firn/init/internal/supervise"
)

// Options are what main found out.
type Options struct {
	System  string   // path of the NixOS system to activate, empty for none
	Argv    []string // the command to run, empty for a shell
	Environ []string
	Grace   time.Duration
}

// System is the running system.
type System struct {
	Options
	log     *log.Logger
	level   log.Level // that was configured
	queue   *signals.Queue
	reaper  *reap.Reaper
	reaped  chan struct{} // holds one
	shim    *shim.Link
	notify  *notify.Notifier
	manager manager.Manager
	cgroups *place.Cgroups
	burst   halt.Burst
	units   atomic.Pointer[supervise.Manager] // nil without units
	began   time.Time

	mu      sync.Mutex // of what the steps write and an end in the middle of them reads
	phase   string
	target  log.Target // that was chosen first
	machine bool
	mounted []string
	service *service.Service
	process *reap.Process // of the service
}

// New makes a System that has done nothing yet.
func New(o Options, queue *signals.Queue, logger *log.Logger, target log.Target) *System {
	return &System{
		Options: o, log: logger, level: logger.Level(), target: target, queue: queue,
		reaper: reap.New(), reaped: make(chan struct{}, 1), manager: manager.FromEnviron(o.Environ).FromFiles(os.ReadFile), began: time.Now(),
	}
}

// ending is how a system ends.
type ending struct {
	verb signals.Verb
	now  bool
	// exit: by exit(2) with the status of the service, which reboot(2) could not tell.
	exit   bool
	failed bool // the boot has not come to anything
	status handoff.ExitStatus
}

// Run boots, keeps and ends the system. It returns an exit code where reboot(2) has not ended all before.
func (s *System) Run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	err := ownProcess()
	if err != nil {
		s.log.Warn(err.Error())
	}
	if s.notify, err = notify.New(s.manager.Notify); err != nil {
		s.log.Warn(err.Error())
	}
	go s.reaper.Run(s.queue.Child, func() {
		select {
		case s.reaped <- struct{}{}:
		default:
		}
		if units := s.units.Load(); units != nil {
			units.Reaped()
		}
	})
	s.tell("X_SYSTEMD_SIGNALS_LEVEL", "2")
	s.shim = shim.Connect(context.Background(), handoff.BootMode, s.log) // to the last word
	up := make(chan error, 1)
	go func() { up <- s.bringUp(ctx) }()
	end := s.loop(ctx, up)
	cancel(errEnding)
	end = s.stopUnits(end)
	s.reaper.Close()
	return s.end(end)
}

// errEnding is why a step was given up.
var errEnding = errors.New("the system is ending")

// bringUp runs the steps. Its error is that of a required one.
func (s *System) bringUp(ctx context.Context) error {
	for _, step := range steps {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.setPhase(step.name)
		began := time.Now()
		err := s.attempt(ctx, step)
		s.log.Debug("step done", "step", step.name, "took", log.Took(began))
		if err != nil && ctx.Err() == nil {
			if step.required && !s.tolerable(err) {
				return fmt.Errorf("boot: %s: %w", step.name, err)
			}
			s.warn(step.name, err)
		}
		if step.unit != "" {
			s.tell("X_SYSTEMD_UNIT_ACTIVE", step.unit)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.ready()
	return nil
}

// attempt runs one step. A panic is the step's error: it is a mistake in this program, and no reason to take the system
// down with it.
func (s *System) attempt(ctx context.Context, step step) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return step.run(s, ctx)
}

// tolerable reports whether an error of the mounts is one of optional rows only.
func (s *System) tolerable(err error) bool {
	return s.phaseIs("mounts") && !errors.Is(err, mounts.ErrRequired)
}

// warn logs the errors that were joined one a line.
func (s *System) warn(step string, err error) {
	for line := range strings.Lines(err.Error()) {
		s.log.Warn(strings.TrimSuffix(line, "\n"), "step", step)
	}
}

// ready tells everybody. Memory is not given back here: a first garbage collection takes more, for itself, than the 100 kB
// that a boot leaves.
func (s *System) ready() {
	s.setPhase("ready")
	s.tell("READY", "1", "STATUS", "Ready.")
	s.tell("X_SYSTEMD_UNIT_ACTIVE", "multi-user.target")
	s.shim.OnReload(s.reload)
	s.shim.Ready()
	s.log.Info("ready", "took", log.Took(s.began))
}

func (s *System) setPhase(phase string) {
	s.mu.Lock()
	s.phase = phase
	s.mu.Unlock()
	if phase != "ready" {
		phase = "boot: " + phase
	}
	s.shim.Status(phase)
}

func (s *System) phaseIs(phase string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == phase
}

// tell notifies the manager; that it has gone away is no reason for anything.
func (s *System) tell(pairs ...string) {
	if err := s.notify.Send(pairs...); err != nil {
		s.log.Debug(err.Error())
	}
}

// reload activates a new system at the shim's request.
func (s *System) reload(system string) error {
	a := s.activator()
	s.tell("RELOADING", "1", "STATUS", "Activating "+system)
	s.shim.Status("activating " + system)
	err := a.Switch(context.Background(), system)
	if err != nil {
		s.log.Error(err.Error())
	}
	s.tell("READY", "1", "STATUS", "Ready.")
	s.shim.Status("ready")
	return err
}

func (s *System) activator() *activate.Activator {
	return &activate.Activator{
		Reaper: s.reaper, Env: s.childEnviron(), Run: "/run",
		Place: s.placeFor("activation.service"),
	}
}

func (s *System) childEnviron() []string {
	return manager.ChildEnviron(s.Environ, s.Options.System != "")
}

// end halts: processes, last words, mounts, reboot(2).
func (s *System) end(e ending) int {
	s.shim.Status("halting")
	s.tell("X_SYSTEMD_UNIT_INACTIVE", "multi-user.target")
	s.tell("X_SYSTEMD_UNIT_ACTIVE", "shutdown.target")
	began := time.Now()
	stopper := halt.Stopper{Log: s.log, Queue: s.queue, Reaped: s.reaped, Burst: &s.burst, Grace: s.Grace}
	s.mu.Lock()
	stopper.Service, stopper.Shell = s.process, s.service != nil && s.service.Kind == service.Shell
	machine, mounted := s.machine, s.mounted
	s.mu.Unlock()
	stopper.Machine = machine
	stopper.Stop(e.now)
	s.log.Debug("all processes ended", "took", log.Took(began))
	if e.verb == signals.SoftReboot {
		s.log.Error(halt.Again().Error())
		e.verb = signals.Reboot
	}
	action := shim.Action(e.verb)
	if e.exit {
		action = "exit"
	}
	code := e.status.Code
	if e.status.Signal != 0 {
		code = 128 + e.status.Signal
	}
	s.tell("EXIT_STATUS", fmt.Sprint(code), "X_SYSTEMD_SHUTDOWN", halt.Word(e.verb))
	s.shim.Exit(e.status, action)
	halt.Release(machine, mounted, s.log)
	if e.failed || e.exit && !machine {
		return code // on a machine a panic: panic= on the kernel's command line says what follows
	}
	err := halt.End(e.verb)
	if !halt.Refused(err) {
		s.log.Error("cannot " + err.Error())
	}
	return halt.ExitCode(e.verb)
}

// dump logs the state, for SIGUSR2.
func (s *System) dump() {
	s.mu.Lock()
	phase, process, mounted := s.phase, s.process, s.mounted
	s.mu.Unlock()
	pid := "none"
	if process != nil {
		pid = fmt.Sprint(process.PID)
	}
	s.log.Info("state", "phase", phase, "service", pid, "children", fmt.Sprint(s.reaper.Running()),
		"orphans", fmt.Sprint(s.reaper.Orphans()), "handoff", fmt.Sprint(s.shim.Connected()),
		"manager", s.manager.Container, "system", s.Options.System, "mounted", strings.Join(mounted, ","),
		"up", time.Since(s.began).Round(time.Second).String(), "pid", fmt.Sprint(os.Getpid()))
}
