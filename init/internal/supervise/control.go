package supervise

import (
	"errors"

	"firn/init/internal/job"
	"firn/init/internal/signals"
	"firn/init/internal/unit"
)

// Control is what a control socket, or boot mode, asks of a Manager from any goroutine.

// ErrClosing is the error of a request while the system goes down.
var ErrClosing = errors.New("the system is going down")

// Outcome is how a request ended: an error if there is no job, else the job's result.
type Outcome struct {
	Result job.Result
	Err    error
}

// Request asks for a job of a unit. The channel gives its end.
func (m *Manager) Request(name unit.Name, typ job.Type, mode unit.JobMode) <-chan Outcome {
	done := make(chan Outcome, 1)
	m.Post(func() {
		if m.closing {
			done <- Outcome{Err: ErrClosing}
			return
		}
		j, err := m.engine.Request(name, typ, mode)
		m.await(j, err, done)
	})
	return done
}

func (m *Manager) await(j *job.Job, err error, done chan<- Outcome) {
	if err != nil {
		done <- Outcome{Err: err}
		return
	}
	m.waiters[j] = append(m.waiters[j], func(r job.Result) { done <- Outcome{Result: r} })
}

// Status gives what is known of a unit.
func (m *Manager) Status(name unit.Name) Status {
	got := make(chan Status, 1)
	m.Post(func() { got <- m.status(m.engine.Unit(name)) })
	return <-got
}

// List gives what is known of all units that are loaded.
func (m *Manager) List() []Status {
	got := make(chan []Status, 1)
	m.Post(func() {
		var all []Status
		for _, u := range m.engine.Units() {
			all = append(all, m.status(u))
		}
		got <- all
	})
	return <-got
}

// Reload loads all units again (daemon-reload), from then on by load.
func (m *Manager) Reload(load func(unit.Name) *unit.Unit) {
	done := make(chan struct{})
	m.Post(func() { m.engine.Reload(load); close(done) })
	<-done
}

// shutdownTarget is what units with default dependencies conflict with, and come before (systemd.special(7)).
const shutdownTarget unit.Name = "shutdown.target"

// Shutdown stops all units in the reverse of their order. The channel is closed when no job is left.
func (m *Manager) Shutdown() <-chan struct{} {
	done := make(chan struct{})
	m.Post(func() {
		m.closing = true
		finished := make(chan Outcome, 1)
		// Not as an administrator asks: shutdown.target refuses that (RefuseManualStart=).
		j, err := m.engine.Enqueue(m.engine.Unit(shutdownTarget), job.Start, unit.JobReplaceIrreversibly)
		m.await(j, err, finished)
		go func() {
			if o := <-finished; o.Err != nil {
				m.Log.Warn("stop units in order: " + o.Err.Error())
			}
			close(done)
		}()
	})
	return done
}

// signalName is a signal as systemd writes it.
func signalName(sig uint8) string { return signals.Name(sigOf(unit.Signal(sig))) }
