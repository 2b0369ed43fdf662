package job

import (
	"slices"

	"firn/init/internal/unit"
)

// breakCycles drops steps until the order of those left, and of the jobs that are waiting, can be kept.
func (t *transaction) breakCycles() error {
	if t.mode == unit.JobIgnoreDependencies {
		return nil
	}
	for {
		cycle := t.findCycle()
		if cycle == nil {
			return nil
		}
		victim := t.victim(cycle)
		if victim == nil {
			return &CycleError{Units: names(cycle)}
		}
		t.e.notice(Notice{Kind: CycleBroken, Unit: victim.unit, Type: victim.typ, Cycle: names(cycle)})
		t.drop(victim)
		t.collect()
		t.mark()
	}
}

func names(units []*Unit) []unit.Name {
	all := make([]unit.Name, len(units))
	for i, u := range units {
		all[i] = u.Name
	}
	return all
}

// victim chooses the step to drop: one that does not matter to the anchor, better one that nothing else needs, and of
// those the last in the cycle.
func (t *transaction) victim(cycle []*Unit) *step {
	var needed *step
	for _, u := range slices.Backward(cycle) {
		for _, s := range t.of(u) {
			if s.matters {
				continue
			}
			if !slices.ContainsFunc(s.by, func(p *pull) bool { return p.needed && !p.from.dropped }) {
				return s
			}
			if needed == nil {
				needed = s
			}
		}
	}
	return needed
}

// typeOf is the type of the job that a unit will have.
func (t *transaction) typeOf(u *Unit) (Type, bool) {
	if s := t.of(u); len(s) > 0 {
		return s[0].typ, true
	}
	if u.job != nil && !u.job.ignoreOrder {
		return u.job.Type, true
	}
	return nop, false
}

// visit is a place on the path of the search.
type visit struct {
	unit *Unit
	next int // edge to follow
}

// findCycle gives units of which each waits for the next, and the last for the first; nil if there are none.
func (t *transaction) findCycle() []*Unit {
	const (
		white = iota
		gray
		black
	)
	color := make(map[*Unit]int, len(t.order))
	for _, start := range t.order {
		if _, ok := t.typeOf(start); !ok || color[start] != white {
			continue
		}
		path := []visit{{unit: start}}
		color[start] = gray
		for len(path) > 0 {
			top := &path[len(path)-1]
			next := t.following(top)
			switch {
			case next == nil:
				color[top.unit] = black
				path = path[:len(path)-1]
			case color[next] == gray:
				return cut(path, next)
			case color[next] == white:
				color[next] = gray
				path = append(path, visit{unit: next})
			}
		}
	}
	return nil
}

// following gives the next unit that one waits for.
func (t *transaction) following(v *visit) *Unit {
	typ, _ := t.typeOf(v.unit)
	for v.next < len(v.unit.edges) {
		e := v.unit.edges[v.next]
		v.next++
		if e.kind&(Before|After) == 0 {
			continue
		}
		if other, ok := t.typeOf(e.to); ok && comesAfter(e.kind, typ, other) {
			return e.to
		}
	}
	return nil
}

// cut gives the part of a path from a unit on.
func cut(path []visit, from *Unit) (cycle []*Unit) {
	for _, v := range path {
		if len(cycle) > 0 || v.unit == from {
			cycle = append(cycle, v.unit)
		}
	}
	return cycle
}
