package job

// Type is what a job does.
type Type uint8

// Types. The last three are asked for but never installed: they become others by the unit's state.
const (
	Start Type = iota
	Verify
	Stop
	Reload
	Restart
	nop
	TryRestart
	TryReload
	ReloadOrStart
)

var typeNames = [...]string{
	"start", "verify-active", "stop", "reload", "restart", "nop", "try-restart", "try-reload", "reload-or-start",
}

func (t Type) String() string { return typeNames[t] }

// merges is what two jobs of one unit become together; what is not there conflicts. A stop merges with nothing else.
var merges = map[[2]Type]Type{
	{Start, Verify}:          Start,
	{Start, Reload}:          ReloadOrStart,
	{Start, Restart}:         Restart,
	{Start, ReloadOrStart}:   ReloadOrStart,
	{Verify, Reload}:         Reload,
	{Verify, Restart}:        Restart,
	{Verify, ReloadOrStart}:  ReloadOrStart,
	{Reload, Restart}:        Restart,
	{Reload, ReloadOrStart}:  ReloadOrStart,
	{Restart, ReloadOrStart}: Restart,
}

// merge gives the type of two jobs in one, collapsed by the unit's state.
func merge(a, b Type, s State) (Type, bool) {
	if a == b || b == nop {
		return a, true
	}
	if a == nop {
		return b, true
	}
	t, ok := merges[[2]Type{min(a, b), max(a, b)}]
	return collapse(t, s), ok
}

// collapse gives the type that stands for one asked for, by the unit's state.
func collapse(t Type, s State) Type {
	down := s.Down() || s == Deactivating
	switch t {
	case TryRestart:
		if down {
			return nop
		}
		return Restart
	case TryReload:
		if down {
			return nop
		}
		return Reload
	case ReloadOrStart:
		if down {
			return Start
		}
		return Reload
	}
	return t
}

// redundant reports whether a unit's state is already what the job would make it.
func redundant(t Type, s State) bool {
	switch t {
	case Start:
		return s == Active || s == Reloading
	case Stop:
		return s.Down()
	case Verify:
		return s.Up()
	case nop:
		return true
	}
	return false
}

// stops reports whether the job begins with a stop.
func (t Type) stops() bool { return t == Stop || t == Restart }

// starts reports whether the job ends with the unit up.
func (t Type) starts() bool { return t == Start || t == Verify }

// Result is how a job ended.
type Result uint8

// Results.
const (
	Done Result = iota
	Canceled
	Timeout
	Failure
	Dependency
	Skipped
	Invalid
	Assert
	Unsupported
)

var resultNames = [...]string{
	"done", "canceled", "timeout", "failed", "dependency", "skipped", "invalid", "assert", "unsupported",
}

func (r Result) String() string { return resultNames[r] }

// Job is one unit's change that was asked for.
type Job struct {
	ID      int
	Unit    *Unit
	Type    Type
	Running bool
	Result  Result // once it is over

	over        bool
	ignoreOrder bool
	irrevocable bool
	queued      bool
}

// Over reports whether the job has ended.
func (j *Job) Over() bool { return j.over }

// comesAfter reports whether job a of a unit waits for job b of another, by the kinds of dependency of the first on the
// second.
func comesAfter(kinds Kind, a, b Type) bool {
	if a == nop || b == nop {
		return false
	}
	return kinds&After != 0 && !a.stops() || kinds&Before != 0 && b.stops()
}
