package unitload

import (
	"iter"
	"slices"

	"firn/init/internal/unit"
)

// Set is a graph of units.
type Set struct {
	byName map[unit.Name]*unit.Unit // by all names
	order  []*unit.Unit             // as they were loaded
	joined int                      // so many of order have their inverse dependencies
}

func newSet() *Set { return &Set{byName: map[unit.Name]*unit.Unit{}} }

// Get finds a unit by any of its names; nil: it is not in the set.
func (s *Set) Get(name unit.Name) *unit.Unit { return s.byName[name] }

// Len is the number of units.
func (s *Set) Len() int { return len(s.order) }

// All goes through the units in the order in which they were loaded.
func (s *Set) All() iter.Seq[*unit.Unit] { return slices.Values(s.order) }

func (s *Set) add(u *unit.Unit) {
	s.byName[u.Name] = u
	for _, alias := range u.Aliases {
		if s.byName[alias] == nil {
			s.byName[alias] = u
		}
	}
	s.order = append(s.order, u)
}

func (s *Set) alias(name unit.Name, u *unit.Unit) {
	s.byName[name] = u
	if name != u.Name && !slices.Contains(u.Aliases, name) {
		u.Aliases = append(u.Aliases, name)
	}
}

type edge struct {
	from, to unit.Name
	kind     unit.DepKind
}

// join gives every dependency its target's own name, and every target the inverse.
func (s *Set) join() {
	fresh := s.order[s.joined:]
	for _, u := range fresh {
		s.rename(u)
	}
	s.addTargetOrder(fresh)
	s.addMounts(fresh)
	if len(fresh)*8 < len(s.order) { // a few more, such as an instance for a connection
		s.invertFew(fresh)
	} else {
		s.invertAll()
	}
	s.joined = len(s.order)
}

// invertAll gives every unit the inverses of what others say of it.
func (s *Set) invertAll() {
	seen := make(map[edge]struct{}, 8*len(s.order))
	for _, u := range s.order {
		for _, d := range u.Deps {
			seen[edge{u.Name, d.Name, d.Kind}] = struct{}{}
		}
	}
	for _, u := range s.order {
		for _, d := range u.Deps {
			other := s.byName[d.Name]
			inverse := edge{d.Name, u.Name, d.Kind.Inverse()}
			if _, there := seen[inverse]; there || other == nil {
				continue
			}
			seen[inverse] = struct{}{}
			other.Deps = append(other.Deps, unit.Dep{Kind: inverse.kind, Origin: unit.FromInverse, Name: u.Name})
		}
	}
	for _, u := range s.order {
		u.Deps = slices.Clone(u.Deps) // without the room that growing left
	}
}

// invertFew does so where only some units are new: what the others say is all known.
func (s *Set) invertFew(fresh []*unit.Unit) {
	for _, u := range fresh {
		for _, d := range slices.Clone(u.Deps) {
			if other := s.byName[d.Name]; other != nil {
				other.Deps.Add(d.Kind.Inverse(), unit.FromInverse, u.Name)
			}
		}
	}
}

// rename replaces aliases by the names of their units, and drops what thereby depends on itself or stands twice.
func (s *Set) rename(u *unit.Unit) {
	kept := u.Deps[:0]
	for _, d := range u.Deps {
		if other := s.byName[d.Name]; other != nil {
			d.Name = other.Name
		}
		if d.Name != u.Name && !kept.Has(d.Kind, d.Name) {
			kept = append(kept, d)
		}
	}
	u.Deps = kept
}
