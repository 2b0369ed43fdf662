package machine

import "firn/init/internal/job"

// Sub is a sub-state; see the table at the package's head.
type Sub uint8

// Sub-states.
const (
	Dead Sub = iota
	Condition
	StartPre
	Start
	StartPost
	Running
	Exited
	Reload
	Stop
	StopWatchdog
	StopSigterm
	StopSigkill
	StopPost
	FinalSigterm
	FinalSigkill
	Failed
	AutoRestart
)

var subs = [...]struct {
	name  string
	state job.State
}{
	Dead: {"dead", job.Inactive}, Condition: {"condition", job.Activating}, StartPre: {"start-pre", job.Activating},
	Start: {"start", job.Activating}, StartPost: {"start-post", job.Activating}, Running: {"running", job.Active},
	Exited: {"exited", job.Active}, Reload: {"reload", job.Reloading}, Stop: {"stop", job.Deactivating},
	StopWatchdog: {"stop-watchdog", job.Deactivating}, StopSigterm: {"stop-sigterm", job.Deactivating},
	StopSigkill: {"stop-sigkill", job.Deactivating}, StopPost: {"stop-post", job.Deactivating},
	FinalSigterm: {"final-sigterm", job.Deactivating}, FinalSigkill: {"final-sigkill", job.Deactivating},
	Failed: {"failed", job.Failed}, AutoRestart: {"auto-restart", job.Activating},
}

func (s Sub) String() string { return subs[s].name }

// State is the unit's state in a sub-state.
func (s Sub) State() job.State { return subs[s].state }

// starting and stopping group the sub-states in which an end is asked for in different ways.
func (s Sub) starting() bool { return s >= Condition && s <= StartPost }
func (s Sub) stopping() bool { return s >= Stop && s <= FinalSigkill }

// Result is how a service ended (systemd.exec(5), $SERVICE_RESULT).
type Result uint8

// Results.
const (
	Success Result = iota
	Resources
	Protocol
	Timeout
	ExitCode
	Signal
	CoreDump
	Watchdog
	ExecCondition
	StartLimitHit
	OOMKill
)

var resultNames = [...]string{"success", "resources", "protocol", "timeout", "exit-code", "signal", "core-dump", "watchdog",
	"exec-condition", "start-limit-hit", "oom-kill"}

func (r Result) String() string { return resultNames[r] }

// Exit is how a process ended.
type Exit struct {
	Signaled bool
	Dumped   bool
	Status   uint8 // the code, or the signal
}

// Target is whom a signal is for.
type Target uint8

// Targets.
const (
	Main    Target = 1 << iota
	Control        // the command that runs beside the main process
	Group          // all processes of the unit
)

// cleanSignals end a daemon well (systemd.service(5), SuccessExitStatus=): SIGHUP, SIGINT, SIGPIPE, SIGTERM.
const cleanSignals = 1<<1 | 1<<2 | 1<<13 | 1<<15
