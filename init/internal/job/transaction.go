package job

import (
	"fmt"

	"firn/init/internal/unit"
)

// step is a job that is being planned.
type step struct {
	unit    *Unit
	typ     Type
	by      []*pull // who wants it
	pulls   []*pull // what it wants
	matters bool    // the job asked for cannot be without it
	dropped bool
}

// pull is why a step is there.
type pull struct {
	from, to *step
	needed   bool // from cannot be without to
	conflict bool // to stops what conflicts with from
}

// transaction is what becomes of a request.
type transaction struct {
	e      *Engine
	mode   unit.JobMode
	anchor *step
	steps  map[*Unit][]*step
	order  []*Unit // of the steps, as they were pulled in
	queue  []*step // not yet expanded
}

// plan makes a transaction, ready to be applied.
func (e *Engine) plan(u *Unit, typ Type, mode unit.JobMode) (*transaction, error) {
	t := &transaction{e: e, mode: mode, steps: make(map[*Unit][]*step)}
	anchor, err := t.add(u, collapse(typ, u.state), nil, true, false)
	if err != nil {
		return nil, err
	}
	t.anchor = anchor
	if mode != unit.JobIgnoreDependencies && mode != unit.JobIgnoreRequirements {
		if err := t.expandAll(); err != nil {
			return nil, err
		}
	}
	if mode == unit.JobIsolate {
		if err := t.isolate(); err != nil {
			return nil, err
		}
	}
	t.mark()
	if mode == unit.JobFail {
		t.minimize()
	}
	t.dropRedundant()
	for _, phase := range []func() error{t.mergeAll, t.breakCycles} {
		if err := phase(); err != nil {
			return nil, err
		}
	}
	t.dropRedundant()
	t.collect()
	return t, t.check()
}

// add plans one more step, or finds the one that is planned already.
func (t *transaction) add(u *Unit, typ Type, from *step, needed, conflict bool) (*step, error) {
	if typ != Stop && typ != nop && u.Unit.State != unit.Loaded {
		return nil, &LoadError{Name: u.Name, State: u.Unit.State, Err: u.Err}
	}
	if !t.e.applies(u, typ) {
		return nil, fmt.Errorf("%s %s: %w", typ, u.Name, ErrNotApplicable)
	}
	var s *step
	for _, have := range t.steps[u] {
		if have.typ == typ {
			s = have
		}
	}
	if s == nil {
		s = &step{unit: u, typ: typ}
		if t.steps[u] == nil {
			t.order = append(t.order, u)
		}
		t.steps[u] = append(t.steps[u], s)
		t.queue = append(t.queue, s)
	}
	if from != nil {
		p := &pull{from: from, to: s, needed: needed, conflict: conflict}
		from.pulls = append(from.pulls, p)
		s.by = append(s.by, p)
	}
	return s, nil
}

// expandAll pulls in what each step wants. A step that cannot have what it needs goes, and with it those that need it;
// an error if that is the anchor.
func (t *transaction) expandAll() error {
	for len(t.queue) > 0 {
		s := t.queue[0]
		t.queue = t.queue[1:]
		if s.dropped {
			continue
		}
		if err := t.expand(s); err != nil {
			if t.drop(s); t.anchor.dropped {
				return err
			}
			t.e.notice(Notice{Kind: Dropped, Unit: s.unit, Type: s.typ, Err: err})
		}
	}
	return nil
}

// wants is one row of what a step pulls in.
type wants struct {
	kinds    Kind
	typ      Type
	needed   bool
	conflict bool
}

var (
	startWants = []wants{
		{kinds: pullsInStart, typ: Start, needed: true},
		{kinds: pullsInStartSoft, typ: Start},
		{kinds: pullsInVerify, typ: Verify, needed: true},
		{kinds: pullsInStop, typ: Stop, needed: true, conflict: true},
		{kinds: pullsInStopSoft, typ: Stop},
	}
	stopWants = []wants{{kinds: stopsWith, typ: Stop, needed: true}}
	// A restart pulls in what a start does, and restarts what needs the unit.
	restartWants = append([]wants{{kinds: restartsWith, typ: TryRestart, needed: true}}, startWants...)
	reloadWants  = []wants{{kinds: PropagatesReloadTo, typ: TryReload}}
)

func (t *transaction) expand(s *step) (err error) {
	rows := startWants
	switch s.typ {
	case Stop:
		rows = stopWants
	case Restart:
		rows = restartWants
	case Reload:
		rows = reloadWants
	case Verify, nop:
		return nil
	}
	for _, row := range rows {
		s.unit.Others(row.kinds, func(other *Unit) {
			typ := collapse(row.typ, other.state)
			if err != nil || typ == nop && row.typ != nop {
				return // nothing to restart or to reload
			}
			_, addErr := t.add(other, typ, s, row.needed, row.conflict)
			switch {
			case addErr == nil:
			case row.needed:
				err = addErr
			default:
				t.e.notice(Notice{Kind: Ignored, Unit: s.unit, Other: other, Type: typ, Err: addErr})
			}
		})
	}
	return err
}

// isolate stops every unit that the transaction has not.
func (t *transaction) isolate() error {
	for _, u := range t.e.Units() {
		if u.Has(unit.IgnoreOnIsolate) || t.steps[u] != nil || u.state.Down() && u.job == nil || t.spared(u) {
			continue
		}
		if _, err := t.add(u, Stop, t.anchor, false, false); err != nil {
			return err
		}
	}
	return t.expandAll()
}

// spared: what triggers a unit that stays, stays too, as a socket does for its service.
func (t *transaction) spared(u *Unit) (spared bool) {
	if u.Has(unit.Perpetual) {
		return true
	}
	u.Others(Triggers, func(other *Unit) { spared = spared || t.steps[other] != nil })
	return spared
}

// mark finds what matters to the anchor.
func (t *transaction) mark() {
	t.each(func(s *step) { s.matters = false })
	t.anchor.matters = true
	for queue := []*step{t.anchor}; len(queue) > 0; {
		s := queue[0]
		queue = queue[1:]
		for _, p := range s.pulls {
			if p.needed && !p.to.dropped && !p.to.matters {
				p.to.matters = true
				queue = append(queue, p.to)
			}
		}
	}
}

// each visits the steps in order.
func (t *transaction) each(visit func(*step)) {
	for _, u := range t.order {
		for _, s := range t.steps[u] {
			if !s.dropped {
				visit(s)
			}
		}
	}
}

// drop removes a step and all that need it.
func (t *transaction) drop(s *step) {
	for queue := []*step{s}; len(queue) > 0; {
		s, queue = queue[0], queue[1:]
		if s.dropped {
			continue
		}
		s.dropped = true
		for _, p := range s.by {
			if p.needed {
				queue = append(queue, p.from)
			}
		}
	}
}

// of gives the steps of a unit that are left.
func (t *transaction) of(u *Unit) (left []*step) {
	for _, s := range t.steps[u] {
		if !s.dropped {
			left = append(left, s)
		}
	}
	return left
}
