package job

import (
	"math/bits"

	"firn/init/internal/unit"
)

// Kind is a set of kinds of dependency.
type Kind uint32

// Kinds that this package acts on, as systemd.unit(5) names them; unit.DepKind says what each is.
const (
	Requires           Kind = 1 << unit.Requires
	Requisite          Kind = 1 << unit.Requisite
	Wants              Kind = 1 << unit.Wants
	BindsTo            Kind = 1 << unit.BindsTo
	Upholds            Kind = 1 << unit.Upholds
	RequiredBy         Kind = 1 << unit.RequiredBy
	RequisiteOf        Kind = 1 << unit.RequisiteOf
	WantedBy           Kind = 1 << unit.WantedBy
	BoundBy            Kind = 1 << unit.BoundBy
	ConsistsOf         Kind = 1 << unit.ConsistsOf
	UpheldBy           Kind = 1 << unit.UpheldBy
	Conflicts          Kind = 1 << unit.Conflicts
	ConflictedBy       Kind = 1 << unit.ConflictedBy
	Before             Kind = 1 << unit.Before
	After              Kind = 1 << unit.After
	OnSuccess          Kind = 1 << unit.OnSuccess
	OnFailure          Kind = 1 << unit.OnFailure
	Triggers           Kind = 1 << unit.Triggers
	TriggeredBy        Kind = 1 << unit.TriggeredBy
	PropagatesReloadTo Kind = 1 << unit.PropagatesReloadTo
	PropagatesStopTo   Kind = 1 << unit.PropagatesStopTo
)

// What kinds of dependency do.
const (
	pullsInStart     = Requires | BindsTo                                                 // a start starts them, and needs it
	pullsInStartSoft = Wants | Upholds                                                    // a start starts them if it can
	pullsInVerify    = Requisite                                                          // a start needs them there already
	pullsInStop      = Conflicts                                                          // a start stops them, and needs it
	pullsInStopSoft  = ConflictedBy                                                       // a start stops them if it can
	stopsWith        = RequiredBy | RequisiteOf | BoundBy | ConsistsOf | PropagatesStopTo // a stop stops them
	restartsWith     = RequiredBy | RequisiteOf | BoundBy | ConsistsOf                    // a restart restarts those that are up
	failsWith        = RequiredBy | RequisiteOf | BoundBy                                 // their starts end with a start's failure
	stopFailsWith    = ConflictedBy                                                       // their starts end with a stop's failure
	needs            = RequiredBy | RequisiteOf | BoundBy | WantedBy | UpheldBy           // StopWhenUnneeded= asks these
	lateStart        = Requires | BindsTo                                                 // started when a unit came up without a job
	lateStartSoft    = Wants | Upholds
	lateStopOnStart  = Conflicts | ConflictedBy
	lateStopOnStop   = BoundBy | PropagatesStopTo
)

// inverse is the set that the other units have.
func (k Kind) inverse() (inverse Kind) {
	for rest := uint32(k); rest != 0; rest &= rest - 1 {
		inverse |= 1 << unit.DepKind(bits.TrailingZeros32(rest)).Inverse()
	}
	return inverse
}
