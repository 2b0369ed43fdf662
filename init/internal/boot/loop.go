package boot

import (
	"context"
	"errors"
	"syscall"
	"time"

	"firn/init/handoff"
	"firn/init/internal/halt"
	"firn/init/internal/log"
	"firn/init/internal/reap"
	"firn/init/internal/service"
	"firn/init/internal/shim"
	"firn/init/internal/signals"
)

// The loop's states and what ends them:
//
//	state   | event                              | next
//	--------+------------------------------------+---------------------------------------------------------
//	booting | all steps done                     | ready
//	booting | a required step has failed         | end: exit 1 in a container, a panic by exit on a machine
//	any     | a signal of the table that ends,   | end with that verb
//	        | halt, poweroff, reboot of the shim |
//	ready   | the command has ended              | end: exit with its code; on a machine power off
//	ready   | the shell has ended                | ready: started again after a delay
//	any     | any other signal                   | the same; see signals.Table

// loop runs until the system is to end.
func (s *System) loop(ctx context.Context, up <-chan error) ending {
	var ended <-chan struct{} // the service's end, once that is up
	var again <-chan time.Time
	var delay time.Duration
	for {
		select {
		case sig := <-s.queue.End:
			if e, ok := s.act(sig.(syscall.Signal)); ok {
				return e
			}
		case sig := <-s.queue.Other:
			if e, ok := s.act(sig.(syscall.Signal)); ok {
				return e
			}
		case verb := <-s.shim.End:
			s.log.Info("the host asks for an end", "action", shim.Action(verb))
			return ending{verb: verb}
		case err := <-up:
			if err != nil {
				s.log.Error("cannot " + err.Error())
				return failed
			}
			ended = s.serviceDone()
		case <-ended:
			if e, ok := s.serviceEnded(); ok {
				return e
			}
			delay = service.NextDelay(time.Since(s.process.Started), delay)
			ended, again = nil, time.After(delay)
		case <-again:
			if err := s.startService(ctx); err != nil {
				s.log.Warn(err.Error())
				delay = service.NextDelay(0, delay)
				again = time.After(delay)
				continue
			}
			again, ended = nil, s.serviceDone()
		}
	}
}

// failed is the end of a boot that has not come to anything.
var failed = ending{verb: signals.Poweroff, exit: true, failed: true, status: handoff.ExitStatus{Code: 1}}

func (s *System) serviceDone() <-chan struct{} {
	if s.process == nil {
		return nil // nothing to run: the system is there for those who enter it
	}
	return s.process.Done()
}

// serviceEnded tells whether the system ends with its service.
func (s *System) serviceEnded() (ending, bool) {
	status := s.process.Status()
	s.log.Info("service ended", "pid", itoa(s.process.PID), "status", reap.Describe(status))
	if s.service.Kind == service.Shell {
		return ending{}, false
	}
	return ending{verb: signals.Poweroff, exit: true, status: shim.Status(status)}, true
}

// act does what the table says of a signal.
func (s *System) act(sig syscall.Signal) (ending, bool) {
	row := signals.ForManager(sig, s.manager.Container)
	if row.Verb.Ends() {
		s.log.Info("ending at a signal", "signal", row.Name, "action", halt.Word(row.Verb))
		now := row.Now || sig == syscall.SIGINT && s.burst.Add(time.Now())
		return ending{verb: row.Verb, now: now}, true
	}
	switch row.Verb {
	case signals.Reload:
		go s.reloadUnits()
	case signals.DumpState:
		s.dump()
	case signals.LogDebug:
		s.log.SetLevel(log.Debug)
	case signals.LogRestore:
		s.log.SetLevel(s.level)
	case signals.LogConsole:
		s.log.SetTarget(log.Console())
	case signals.LogKmsg:
		s.setKmsg()
	case signals.LogDefault:
		s.mu.Lock()
		s.log.SetTarget(s.target)
		s.mu.Unlock()
	case signals.ShowStatus, signals.HideStatus:
		s.showStatus(row.Verb == signals.ShowStatus)
	case signals.Nothing:
		if row.Note != "" {
			s.log.Info(row.Note, "signal", row.Name)
		}
	}
	return ending{}, false
}

// showStatus turns the lines for people on and off: all below warnings.
func (s *System) showStatus(show bool) {
	if show {
		s.log.SetLevel(max(s.level, log.Info))
		return
	}
	s.log.SetLevel(log.Warning)
}

func (s *System) setKmsg() {
	target, err := log.Kmsg()
	if err != nil {
		s.log.Warn("log to the kernel: " + err.Error())
		return
	}
	s.log.SetTarget(target)
}

// startService starts the service, or starts it again.
func (s *System) startService(ctx context.Context) error {
	svc := s.service
	if svc == nil && len(s.Argv) == 0 {
		if ok, err := s.startUnits(ctx); ok || err != nil {
			return err
		}
	}
	if svc == nil {
		svc = &service.Service{
			Kind: service.Choose(s.Argv), Argv: s.Argv, Env: s.childEnviron(),
			Place: s.placeFor("main.service"), Reaper: s.reaper,
		}
	}
	if svc.Kind == service.None {
		s.log.Info("no command given and no terminal at " + service.Console + ": nothing to run but what comes from outside")
		return nil
	}
	p, err := svc.Start()
	if p == nil {
		if svc.Kind == service.Shell && !errors.Is(err, reap.ErrClosed) && s.service == nil {
			s.warn("service", err) // a console that has gone is no reason to end
			return nil
		}
		return err
	}
	if err != nil {
		s.warn("service", err)
	}
	s.mu.Lock()
	s.service, s.process = svc, p
	s.mu.Unlock()
	return nil
}
