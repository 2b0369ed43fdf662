package job

import (
	"fmt"

	"firn/init/internal/unit"
)

// collect drops the steps that nobody wants any more.
func (t *transaction) collect() {
	wanted := map[*step]bool{t.anchor: true}
	for queue := []*step{t.anchor}; len(queue) > 0; {
		s := queue[0]
		queue = queue[1:]
		for _, p := range s.pulls {
			if !p.to.dropped && !wanted[p.to] {
				wanted[p.to] = true
				queue = append(queue, p.to)
			}
		}
	}
	t.each(func(s *step) { s.dropped = !wanted[s] })
}

// dropRedundant drops the steps of units that are already as all their steps would make them. What only such a step
// wanted goes with it: a unit that is up asks for nothing anew.
func (t *transaction) dropRedundant() {
	for _, u := range t.order {
		steps := t.of(u)
		redundantAll := len(steps) > 0
		for _, s := range steps {
			if s == t.anchor || !redundant(s.typ, u.state) || u.job != nil && conflicting(u.job.Type, s.typ) {
				redundantAll = false
			}
		}
		if redundantAll {
			for _, s := range steps {
				s.dropped = true
			}
		}
	}
	t.collect()
}

// conflicting reports whether two jobs of one unit exclude each other.
func conflicting(a, b Type) bool {
	if a == b || a == nop || b == nop {
		return false
	}
	_, ok := merges[[2]Type{min(a, b), max(a, b)}]
	return !ok
}

// minimize drops what does not matter and would stop a unit or another job.
func (t *transaction) minimize() {
	t.each(func(s *step) {
		stops := s.typ == Stop && (s.unit.state.Up() || s.unit.state == Activating)
		undoes := s.unit.job != nil && conflicting(s.unit.job.Type, s.typ)
		if !s.matters && (stops || undoes) {
			t.drop(s)
		}
	})
	t.collect()
}

// mergeAll makes one step of the steps of each unit.
func (t *transaction) mergeAll() error {
	for again := true; again; {
		again = false
		for _, u := range t.order {
			if a, b := t.clash(u); a != nil {
				if err := t.resolve(a, b); err != nil {
					return err
				}
				t.collect()
				t.mark()
				again = true
			}
		}
	}
	for _, u := range t.order {
		t.mergeUnit(u)
	}
	return nil
}

// clash finds two steps of a unit that exclude each other.
func (t *transaction) clash(u *Unit) (a, b *step) {
	steps := t.of(u)
	for i, a := range steps {
		for _, b := range steps[i+1:] {
			if conflicting(a.typ, b.typ) {
				return a, b
			}
		}
	}
	return nil, nil
}

// resolve drops one of two steps. If neither matters, the unit that conflicts is started and the one that is
// conflicted with is stopped (systemd.unit(5), Conflicts=).
func (t *transaction) resolve(a, b *step) error {
	stop, other := a, b
	if other.typ == Stop {
		stop, other = other, stop
	}
	victim := stop
	switch {
	case a.matters && b.matters:
		return fmt.Errorf("%s both %s and %s: %w", a.unit.Name, a.typ, b.typ, ErrConflict)
	case stop.matters, !other.matters && byConflict(stop):
		victim = other
	}
	t.e.notice(Notice{Kind: Dropped, Unit: victim.unit, Type: victim.typ, Err: ErrConflict})
	t.drop(victim)
	return nil
}

func byConflict(s *step) bool {
	for _, p := range s.by {
		if p.conflict && !p.from.dropped {
			return true
		}
	}
	return false
}

func (t *transaction) mergeUnit(u *Unit) {
	steps := t.of(u)
	for len(steps) > 1 {
		keep, other := steps[0], steps[1]
		if other == t.anchor {
			keep, other = other, keep
		}
		keep.typ, _ = merge(keep.typ, other.typ, u.state)
		keep.matters = keep.matters || other.matters
		for _, p := range other.by {
			p.to = keep
		}
		for _, p := range other.pulls {
			p.from = keep
		}
		keep.by, keep.pulls = append(keep.by, other.by...), append(keep.pulls, other.pulls...)
		other.dropped = true
		steps = append(steps[2:], keep)
	}
}

// check refuses a transaction that would cancel jobs which must not be canceled.
func (t *transaction) check() (err error) {
	t.each(func(s *step) {
		j := s.unit.job
		if err != nil || j == nil || !conflicting(j.Type, s.typ) {
			return
		}
		if t.mode == unit.JobFail || j.irrevocable {
			err = fmt.Errorf("%s %s: %s is queued: %w", s.typ, s.unit.Name, j.Type, ErrDestructive)
		}
	})
	return err
}
