package supervise

import (
	"time"

	"firn/init/internal/job"
	"firn/init/internal/unit"
)

// driver runs one unit.
type driver interface {
	start() job.Outcome
	stop(restart bool) job.Outcome
	reload() job.Outcome
	sub() string
}

// state is what the Manager keeps of any unit.
type state struct {
	m      *Manager
	unit   *job.Unit
	starts []time.Time // within StartLimitIntervalSec=
	// When the unit was last active and inactive, for timers and for people.
	activated, deactivated time.Time
}

// driver gives a unit's driver, made when it is asked for first.
func (m *Manager) driver(u *job.Unit) driver {
	if d, ok := u.Driver.(driver); ok {
		return d
	}
	base := state{m: m, unit: u}
	var d driver
	switch {
	case u.Service != nil:
		s := newService(base)
		m.services = append(m.services, s)
		d = s
	case u.Socket != nil:
		d = &socket{state: base}
	case u.Timer != nil:
		d = &timer{state: base}
	default:
		d = &passive{state: base}
	}
	u.Driver = d
	return d
}

// report tells the engine of a state and keeps the times.
func (s *state) report(to job.State, detail job.Detail) {
	now := time.Now()
	switch from := s.unit.State(); {
	case to.Up() && !from.Up():
		s.activated = now
	case to.Down() && !from.Down():
		s.deactivated = now
	}
	s.m.engine.Report(s.unit, to, detail)
}

func (s *state) name() string { return string(s.unit.Name) }

// do is the engine's Do.
func (m *Manager) do(u *job.Unit, verb job.Type) job.Outcome {
	d := m.driver(u)
	s := u.State()
	switch verb {
	case job.Start:
		return m.start(u, d)
	case job.Stop:
		switch {
		case s.Down():
			return job.AlreadySo
		case s == job.Deactivating:
			return job.Accepted
		}
		return d.stop(u.Job() != nil && u.Job().Type == job.Restart)
	case job.Reload:
		switch s {
		case job.Active:
			return d.reload()
		case job.Activating, job.Reloading:
			return job.Later
		}
	}
	return job.Impossible
}

// start checks what holds for every type, and starts.
func (m *Manager) start(u *job.Unit, d driver) job.Outcome {
	switch s := u.State(); {
	case s.Up():
		return job.AlreadySo
	case s == job.Deactivating:
		return job.Later
	case s == job.Activating:
		if svc, ok := d.(*service); !ok || !svc.waits() {
			return job.Accepted
		}
	}
	if m.closing && u.Service != nil && !m.forShutdown(u) {
		return job.Impossible
	}
	if !m.met(u, u.Conditions) {
		return job.ConditionNo
	}
	if !m.met(u, u.Asserts) {
		return job.AssertNo
	}
	return d.start()
}

// met evaluates conditions or asserts.
func (m *Manager) met(u *job.Unit, list []unit.Condition) bool {
	if m.Check == nil || len(list) == 0 {
		return true
	}
	met, failed, err := m.Check(list)
	if err != nil {
		m.Log.Warn(err.Error(), "unit", string(u.Name))
	}
	if !met {
		not := ""
		if failed.Negate {
			not = "!"
		}
		m.Log.Debug("condition not met", "unit", string(u.Name), failed.Kind.String(), not+failed.Param)
	}
	return met
}

// forShutdown: a unit that shutdown.target does not stop may start while the system goes down.
func (m *Manager) forShutdown(u *job.Unit) bool {
	down := m.engine.Known(shutdownTarget)
	return down == nil || !u.Depends(job.Conflicts|job.ConflictedBy, down)
}

// limited counts a start and reports whether it is one too many (systemd.unit(5), StartLimitIntervalSec=).
func (s *state) limited() bool {
	interval, burst := s.unit.StartLimitInterval, int(s.unit.StartLimitBurst)
	if interval <= 0 || burst <= 0 {
		return false
	}
	now := time.Now()
	kept := s.starts[:0]
	for _, t := range s.starts {
		if interval == unit.Infinity || now.Sub(t) < interval {
			kept = append(kept, t)
		}
	}
	s.starts = kept
	if len(kept) >= burst {
		return true
	}
	s.starts = append(s.starts, now)
	return false
}

func (m *Manager) canReload(u *job.Unit) bool {
	if u.Service == nil {
		return false
	}
	return len(u.Service.Commands[unit.ExecReload]) > 0 || u.Service.Type == unit.NotifyReload
}

// passive is a unit without processes: a target or a slice, which is there once it is started; or one of a type that
// firn-init does not run, which is skipped aloud.
type passive struct {
	state
	warned bool
}

func (p *passive) start() job.Outcome {
	switch t := p.unit.Name.Type(); t {
	case unit.TargetType, unit.SliceType, unit.ScopeType:
	case unit.MountType:
		if p.unit.Mount == nil || !mounted(p.m.Root, p.unit.Mount.Where) {
			return p.skip("mount units")
		}
	case unit.DeviceType:
		return job.NotSupported // as in any container: there is no udev
	default:
		return p.skip(t.String() + " units")
	}
	p.report(job.Active, 0)
	return job.Accepted
}

func (p *passive) skip(what string) job.Outcome {
	if !p.warned {
		p.m.Log.Warn(what+" are not supported: skipped", "unit", p.name())
		p.warned = true
	}
	return job.ConditionNo
}

func (p *passive) stop(bool) job.Outcome {
	p.report(job.Inactive, 0)
	return job.Accepted
}

func (p *passive) reload() job.Outcome { return job.NoSuchVerb }

func (p *passive) sub() string {
	if p.unit.State() == job.Active {
		return "active"
	}
	return "dead"
}
