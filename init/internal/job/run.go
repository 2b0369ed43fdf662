package job

import "firn/init/internal/unit"

// runnable reports whether no job that comes before is left.
func (j *Job) runnable() bool {
	if j.ignoreOrder || j.Type == nop {
		return true
	}
	for _, e := range j.Unit.edges {
		other := e.to.job
		if other != nil && e.kind&(Before|After) != 0 && comesAfter(e.kind, j.Type, other.Type) {
			return false
		}
	}
	return true
}

// perform runs a job if its turn has come.
func (e *Engine) perform(j *Job) {
	if j.over || j.Running || !j.runnable() {
		return
	}
	j.Running = true
	e.arm(j, j.Unit.JobRunningTimeout)
	switch j.Type {
	case nop:
		e.finish(j, Done, true)
	case Verify:
		e.verify(j)
	case Start, Reload:
		e.answered(j, e.Do(j.Unit, j.Type))
	case Stop, Restart:
		e.answered(j, e.Do(j.Unit, Stop))
	}
}

func (e *Engine) verify(j *Job) {
	switch s := j.Unit.state; {
	case s.Up():
		e.finish(j, Done, true)
	case s == Activating:
		j.Running = false
	default:
		e.finish(j, Skipped, true)
	}
}

var outcomes = map[Outcome]Result{
	AlreadySo: Done, ConditionNo: Skipped, AssertNo: Assert, Impossible: Failure, NoSuchVerb: Invalid, NotSupported: Unsupported,
}

func (e *Engine) answered(j *Job, o Outcome) {
	if j.over {
		return // whatever was done has canceled it
	}
	switch o {
	case Accepted:
	case Later:
		j.Running = false
	default:
		e.finish(j, outcomes[o], true)
	}
}

// finish ends a job. spread tells those whose jobs depend on its success.
func (e *Engine) finish(j *Job, r Result, spread bool) {
	u := j.Unit
	if j.Type == Restart && r == Done {
		// The stop is done. The start waits for its own turn.
		j.Type, j.Running = Start, false
		e.enqueue(j)
		e.wakeOthers(u)
		return
	}
	j.over, j.Result, j.Running = true, r, false
	if u.job == j {
		u.job = nil
	}
	if spread {
		e.spread(j, r)
	}
	if e.Finished != nil {
		e.Finished(j)
	}
	e.wakeOthers(u)
	e.checkAround(u)
}

// spread notes what a job's end means to the jobs of others. A start whose condition was not met counts as done, but
// what asked for the unit to be there (Requisite=, BindsTo=) does not get it.
func (e *Engine) spread(j *Job, r Result) {
	good := r == Done || r == Skipped && j.Type != Verify
	switch {
	case good && j.Type.starts() && !j.Unit.state.Up():
		e.failing = append(e.failing, failing{j.Unit, RequisiteOf})
	case good:
	case j.Type.starts() || j.Type == Restart:
		e.failing = append(e.failing, failing{j.Unit, failsWith})
	case j.Type == Stop:
		e.failing = append(e.failing, failing{j.Unit, stopFailsWith})
	}
	// A unit that has failed by itself reports that as its state.
	if r == Timeout || r == Dependency {
		e.trigger(j.Unit, OnFailure, j.Unit.OnFailureJobMode)
	}
}

func (e *Engine) failOthers(f failing) {
	f.unit.Others(f.kinds, func(other *Unit) {
		if j := other.job; j != nil && j.Type.starts() {
			e.finish(j, Dependency, true)
		}
	})
}

// wakeOthers has the jobs looked at again that may have waited for one of the unit.
func (e *Engine) wakeOthers(u *Unit) {
	u.Others(Before|After, func(other *Unit) { e.enqueue(other.job) })
	e.enqueue(u.job)
}

// trigger starts the units of OnFailure= or OnSuccess=.
func (e *Engine) trigger(u *Unit, kind Kind, mode unit.JobMode) {
	u.Others(kind, func(other *Unit) { e.follow(u, other, Start, mode) })
}

// follow requests what follows from a unit's state.
func (e *Engine) follow(u, other *Unit, typ Type, mode unit.JobMode) {
	if _, err := e.Enqueue(other, typ, mode); err != nil {
		e.notice(Notice{Kind: RequestFailed, Unit: u, Other: other, Type: typ, Err: err})
	}
}
