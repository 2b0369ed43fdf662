package unit

// Signal is a signal's number on Linux, as the kernel counts: SIGRTMIN is 34 to the C library.
type Signal uint8

// Kill is how a unit's processes are ended (systemd.kill(5)).
type Kill struct {
	Mode           KillMode
	Signal         Signal // SIGTERM by default
	RestartSignal  Signal // 0: Signal
	FinalSignal    Signal // SIGKILL by default
	WatchdogSignal Signal // SIGABRT by default
	SendSIGHUP     bool
	SendSIGKILL    bool // on by default
}

// KillMode is KillMode=.
type KillMode uint8

// Kill modes.
const (
	KillControlGroup KillMode = iota
	KillMixed
	KillProcess
	KillNone
)

func (m KillMode) String() string {
	return [...]string{"control-group", "mixed", "process", "none"}[m]
}
