package job

import (
	"time"

	"firn/init/internal/unit"
)

// Outcome is what Do makes of a job at once.
type Outcome uint8

// Outcomes.
const (
	Accepted     Outcome = iota // it has begun; a change of state will end it
	AlreadySo                   // nothing to do
	ConditionNo                 // a condition is not met: as good as done
	AssertNo                    // an assertion is not met
	Later                       // not in this state; ask again when it changes
	Impossible                  // it was tried, or refused, and did not work
	NoSuchVerb                  // units of this type cannot
	NotSupported                // firn cannot
)

// Engine runs jobs. All its methods are for one goroutine; Do and the other functions may call Report, Request and
// Cancel, but not Settle.
type Engine struct {
	*Graph
	// Do begins a Start, Stop or Reload.
	Do func(u *Unit, verb Type) Outcome
	// CanReload reports whether a unit has a way to reload.
	CanReload func(u *Unit) bool
	// Finished is told of each job's end, Changed of each change of state after all that follows for jobs.
	Finished func(j *Job)
	Changed  func(u *Unit, from, to State)
	// Arm asks for a call of Expire after a while.
	Arm func(j *Job, after time.Duration)
	// Notice is told what an administrator should know.
	Notice func(Notice)

	lastID  int
	waiting []*Job
	changes []change
	failing []failing
	checks  []*Unit
}

// Notice is something that an administrator should know of a transaction.
type Notice struct {
	Kind  NoticeKind
	Unit  *Unit
	Other *Unit
	Type  Type
	Err   error
	Cycle []unit.Name
}

// NoticeKind is what a Notice is about.
type NoticeKind uint8

// Kinds of notices.
const (
	Dropped       NoticeKind = iota // Unit's job was left out for Err
	Ignored                         // Unit wanted a job for Other, which cannot be for Err
	CycleBroken                     // Unit's job was left out to break Cycle
	Unneeded                        // Unit is stopped: nothing needs it any more
	BoundLost                       // Unit is stopped: Other, which it is bound to, is gone
	Upheld                          // Unit is started: Other upholds it
	RequestFailed                   // a request that followed from Unit's state, for Other, ended with Err
)

// change is a state that was reported.
type change struct {
	unit     *Unit
	old, new State
	detail   Detail
}

// Detail says more of a change.
type Detail uint8

// Details.
const (
	ReloadFailed Detail = 1 << iota // the unit is back from a reload that did not work
	WillRestart                     // the unit is down and comes up again by itself
)

// failing is a job's failure that others are to be told of.
type failing struct {
	unit  *Unit
	kinds Kind
}

func (e *Engine) notice(n Notice) {
	if e.Notice != nil {
		e.Notice(n)
	}
}

// applies reports whether the unit can have a job of the type.
func (e *Engine) applies(u *Unit, typ Type) bool {
	return typ != Reload || e.CanReload == nil || e.CanReload(u)
}

// Request asks for a job as an administrator does. What RefuseManualStart= and the like forbid is an error.
func (e *Engine) Request(name unit.Name, typ Type, mode unit.JobMode) (*Job, error) {
	u := e.Unit(name)
	manualStart := typ == Start || typ == Restart || typ == TryRestart || typ == ReloadOrStart
	switch {
	case mode == unit.JobIsolate && !u.Has(unit.AllowIsolate):
		return nil, ErrNoIsolate
	case manualStart && u.Has(unit.RefuseManualStart), typ == Stop && u.Has(unit.RefuseManualStop|unit.Perpetual):
		return nil, ErrRefused
	}
	return e.Enqueue(u, typ, mode)
}

// Enqueue asks for a job. The job that it returns may be one that was there.
func (e *Engine) Enqueue(u *Unit, typ Type, mode unit.JobMode) (*Job, error) {
	t, err := e.plan(u, typ, mode)
	if err != nil {
		return nil, err
	}
	return e.apply(t), nil
}

// apply installs the jobs of a transaction.
func (e *Engine) apply(t *transaction) *Job {
	if t.mode == unit.JobIsolate || t.mode == unit.JobFlush {
		for _, u := range e.Units() {
			if u.job != nil && len(t.of(u)) == 0 {
				e.finish(u.job, Canceled, false)
			}
		}
	}
	var anchor *Job
	t.each(func(s *step) {
		j := e.install(s, t.mode)
		if s == t.anchor {
			anchor = j
		}
	})
	return anchor
}

// install makes a job of a step, or makes it part of the unit's job.
func (e *Engine) install(s *step, mode unit.JobMode) *Job {
	u := s.unit
	if old := u.job; old != nil && !conflicting(old.Type, s.typ) {
		typ, _ := merge(old.Type, s.typ, u.state)
		if typ != old.Type {
			old.Type, old.Running = typ, false
		}
		old.irrevocable = old.irrevocable || mode == unit.JobReplaceIrreversibly
		e.enqueue(old)
		return old
	}
	if u.job != nil {
		e.finish(u.job, Canceled, false)
	}
	e.lastID++
	j := &Job{
		ID: e.lastID, Unit: u, Type: s.typ,
		ignoreOrder: mode == unit.JobIgnoreDependencies, irrevocable: mode == unit.JobReplaceIrreversibly,
	}
	u.job = j
	e.arm(j, u.JobTimeout)
	e.enqueue(j)
	return j
}

func (e *Engine) arm(j *Job, after time.Duration) {
	if e.Arm != nil && after > 0 && after != unit.Infinity {
		e.Arm(j, after)
	}
}

// enqueue puts a job where the next Settle looks at it.
func (e *Engine) enqueue(j *Job) {
	if j != nil && !j.queued && !j.Running {
		j.queued = true
		e.waiting = append(e.waiting, j)
	}
}

// Report tells of a unit's new state. What follows from it happens in Settle.
func (e *Engine) Report(u *Unit, state State, detail Detail) {
	old := u.state
	u.state = state
	u.pressed = u.pressed && old == state
	e.changes = append(e.changes, change{unit: u, old: old, new: state, detail: detail})
}

// Expire ends a job whose time is over.
func (e *Engine) Expire(j *Job) {
	if !j.over {
		e.finish(j, Timeout, true)
	}
}

// Cancel ends a job at a user's wish.
func (e *Engine) Cancel(j *Job) {
	if !j.over {
		e.finish(j, Canceled, false)
	}
}

// Settle works off what was reported and requested, in phases over queues, until nothing is left to do at once. It
// ends, since each job runs once and each phase only begins what a state or a job asks for; what units then do comes
// back by Report.
func (e *Engine) Settle() {
	for {
		switch {
		case len(e.changes) > 0:
			c := e.changes[0]
			e.changes = e.changes[1:]
			e.propagate(c)
		case len(e.failing) > 0:
			f := e.failing[0]
			e.failing = e.failing[1:]
			e.failOthers(f)
		case len(e.waiting) > 0:
			j := e.waiting[0]
			e.waiting = e.waiting[1:]
			j.queued = false
			e.perform(j)
		case len(e.checks) > 0:
			u := e.checks[0]
			e.checks = e.checks[1:]
			e.check(u)
		default:
			e.changes, e.failing, e.waiting, e.checks = nil, nil, nil, nil // do not keep what they held
			return
		}
	}
}

// Idle reports whether no unit has a job.
func (e *Engine) Idle() bool {
	for _, u := range e.units {
		if u.job != nil {
			return false
		}
	}
	return true
}

// Jobs gives all jobs, by unit.
func (e *Engine) Jobs() (jobs []*Job) {
	for _, u := range e.Units() {
		if u.job != nil {
			jobs = append(jobs, u.job)
		}
	}
	return jobs
}
