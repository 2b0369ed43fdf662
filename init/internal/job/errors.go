package job

import (
	"errors"
	"fmt"
	"strings"

	"firn/init/internal/unit"
)

// Errors of a request.
var (
	// ErrCycle: an order that cannot be kept, all of it needed.
	ErrCycle = errors.New("ordering cycle")
	// ErrConflict: the job asked for needs a unit both up and down.
	ErrConflict = errors.New("conflicting requirements")
	// ErrDestructive: another job is there, and the mode does not allow to cancel it.
	ErrDestructive = errors.New("another job is in the way")
	// ErrNotApplicable: the unit's type has no such job.
	ErrNotApplicable = errors.New("not applicable to a unit of this type")
	// ErrNoIsolate: AllowIsolate= is not set.
	ErrNoIsolate = errors.New("operation refused: the unit may not be isolated (AllowIsolate=)")
	// ErrRefused: RefuseManualStart= or RefuseManualStop=.
	ErrRefused = errors.New("operation refused: the unit may be requested by dependency only")
)

// LoadError is the error of a job on a unit that is not loaded.
type LoadError struct {
	Name  unit.Name
	State unit.LoadState
	Err   error
}

func (e *LoadError) Error() string {
	switch {
	case e.State == unit.NotFound:
		return fmt.Sprintf("unit %s: not found", e.Name)
	case e.State == unit.Masked:
		return fmt.Sprintf("unit %s: masked", e.Name)
	case e.Err != nil:
		return fmt.Sprintf("unit %s: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("unit %s: %s", e.Name, e.State)
}

func (e *LoadError) Unwrap() error { return e.Err }

// CycleError names the units of a cycle that could not be broken.
type CycleError struct{ Units []unit.Name }

func (e *CycleError) Error() string { return ErrCycle.Error() + ": " + joinNames(e.Units) }

func (e *CycleError) Unwrap() error { return ErrCycle }

func joinNames(names []unit.Name) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	return strings.Join(words, " -> ")
}
