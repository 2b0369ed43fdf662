package unit

import "iter"

// DepKind is one way in which a unit depends on another (systemd.unit(5), "Mapping of unit properties to their
// inverses"; the names are those of D-Bus properties, which systemctl show prints).
type DepKind uint8

// Kinds of dependencies. Those without a setting come from the inverse's setting in another unit.
const (
	Requires DepKind = iota
	Requisite
	Wants
	BindsTo
	PartOf
	Upholds
	RequiredBy
	RequisiteOf
	WantedBy
	BoundBy
	ConsistsOf
	UpheldBy
	Conflicts
	ConflictedBy
	Before
	After
	OnSuccess
	OnSuccessOf
	OnFailure
	OnFailureOf
	Triggers
	TriggeredBy
	PropagatesReloadTo
	ReloadPropagatedFrom
	PropagatesStopTo
	StopPropagatedFrom
	JoinsNamespaceOf // its own inverse
	SliceOf
	InSlice
	kindCount
)

var kindNames = [...]string{"Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "RequiredBy",
	"RequisiteOf", "WantedBy", "BoundBy", "ConsistsOf", "UpheldBy", "Conflicts", "ConflictedBy", "Before", "After",
	"OnSuccess", "OnSuccessOf", "OnFailure", "OnFailureOf", "Triggers", "TriggeredBy", "PropagatesReloadTo",
	"ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom", "JoinsNamespaceOf", "SliceOf", "InSlice"}

func (k DepKind) String() string { return kindNames[k] }

var inverses = [kindCount]DepKind{
	Requires: RequiredBy, Requisite: RequisiteOf, Wants: WantedBy, BindsTo: BoundBy, PartOf: ConsistsOf, Upholds: UpheldBy,
	RequiredBy: Requires, RequisiteOf: Requisite, WantedBy: Wants, BoundBy: BindsTo, ConsistsOf: PartOf, UpheldBy: Upholds,
	Conflicts: ConflictedBy, ConflictedBy: Conflicts, Before: After, After: Before,
	OnSuccess: OnSuccessOf, OnSuccessOf: OnSuccess, OnFailure: OnFailureOf, OnFailureOf: OnFailure,
	Triggers: TriggeredBy, TriggeredBy: Triggers,
	PropagatesReloadTo: ReloadPropagatedFrom, ReloadPropagatedFrom: PropagatesReloadTo,
	PropagatesStopTo: StopPropagatedFrom, StopPropagatedFrom: PropagatesStopTo,
	JoinsNamespaceOf: JoinsNamespaceOf, SliceOf: InSlice, InSlice: SliceOf,
}

// Inverse is the kind that the other unit has.
func (k DepKind) Inverse() DepKind { return inverses[k] }

// Origin tells why a dependency is there.
type Origin uint8

// Origins.
const (
	FromFile     Origin = iota // a setting, or a link in .wants/, .requires/ or .upholds/
	FromDefault                // DefaultDependencies=
	FromImplicit               // follows from another setting: Type=dbus, Slice=, a mount's path
	FromInverse                // the other unit's FromFile
)

// Dep is one dependency. Name is the primary name of the other unit once the graph is joined.
type Dep struct {
	Kind   DepKind
	Origin Origin
	Name   Name
}

// Deps are a unit's dependencies: in the order of the text, each kind and name once.
type Deps []Dep

// Of goes through the names of one kind.
func (d Deps) Of(kind DepKind) iter.Seq[Name] {
	return func(yield func(Name) bool) {
		for i := range d {
			if d[i].Kind == kind && !yield(d[i].Name) {
				return
			}
		}
	}
}

// Has tells whether there is such a dependency.
func (d Deps) Has(kind DepKind, name Name) bool {
	for i := range d {
		if d[i].Kind == kind && d[i].Name == name {
			return true
		}
	}
	return false
}

// Add appends a dependency unless it is there.
func (d *Deps) Add(kind DepKind, origin Origin, name Name) {
	if !d.Has(kind, name) {
		*d = append(*d, Dep{kind, origin, name})
	}
}
