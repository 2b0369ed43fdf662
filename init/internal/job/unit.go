package job

import "firn/init/internal/unit"

// State is a unit's state; see the table at the package's head.
type State uint8

// States.
const (
	Inactive State = iota
	Activating
	Active
	Reloading
	Deactivating
	Failed
)

var stateNames = [...]string{"inactive", "activating", "active", "reloading", "deactivating", "failed"}

func (s State) String() string { return stateNames[s] }

// Up reports whether a unit in this state counts as started.
func (s State) Up() bool { return s == Active || s == Reloading }

// Down reports whether nothing of the unit is there.
func (s State) Down() bool { return s == Inactive || s == Failed }

// Unit is a node of the graph.
type Unit struct {
	*unit.Unit
	// Driver is what runs the unit; the engine does not look at it.
	Driver any

	state  State
	job    *Job
	edges  []edge
	joined bool
	// pressed: a check has asked for a job already in this state. What that came to does not make another.
	pressed bool
}

type edge struct {
	to   *Unit
	kind Kind
	own  Kind // of kind, what this unit's own files say, or defaults
}

// State is the state that was last reported.
func (u *Unit) State() State { return u.state }

// Job is the unit's job, nil for none.
func (u *Unit) Job() *Job { return u.job }

// Others calls visit for each unit that this one has one of the kinds of dependency on, once.
func (u *Unit) Others(kinds Kind, visit func(*Unit)) {
	for _, e := range u.edges {
		if e.kind&kinds != 0 {
			visit(e.to)
		}
	}
}

// Depends reports whether there is a dependency of one of the kinds on the other unit.
func (u *Unit) Depends(kinds Kind, other *Unit) bool {
	for _, e := range u.edges {
		if e.to == other {
			return e.kind&kinds != 0
		}
	}
	return false
}

func (u *Unit) link(kind Kind, to *Unit, own bool) {
	i := 0
	for i < len(u.edges) && u.edges[i].to != to {
		i++
	}
	if i == len(u.edges) {
		u.edges = append(u.edges, edge{to: to})
	}
	u.edges[i].kind |= kind
	if own {
		u.edges[i].own |= kind
	}
}
