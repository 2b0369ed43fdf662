package job

import (
	"cmp"
	"slices"

	"firn/init/internal/unit"
)

// Graph holds units by name, each with what it says of others and others say of it.
type Graph struct {
	load  func(unit.Name) *unit.Unit
	units map[unit.Name]*Unit
}

// NewGraph makes a graph that is empty. load gives a unit when its name is met first, and never nil: what is not there
// has a State that says so. A name may be an alias; the unit's Name is another then.
func NewGraph(load func(unit.Name) *unit.Unit) *Graph {
	return &Graph{load: load, units: make(map[unit.Name]*Unit)}
}

// Unit gives the unit of a name, and loads it with all that it mentions if need be.
func (g *Graph) Unit(name unit.Name) *Unit {
	u := g.named(name)
	queue := []*Unit{u}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if next.joined {
			continue
		}
		next.joined = true
		queue = append(queue, g.join(next)...)
	}
	return u
}

// join makes the edges that a unit's own data ask for, and returns the other ends.
func (g *Graph) join(u *Unit) []*Unit {
	var found []*Unit
	for _, d := range u.Deps {
		other := g.named(d.Name)
		if other == u {
			continue // a unit cannot wait for itself
		}
		kind := Kind(1) << d.Kind
		u.link(kind, other, d.Origin != unit.FromInverse)
		other.link(kind.inverse(), u, false)
		found = append(found, other)
	}
	return found
}

// named gives the node of a name, but not yet with its edges.
func (g *Graph) named(name unit.Name) *Unit {
	if u := g.units[name]; u != nil {
		return u
	}
	data := g.load(name)
	u := g.units[data.Name]
	if u == nil {
		u = &Unit{Unit: data}
		if data.Has(unit.Perpetual) {
			u.state = Active
		}
		g.units[data.Name] = u
	}
	g.units[name] = u
	return u
}

// Known gives the unit of a name if it is loaded, else nil.
func (g *Graph) Known(name unit.Name) *Unit { return g.units[name] }

// Units gives all units, each once, by name.
func (g *Graph) Units() []*Unit {
	all := make([]*Unit, 0, len(g.units))
	for name, u := range g.units {
		if name == u.Name {
			all = append(all, u)
		}
	}
	slices.SortFunc(all, func(a, b *Unit) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// Link adds a dependency that no file has.
func (g *Graph) Link(from *Unit, kind Kind, to *Unit) {
	from.link(kind, to, true)
	to.link(kind.inverse(), from, false)
}

// Forget drops a unit that is down, has no job, and is not needed again; by its name it would be loaded anew.
func (g *Graph) Forget(u *Unit) {
	for _, e := range u.edges {
		e.to.edges = slices.DeleteFunc(e.to.edges, func(back edge) bool { return back.to == u })
	}
	u.edges = nil
	for name, other := range g.units {
		if other == u {
			delete(g.units, name)
		}
	}
}

// Reload loads every unit again, with its state and its job kept.
func (g *Graph) Reload(load func(unit.Name) *unit.Unit) {
	g.load = load
	for _, u := range g.Units() {
		u.edges, u.joined = nil, false
		u.Unit = g.load(u.Name)
	}
	for _, u := range g.Units() {
		g.Unit(u.Name)
	}
}
