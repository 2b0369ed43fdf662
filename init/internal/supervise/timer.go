package supervise

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"firn/init/internal/job"
	"firn/init/internal/unit"
)

// timer drives a timer unit.
//
//	state   | event                               | next
//	--------+-------------------------------------+------------------------------------------------------------
//	dead    | start                               | waiting until the next time, or elapsed if there is none
//	waiting | the time has come                   | running: the unit is started
//	running | the unit is down again              | waiting, or elapsed
//	elapsed | the unit's state changes            | waiting, if a time follows from that
//	any     | stop                                | dead
type timer struct {
	state
	clock   *time.Timer
	next    time.Time // zero: none
	last    time.Time // when it elapsed last, kept over boots with Persistent=
	running bool
	epoch   int
}

func (t *timer) sub() string {
	switch {
	case t.unit.State() != job.Active:
		return "dead"
	case t.running:
		return "running"
	case t.next.IsZero():
		return "elapsed"
	}
	return "waiting"
}

func (t *timer) target() unit.Name {
	if t.unit.Timer.Unit != "" {
		return t.unit.Timer.Unit
	}
	return t.unit.Name.WithType(unit.ServiceType)
}

// stamp is where Persistent= keeps the time (systemd.timer(5)).
func (t *timer) stamp() string {
	return filepath.Join(t.m.Root, "/var/lib/systemd/timers/stamp-"+t.name())
}

func (t *timer) start() job.Outcome {
	if t.unit.Timer.Persistent {
		info, err := os.Stat(t.stamp())
		switch {
		case err == nil:
			t.last = info.ModTime()
		default:
			t.touch()
			t.last = time.Now()
		}
	}
	t.report(job.Active, 0)
	t.schedule()
	return job.Accepted
}

func (t *timer) touch() {
	if err := os.MkdirAll(filepath.Dir(t.stamp()), 0o755); err != nil {
		t.m.Log.Warn("Persistent=: "+err.Error(), "unit", t.name())
		return
	}
	if f, err := os.Create(t.stamp()); err == nil {
		_ = f.Close()
	}
	now := time.Now()
	_ = os.Chtimes(t.stamp(), now, now)
}

// schedule finds the next time and waits for it.
func (t *timer) schedule() {
	t.disarm()
	if t.unit.State() != job.Active {
		return
	}
	t.next = t.nextTime(time.Now())
	if t.next.IsZero() {
		return
	}
	delay := time.Until(t.next) + t.spread()
	epoch := t.epoch
	t.clock = t.m.after(max(0, min(delay, maxSleep)), func() {
		switch {
		case t.epoch != epoch:
		case delay > maxSleep, time.Now().Before(t.next):
			t.schedule() // the clock was set, or the sleep was cut
		default:
			t.elapse()
		}
	})
}

// maxSleep bounds one sleep: a clock that is set while we sleep is noticed after it.
const maxSleep = 10 * time.Minute

func (t *timer) spread() time.Duration {
	d := t.unit.Timer.RandomizedDelay
	if d <= 0 || d == unit.Infinity {
		return 0
	}
	if t.unit.Timer.FixedRandomDelay {
		sum := uint64(14695981039346656037) // FNV-1a over the name: the same each time
		for _, c := range []byte(t.name()) {
			sum = (sum ^ uint64(c)) * 1099511628211
		}
		return time.Duration(sum % uint64(d))
	}
	return rand.N(d)
}

func (t *timer) disarm() {
	t.epoch++
	if t.clock != nil {
		t.clock.Stop()
		t.clock = nil
	}
}

// nextTime is the earliest of all that the unit says.
func (t *timer) nextTime(now time.Time) (next time.Time) {
	earliest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, spec := range t.unit.Timer.Calendar {
		base := now
		if t.unit.Timer.Persistent && !t.last.IsZero() && t.last.Before(now) {
			base = t.last // what was missed is made up for at once
		}
		if at, ok := spec.Next(base); ok {
			earliest(at)
		}
	}
	for _, base := range t.unit.Timer.Monotonic {
		from, ok := t.base(base.Base)
		if !ok {
			continue
		}
		at := from.Add(base.Span)
		if !t.last.IsZero() && !at.After(t.last) {
			continue // it has elapsed for this
		}
		earliest(at)
	}
	return next
}

// base is the moment that a monotonic setting counts from.
func (t *timer) base(e unit.TimerEvent) (time.Time, bool) {
	u := t.m.engine.Known(t.target())
	var s *state
	if u != nil {
		s = stateOf(u)
	}
	switch e {
	case unit.OnActive:
		return t.activated, true
	case unit.OnBoot, unit.OnStartup:
		return t.m.began, true
	case unit.OnUnitActive:
		return timeOf(s, func(s *state) time.Time { return s.activated })
	}
	return timeOf(s, func(s *state) time.Time { return s.deactivated })
}

func timeOf(s *state, get func(*state) time.Time) (time.Time, bool) {
	if s == nil {
		return time.Time{}, false
	}
	at := get(s)
	return at, !at.IsZero()
}

// stateOf gives what is kept of a unit that has a driver.
func stateOf(u *job.Unit) *state {
	switch d := u.Driver.(type) {
	case *service:
		return &d.state
	case *socket:
		return &d.state
	case *timer:
		return &d.state
	case *passive:
		return &d.state
	}
	return nil
}

func (t *timer) elapse() {
	t.last = time.Now()
	if t.unit.Timer.Persistent {
		t.touch()
	}
	t.next = time.Time{}
	if t.m.closing {
		return
	}
	if _, err := t.m.engine.Enqueue(t.m.engine.Unit(t.target()), job.Start, unit.JobReplace); err != nil {
		t.m.Log.Warn("start its unit: "+err.Error(), "unit", t.name())
		t.report(job.Failed, 0)
		return
	}
	t.running = true
}

// triggered hears of the unit's states.
func (t *timer) triggered(u *job.Unit, _, to job.State) {
	if t.unit.State() != job.Active {
		return
	}
	t.running = !to.Down()
	if to.Down() || to == job.Active {
		t.schedule()
	}
}

func (t *timer) stop(bool) job.Outcome {
	t.disarm()
	t.next, t.running = time.Time{}, false
	t.report(job.Inactive, 0)
	return job.Accepted
}

func (t *timer) reload() job.Outcome { return job.NoSuchVerb }
