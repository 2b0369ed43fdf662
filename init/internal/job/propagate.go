package job

import "firn/init/internal/unit"

// propagate carries one change of state on: to the unit's own job, and then to the units around.
func (e *Engine) propagate(c change) {
	u := c.unit
	expected := false
	if j := u.job; j != nil {
		expected = e.advance(j, c)
		e.enqueue(u.job)
	}
	if !expected {
		e.unexpected(c)
	}
	switch {
	case c.detail&WillRestart != 0 || c.new == c.old:
	case c.new == Failed:
		e.trigger(u, OnFailure, u.OnFailureJobMode)
	case c.new == Inactive && !c.old.Down():
		e.trigger(u, OnSuccess, u.OnSuccessJobMode)
	}
	e.checkAround(u)
	if e.Changed != nil {
		e.Changed(u, c.old, c.new)
	}
}

// advance ends the unit's job if the change is its end. It reports whether the change is one that the job asked for.
func (e *Engine) advance(j *Job, c change) (expected bool) {
	failed := func() Result {
		if c.new == Failed {
			return Failure
		}
		return Done
	}
	switch j.Type {
	case Start, Verify:
		switch {
		case c.new.Up():
			e.finish(j, Done, true)
		case !j.Running || c.new == Activating:
		default:
			if c.new.Down() {
				e.finish(j, failed(), true)
			}
			return false
		}
	case Reload:
		switch {
		case !j.Running || c.new == Activating || c.new == Reloading:
		case c.new == Active && c.detail&ReloadFailed != 0:
			e.finish(j, Failure, true)
		case c.new == Active:
			e.finish(j, Done, true)
		default:
			if c.new.Down() {
				e.finish(j, failed(), true)
			}
			return false
		}
	case Stop, Restart:
		switch {
		case c.new.Down():
			e.finish(j, Done, true)
		case j.Running && c.new != Deactivating:
			e.finish(j, Failure, true)
			return false
		}
	}
	return true
}

// unexpected makes up for jobs that were not there: what the unit needs is started after it, and what cannot be
// without it is stopped.
func (e *Engine) unexpected(c change) {
	up := c.new.Up() || c.new == Activating
	wasUp := c.old.Up() || c.old == Activating
	u := c.unit
	switch {
	case !wasUp && up:
		start := func(mode unit.JobMode) func(*Unit) {
			return func(other *Unit) {
				if !u.Depends(After, other) && !other.state.Up() && other.state != Activating {
					e.follow(u, other, Start, mode)
				}
			}
		}
		u.Others(lateStart, start(unit.JobReplace))
		u.Others(lateStartSoft, start(unit.JobFail))
		u.Others(lateStopOnStart, func(other *Unit) { e.stopIfUp(u, other) })
	case wasUp && !up:
		u.Others(lateStopOnStop, func(other *Unit) { e.stopIfUp(u, other) })
	}
}

func (e *Engine) stopIfUp(u, other *Unit) {
	if other.state.Up() || other.state == Activating {
		e.follow(u, other, Stop, unit.JobReplace)
	}
}

// checkAround has the conditions looked at that hold as long as a unit is up: StopWhenUnneeded=, BindsTo=, Upholds=.
func (e *Engine) checkAround(u *Unit) {
	e.checks = append(e.checks, u)
	u.Others(needs.inverse()|BoundBy|Upholds, func(other *Unit) { e.checks = append(e.checks, other) })
}

func (e *Engine) check(u *Unit) {
	if u.job != nil || u.pressed {
		return // once it is over, there is another check
	}
	press := func(kind NoticeKind, by *Unit, typ Type, mode unit.JobMode) {
		u.pressed = true
		e.notice(Notice{Kind: kind, Unit: u, Other: by})
		e.follow(by, u, typ, mode)
	}
	switch {
	case u.state == Active && u.Has(unit.StopWhenUnneeded) && !e.needed(u):
		press(Unneeded, u, Stop, unit.JobFail)
	case u.state.Up():
		if lost := e.lost(u); lost != nil {
			press(BoundLost, lost, Stop, unit.JobReplace)
		}
	case u.state.Down() && u.Unit.State == unit.Loaded:
		u.upholder(func(by *Unit) { press(Upheld, by, Start, unit.JobFail) })
	}
}

// needed reports whether a unit that is up, or about to be, needs this one.
func (e *Engine) needed(u *Unit) (needed bool) {
	u.Others(needs, func(other *Unit) {
		needed = needed || other.job != nil || !other.state.Down()
	})
	return needed
}

// lost gives what a unit is bound to by BindsTo= and After= and that is gone.
func (e *Engine) lost(u *Unit) (lost *Unit) {
	u.Others(BindsTo, func(other *Unit) {
		if u.Depends(After, other) && other.state.Down() && other.job == nil {
			lost = other
		}
	})
	return lost
}

// upholder calls found once if a unit that is up upholds this one.
func (u *Unit) upholder(found func(*Unit)) {
	for _, e := range u.edges {
		if e.kind&UpheldBy != 0 && e.to.state.Up() && e.to.job == nil {
			found(e.to)
			return
		}
	}
}
