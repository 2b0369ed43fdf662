package unit

// Service is the [Service] section (systemd.service(5)) without what Exec, Kill and Cgroup hold.
type Service struct {
	Type         ServiceKind
	ExitType     ExitType
	Restart      RestartPolicy
	RestartMode  RestartMode
	NotifyAccess NotifyAccess
	OOMPolicy    OOMPolicy
	TimeoutStartFailureMode,
	TimeoutStopFailureMode TimeoutFailureMode
	RemainAfterExit        bool
	GuessMainPID           bool // on by default
	NonBlocking            bool
	RootDirectoryStartOnly bool
	PermissionsStartOnly   bool // ExecStartPre and the like run as root: the old spelling of "+"
	ReloadSignal           Signal

	Commands [ExecPhases][]Command // by ExecPhase

	PIDFile string // absolute
	BusName string

	RestartDelay    Span // RestartSec=
	RestartMaxDelay Span // Infinity: RestartDelay does not grow
	RestartSteps    uint32

	TimeoutStart           Span // Infinity: none
	TimeoutStop            Span // Infinity: none
	TimeoutAbort           Span // 0: TimeoutStop
	RuntimeMax             Span // Infinity: none
	RuntimeRandomizedExtra Span
	Watchdog               Span // 0: none

	SuccessExit        ExitSet // beside 0 and SIGHUP, SIGINT, SIGTERM, SIGPIPE
	RestartPreventExit ExitSet
	RestartForceExit   ExitSet

	Sockets                []Name // Sockets=; those of the same stem come with the graph, as TriggeredBy
	FileDescriptorStoreMax uint32
}

// ServiceKind is Type=.
type ServiceKind uint8

// Service types.
const (
	Simple ServiceKind = iota
	ExecService
	Forking
	Oneshot
	DBus
	Notify
	NotifyReload
	Idle
)

func (k ServiceKind) String() string {
	return [...]string{"simple", "exec", "forking", "oneshot", "dbus", "notify", "notify-reload", "idle"}[k]
}

// ExecPhase says which setting a command comes from.
type ExecPhase uint8

// Phases. A socket has the Pre and Post ones only.
const (
	ExecCondition ExecPhase = iota
	ExecStartPre
	ExecStart
	ExecStartPost
	ExecReload
	ExecStop
	ExecStopPost
	ExecStopPre // of sockets
	ExecPhases
)

func (p ExecPhase) String() string {
	return [...]string{"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop",
		"ExecStopPost", "ExecStopPre"}[p]
}

// ExitType is ExitType=: what ends the service.
type ExitType uint8

// Exit types.
const (
	ExitMain ExitType = iota
	ExitCgroup
)

// RestartPolicy is Restart=.
type RestartPolicy uint8

// Restart policies.
const (
	RestartNo RestartPolicy = iota
	RestartOnSuccess
	RestartOnFailure
	RestartOnAbnormal
	RestartOnWatchdog
	RestartOnAbort
	RestartAlways
)

func (p RestartPolicy) String() string {
	return [...]string{"no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"}[p]
}

// RestartMode is RestartMode=.
type RestartMode uint8

// Restart modes.
const (
	RestartNormal RestartMode = iota
	RestartDirect
	RestartDebug
)

// NotifyAccess is NotifyAccess=. A service that notifies has at least NotifyMain.
type NotifyAccess uint8

// Who may notify.
const (
	NotifyNone NotifyAccess = iota
	NotifyMain
	NotifyExec
	NotifyAll
)

func (a NotifyAccess) String() string { return [...]string{"none", "main", "exec", "all"}[a] }

// OOMPolicy is OOMPolicy=.
type OOMPolicy uint8

// Policies once the kernel has killed a process of the unit for want of memory.
const (
	OOMStop OOMPolicy = iota
	OOMContinue
	OOMKill
)

// TimeoutFailureMode is TimeoutStartFailureMode= or TimeoutStopFailureMode=.
type TimeoutFailureMode uint8

// How a service whose time is up is ended.
const (
	TimeoutTerminate TimeoutFailureMode = iota
	TimeoutAbortMode
	TimeoutKill
)

// ExitSet is a set of exit codes and signals.
type ExitSet struct {
	codes   [4]uint64
	signals [2]uint64
}

// Code tells whether an exit code is in the set.
func (s *ExitSet) Code(code uint8) bool { return s.codes[code/64]&(1<<(code%64)) != 0 }

// Signal tells whether a signal is in the set.
func (s *ExitSet) Signal(sig Signal) bool { return sig < 128 && s.signals[sig/64]&(1<<(sig%64)) != 0 }

// AddCode puts an exit code in.
func (s *ExitSet) AddCode(code uint8) { s.codes[code/64] |= 1 << (code % 64) }

// AddSignal puts a signal in.
func (s *ExitSet) AddSignal(sig Signal) { s.signals[sig/64%2] |= 1 << (sig % 64) }
