package unit

import (
	"errors"
	"fmt"

	"firn/init/unitfile"
)

// Defaults are what the manager's own configuration sets for units that say nothing (systemd-system.conf(5)).
type Defaults struct {
	TimeoutStart, TimeoutStop, Restart Span
	TimeoutAbort                       Span // 0: TimeoutStop
	StartLimitInterval                 Span
	StartLimitBurst                    uint32
	TimerAccuracy                      Span
	TasksMax                           Amount
	Limits                             []Limit
	OOMPolicy                          OOMPolicy
}

// SystemDefaults are those of a manager without configuration.
func SystemDefaults() Defaults {
	return Defaults{
		TimeoutStart: 90e9, TimeoutStop: 90e9, Restart: 100e6,
		StartLimitInterval: 10e9, StartLimitBurst: 5,
		TimerAccuracy: 60e9,
		TasksMax:      Amount{Set: true, Share: 1500},
	}
}

// Expand replaces the specifiers of a value.
type Expand func(value string) (string, error)

// Parse makes a unit of its files' assignments. It never refuses: what does not fit is a warning, and where the unit
// cannot work without it, State and Err say so. Dependencies that do not stand in the text are not added here.
func Parse(name Name, file *unitfile.File, defaults *Defaults, expand Expand) *Unit {
	u := empty(name, defaults)
	r := &reader{unit: u, expand: expand}
	for _, w := range file.Warnings {
		u.Warnings = append(u.Warnings, Warning{File: w.Name, Line: w.Line, Text: w.Err.Error()})
	}
	for i := range file.Sections {
		r.section(&file.Sections[i])
	}
	if u.State == Loaded {
		r.finish(defaults)
		if err := check(u); err != nil {
			u.State, u.Err = BadSetting, &Error{File: file.Name, Err: err}
		}
	}
	return u
}

// empty is a unit without a line of text.
func empty(name Name, d *Defaults) *Unit {
	u := &Unit{
		Name: name, Options: DefaultDependencies,
		JobTimeout: Infinity, JobRunningTimeout: Infinity,
		OnFailureJobMode: JobReplace, OnSuccessJobMode: JobFail,
		StartLimitInterval: d.StartLimitInterval, StartLimitBurst: d.StartLimitBurst,
		FailureExitStatus: -1, SuccessExitStatus: -1,
	}
	switch name.Type() {
	case ServiceType:
		u.Service = &Service{Type: unsetKind, GuessMainPID: true, OOMPolicy: unsetOOMPolicy, ReloadSignal: SIGHUP,
			RestartDelay: d.Restart, RestartMaxDelay: Infinity,
			TimeoutStart: unsetSpan, TimeoutStop: d.TimeoutStop, TimeoutAbort: d.TimeoutAbort, RuntimeMax: Infinity}
	case SocketType:
		u.Socket = &Socket{Backlog: 1<<32 - 1, SocketMode: 0o666, DirectoryMode: 0o755, MaxConnections: 64,
			TriggerLimitInterval: 2e9, Timeout: d.TimeoutStart,
			Options: SocketOptions{Priority: -1, IPTOS: -1, IPTTL: -1, Mark: -1, MQMaxMessages: -1, MQMessageSize: -1}}
	case TimerType:
		u.Timer = &Timer{Accuracy: d.TimerAccuracy, RemainAfterElapse: true}
	case PathType:
		u.Path = &Path{DirectoryMode: 0o755, TriggerLimitInterval: 2e9, TriggerLimitBurst: 200}
	case MountType:
		u.Mount = &Mount{DirectoryMode: 0o755, Timeout: d.TimeoutStart}
	case AutomountType:
		u.Automount = &Automount{DirectoryMode: 0o755}
	case SwapType:
		u.Swap = &Swap{Priority: -1, Timeout: d.TimeoutStart}
	}
	switch name.Type() {
	case ServiceType, SocketType, MountType, SwapType:
		u.Exec = newExec(d)
		u.Kill, u.Cgroup = newKill(), &Cgroup{TasksMax: d.TasksMax}
	case ScopeType:
		u.Kill, u.Cgroup = newKill(), &Cgroup{TasksMax: d.TasksMax}
	case SliceType:
		u.Cgroup = &Cgroup{}
	}
	return u
}

func newExec(d *Defaults) *Exec {
	e := &Exec{IgnoreSIGPIPE: true, UMask: 0o022, SyslogFacility: 3, SyslogLevel: 6, SyslogLevelPrefix: true,
		LogLevelMax: -1, TimerSlack: -1, CapabilityBoundingSet: allCapabilities, Stdin: Stdio{Kind: StdioNull},
		Stdout: Stdio{Kind: StdioJournal}, Limits: d.Limits, IOScheduling: IOScheduling{Priority: 4}}
	for i := range e.Directories {
		e.Directories[i].Mode = 0o755
	}
	return e
}

func newKill() *Kill {
	return &Kill{Signal: SIGTERM, FinalSignal: SIGKILL, WatchdogSignal: SIGABRT, SendSIGKILL: true}
}

// reader goes through one unit's assignments.
type reader struct {
	unit   *Unit
	expand Expand
	at     unitfile.Assignment
	// Settings whose default depends on another setting.
	notifyAccessSet, memoryMaxSet, triggerLimitSet, stdinSet, stdoutSet bool
}

func (r *reader) section(s *unitfile.Section) {
	t := r.unit.Name.Type()
	if isExtension(s.Name) {
		return
	}
	if s.Name != "Unit" && s.Name != "Install" && s.Name != t.Section() {
		text := fmt.Sprintf("[%s] has no meaning in a %s", s.Name, t)
		r.unit.Warnings = append(r.unit.Warnings, Warning{s.File, s.Line, text})
		return
	}
	for _, a := range s.Assignments {
		r.at = a
		if err := r.assign(s.Name, a); err != nil {
			r.problem(s.Name, a, err)
		}
	}
}

func (r *reader) assign(section string, a unitfile.Assignment) error {
	if isExtension(a.Key) {
		return nil
	}
	setting, ok := Lookup(section, a.Key)
	if !ok {
		return r.unknown(section, a.Key)
	}
	if setting.Support != Supported {
		r.note(section, setting)
	}
	if setting.parse == nil {
		return nil
	}
	return setting.parse(r, r.unit, a.Value)
}

func (r *reader) unknown(section, key string) error {
	for _, other := range []string{"Unit", r.unit.Name.Type().Section(), "Install"} {
		if _, ok := Lookup(other, key); ok && other != section {
			return fmt.Errorf("%w: it belongs into [%s]", ErrUnknownKey, other)
		}
	}
	if meant := suggest(section, key); meant != "" {
		return fmt.Errorf("%w (did you mean %s?)", ErrUnknownKey, meant)
	}
	return ErrUnknownKey
}

// note remembers, once, a setting that has no effect.
func (r *reader) note(section string, s *Setting) {
	for i := range r.unit.Notes {
		if r.unit.Notes[i].Setting == s {
			return
		}
	}
	r.unit.Notes = append(r.unit.Notes, Note{Section: section, Setting: s, File: r.at.File, Line: r.at.Line})
}

const longestShown = 80

func (r *reader) problem(section string, a unitfile.Assignment, err error) {
	value := a.Value
	if len(value) > longestShown {
		value = value[:longestShown] + "..."
	}
	var bad badSetting
	switch {
	case errors.Is(err, ErrUnknownKey):
		err = fmt.Errorf("[%s] %s: %w", section, a.Key, err)
	default:
		err = fmt.Errorf("[%s] %s=%s: %w", section, a.Key, value, err)
	}
	if errors.As(err, &bad) {
		if r.unit.State == Loaded {
			r.unit.State, r.unit.Err = BadSetting, &Error{a.File, a.Line, err}
		}
		return
	}
	r.unit.Warnings = append(r.unit.Warnings, Warning{a.File, a.Line, err.Error()})
}

// warn adds a remark on the current line, which is used all the same.
func (r *reader) warn(format string, args ...any) {
	r.unit.Warnings = append(r.unit.Warnings, Warning{r.at.File, r.at.Line, r.at.Key + "=: " + fmt.Sprintf(format, args...)})
}
