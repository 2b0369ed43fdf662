package halt

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/log"
	"firn/init/internal/reap"
	"firn/init/internal/signals"
)

// Stopper ends all processes.
type Stopper struct {
	Log   *log.Logger
	Queue *signals.Queue
	// Reaped says that children were reaped since it was read last; it holds one.
	Reaped <-chan struct{}
	Burst  *Burst
	Grace  time.Duration
	// Machine says that this is one, which has kernel threads.
	Machine bool
	// Service is stopped before the rest; nil if there is none. Shell says that it is one, which pays no heed to
	// SIGTERM.
	Service *reap.Process
	Shell   bool
}

// tick is how often processes are looked for that are not our children, such as those that were brought in from
// outside by nsenter: nothing tells us of their end.
const tick = 20 * time.Millisecond

// Stop runs the stages up to kill. now leaves out all before that one.
func (s *Stopper) Stop(now bool) {
	if !now && s.Service != nil {
		s.terminate(func(sig syscall.Signal) { _ = s.Service.SignalGroup(sig) }, s.Shell)
		now = s.wait("service", s.Service.Done())
	}
	if !now {
		s.terminate(func(sig syscall.Signal) { _ = unix.Kill(-1, sig) }, false)
		s.wait("processes", nil)
	}
	if s.gone() {
		return
	}
	s.Log.Debug("killing what is left")
	_ = unix.Kill(-1, unix.SIGKILL)
	s.wait("killed processes", nil)
}

// terminate sends what asks for an end, and SIGCONT, since a stopped process takes SIGTERM only then.
func (s *Stopper) terminate(send func(syscall.Signal), hangup bool) {
	send(unix.SIGTERM)
	if hangup {
		send(unix.SIGHUP)
	}
	send(unix.SIGCONT)
}

// wait waits for done, or with nil for the end of all processes. It reports whether somebody lost patience; the end of
// the grace period is only logged, with what it was waited for.
func (s *Stopper) wait(what string, done <-chan struct{}) (impatient bool) {
	deadline := time.After(s.Grace)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	if done == nil && s.gone() {
		return false
	}
	for {
		select {
		case <-done:
			return false
		case <-deadline:
			s.Log.Warn(what+" not ended in time", "grace", s.Grace.String())
			return false
		case <-s.Reaped:
		case <-ticker.C:
		case sig := <-s.Queue.End:
			if row, _ := signals.EndsCommand(sig.(syscall.Signal)); row.Now {
				return true
			}
		case sig := <-s.Queue.Other:
			if sig == os.Interrupt && s.Burst.Add(time.Now()) {
				return true
			}
		}
		if done == nil && s.gone() {
			return false
		}
	}
}

// gone reports whether no process but this is left, dead ones that were not reaped included.
func (s *Stopper) gone() bool {
	if s.Machine {
		// kill(2) with -1 counts kernel threads too. All else here descends from PID 1 and is its child in the end.
		return unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil) == unix.ECHILD
	}
	// In a container there may be processes that were brought in from outside and are no children of ours.
	return unix.Kill(-1, 0) == unix.ESRCH
}
