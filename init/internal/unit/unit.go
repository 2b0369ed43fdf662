// Package unit holds loaded units as plain data, and the table that says what each setting of a unit file means.
//
// Role: the stage between text and plan. Input: the assignments of one unit's files (init/unitfile) in the order in
// which they apply, and a function that expands specifiers. Output: Unit, typed settings without any behaviour, and
// what was wrong with the text, each problem with its file and line. Which files make a unit, and what units say of
// each other, is the business of unitload; jobs and processes are later stages, which read a Unit and never change it.
//
// Memory counts here, since PID 1 keeps every unit: no maps in a unit, settings that only some units have behind
// pointers that are nil without them, and strings that are slices of the file's own text.
package unit

import (
	"fmt"
	"time"
)

// Infinity is the Span of "infinity" and, where systemd says so, of 0: no limit.
const Infinity Span = 1<<63 - 1

// Span is a time span of a setting.
type Span = time.Duration

// LoadState tells what came of loading a unit (systemctl(1), LOAD column).
type LoadState uint8

// Load states by systemd's names.
const (
	Loaded     LoadState = iota
	NotFound             // no file of that name
	BadSetting           // a file that cannot work, such as a service without ExecStart=
	Masked               // an empty file or a link to /dev/null
	LoadError            // a file that could not be read, or whose links are wrong
)

func (s LoadState) String() string {
	return [...]string{"loaded", "not-found", "bad-setting", "masked", "error"}[s]
}

// Unit is one unit with the settings that hold for it.
type Unit struct {
	Name     Name
	Aliases  []Name   // its other names
	Fragment string   // the main file: absolute in the system's root, "" if it has none
	Dropins  []string // in the order in which they apply
	State    LoadState
	Err      error // why State is not Loaded

	Warnings []Warning // what is wrong but does not keep the unit from being used
	Notes    []Note    // settings that have no effect here, each once

	Description   string
	Documentation []string
	SourcePath    string

	Deps Deps
	// RequiresMountsFor are absolute paths; the dependencies on mount units that follow from them are in Deps too.
	RequiresMountsFor  []string
	Conditions         []Condition
	Asserts            []Condition
	Options            Option
	OnFailureJobMode   JobMode
	OnSuccessJobMode   JobMode
	CollectMode        CollectMode
	JobTimeout         Span // Infinity: none
	JobRunningTimeout  Span // Infinity: none
	JobTimeoutAction   Action
	StartLimitInterval Span // 0: no limit
	StartLimitBurst    uint32
	StartLimitAction   Action
	FailureAction      Action
	SuccessAction      Action
	FailureExitStatus  int16 // -1: not set
	SuccessExitStatus  int16 // -1: not set
	RebootArgument     string

	// Exactly one of these is set, by the name's type; a target, slice, device or scope has none.
	Service   *Service
	Socket    *Socket
	Timer     *Timer
	Path      *Path
	Mount     *Mount
	Automount *Automount
	Swap      *Swap

	Exec   *Exec   // services, sockets, mounts, swaps
	Kill   *Kill   // services, sockets, mounts, swaps, scopes
	Cgroup *Cgroup // services, sockets, mounts, swaps, scopes, slices

	Install Install
}

// Option is a set of the yes-or-no settings of [Unit].
type Option uint16

// Options of [Unit].
const (
	DefaultDependencies Option = 1 << iota // on unless the unit says no
	StopWhenUnneeded
	RefuseManualStart
	RefuseManualStop
	AllowIsolate
	IgnoreOnIsolate
	SurviveFinalKill
	Perpetual // cannot be stopped: the root slice, the root mount, init.scope
)

// Has tells whether an option is on.
func (u *Unit) Has(o Option) bool { return u.Options&o != 0 }

// JobMode is how a job that a unit asks for joins what is queued (systemctl(1), --job-mode=).
type JobMode uint8

// Job modes.
const (
	JobReplace JobMode = iota
	JobFail
	JobReplaceIrreversibly
	JobIsolate
	JobFlush
	JobIgnoreDependencies
	JobIgnoreRequirements
)

// CollectMode tells when a unit that is not in use is forgotten.
type CollectMode uint8

// Collect modes.
const (
	CollectInactive CollectMode = iota
	CollectInactiveOrFailed
)

// Action is what the whole system does on a unit's account (FailureAction= and its like).
type Action uint8

// Actions.
const (
	ActionNone Action = iota
	ActionReboot
	ActionRebootForce
	ActionRebootImmediate
	ActionPoweroff
	ActionPoweroffForce
	ActionPoweroffImmediate
	ActionExit
	ActionExitForce
	ActionKexec
	ActionKexecForce
	ActionHalt
	ActionHaltForce
	ActionHaltImmediate
)

// Warning is a line that has no effect, or another than its author can have meant.
type Warning struct {
	File string // absolute in the system's root
	Line int    // from 1; 0: the file as a whole
	Text string
}

func (w Warning) String() string {
	if w.Line == 0 {
		return w.File + ": " + w.Text
	}
	return fmt.Sprintf("%s:%d: %s", w.File, w.Line, w.Text)
}

// Note is a setting that is read and has no effect; Setting says why.
type Note struct {
	Section string
	Setting *Setting
	File    string
	Line    int
}

// Condition is one Condition...= or Assert...= (systemd.unit(5), "Conditions and Asserts").
type Condition struct {
	Kind    ConditionKind
	Negate  bool // "!"
	Trigger bool // "|": one of those is enough
	Param   string
}

// Install is the [Install] section: what enabling the unit does.
type Install struct {
	Aliases         []Name
	WantedBy        []Name
	RequiredBy      []Name
	UpheldBy        []Name
	Also            []Name
	DefaultInstance string
}

// Any tells whether enabling would do anything.
func (i *Install) Any() bool {
	return len(i.Aliases)+len(i.WantedBy)+len(i.RequiredBy)+len(i.UpheldBy)+len(i.Also) > 0
}
