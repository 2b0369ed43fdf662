package machine

import (
	"math"

	"firn/init/internal/unit"
)

// Actions are what a machine does to the world. None may call back into the machine.
type Actions interface {
	// Spawn starts a command of a phase: as the main process, or beside it.
	Spawn(phase unit.ExecPhase, index int, main bool) error
	// Kill signals, and reports whether there was anybody.
	Kill(to Target, sig unit.Signal) (found bool)
	// Empty reports whether the unit has no process.
	Empty() bool
	// FindMain looks for the main process of a forking service: by PIDFile=, or by what is left.
	FindMain() Found
	// Arm sets the machine's only timer, or with unit.Infinity takes it away.
	Arm(after unit.Span)
	// Entered says that the machine has entered its sub-state. restart: it comes up again by itself.
	Entered(from Sub, restart bool)
	// Restart asks for a restart job.
	Restart()
	// Note logs what an administrator should know.
	Note(text string)
}

// Found is what came of a look for the main process.
type Found uint8

// Outcomes.
const (
	MainFound   Found = iota
	MainUnknown       // there is none to be known
	MainNotYet        // PIDFile= is not there, or not right yet
)

// Machine is one service.
type Machine struct {
	Service *unit.Service
	KillBy  *unit.Kill
	Do      Actions

	Sub          Sub
	Result       Result
	ReloadFailed bool
	Restarts     uint32 // by itself, since it was started last by somebody
	LastExit     Exit   // of the main process
	LastControl  Exit

	main, control bool // a process is there
	known, ran    bool // there has been a main process; one has ended
	auto          bool // the start that comes is our own
	phase         unit.ExecPhase
	index         int
	awaitPID      bool // forking: the first process has ended
	forbid        bool // no restart: somebody has stopped it
	restartJob    bool
	signaled      bool // reload: the main process was told, and is to say READY=1
}

// MainAlive and ControlAlive report what runs.
func (m *Machine) MainAlive() bool    { return m.main }
func (m *Machine) ControlAlive() bool { return m.control }

// Phase is the phase whose command runs beside the main process, or ran last.
func (m *Machine) Phase() unit.ExecPhase { return m.phase }

func (m *Machine) enter(s Sub) {
	from := m.Sub
	m.Sub = s
	m.Do.Entered(from, false)
}

// fail keeps the first result that is none of success.
func (m *Machine) fail(r Result) {
	if m.Result == Success {
		m.Result = r
	}
}

// Begin starts the service, from dead, failed or auto-restart.
func (m *Machine) Begin() {
	if !m.auto {
		m.Restarts = 0
	}
	m.auto, m.known, m.ran = false, false, false
	m.Result, m.ReloadFailed, m.forbid, m.restartJob, m.awaitPID = Success, false, false, false, false
	m.LastExit, m.LastControl = Exit{}, Exit{}
	m.commands(Condition, unit.ExecCondition)
}

// StartLimit marks a start that was refused.
func (m *Machine) StartLimit() {
	m.Result = StartLimitHit
	m.Do.Arm(unit.Infinity)
	m.enter(Failed)
}

// End stops the service. restart says that a start will follow.
func (m *Machine) End(restart bool) {
	m.forbid, m.restartJob = true, restart
	switch {
	case m.Sub == AutoRestart:
		m.Do.Arm(unit.Infinity)
		m.enter(Dead)
	case m.Sub.starting():
		m.signal(StopSigterm, Success)
	case m.Sub == Reload:
		if m.control {
			m.Do.Kill(Control, m.KillBy.FinalSignal)
			m.control = false
		}
		m.stop(Success)
	case m.Sub == Running, m.Sub == Exited:
		m.stop(Success)
	}
}

// BeginReload has the service read its configuration again, from running or exited.
func (m *Machine) BeginReload() {
	m.ReloadFailed, m.signaled = false, false
	if m.Service.Type == unit.NotifyReload {
		m.signaled = m.Do.Kill(Main, m.Service.ReloadSignal)
	}
	if len(m.Service.Commands[unit.ExecReload]) == 0 {
		m.Do.Arm(m.Service.TimeoutStart)
		m.enter(Reload)
		if !m.signaled {
			m.ReloadFailed = true
			m.running(Success)
		}
		return
	}
	m.commands(Reload, unit.ExecReload)
}

// commands enters a sub-state that runs a phase's commands beside the main process, or the one that follows.
func (m *Machine) commands(s Sub, phase unit.ExecPhase) {
	if len(m.Service.Commands[phase]) == 0 {
		m.after(s)
		return
	}
	m.phase, m.index = phase, 0
	m.Do.Arm(m.timeout(s))
	if m.Sub != s {
		m.enter(s)
	}
	m.spawnControl()
}

func (m *Machine) spawnControl() {
	if err := m.Do.Spawn(m.phase, m.index, false); err != nil {
		m.Do.Note(err.Error())
		m.controlFailed(Resources)
		return
	}
	m.control = true
}

// timeout is how long a sub-state may take.
func (m *Machine) timeout(s Sub) unit.Span {
	if s <= StartPost || s == Reload {
		return m.Service.TimeoutStart
	}
	if s == StopWatchdog && m.Service.TimeoutAbort != 0 {
		return m.Service.TimeoutAbort
	}
	return m.Service.TimeoutStop
}

// after enters what follows a sub-state whose commands are done.
func (m *Machine) after(s Sub) {
	switch s {
	case Condition:
		m.commands(StartPre, unit.ExecStartPre)
	case StartPre:
		m.start()
	case Start:
		m.commands(StartPost, unit.ExecStartPost)
	case StartPost:
		m.running(Success)
	case Reload:
		if m.signaled && m.main {
			return // until READY=1
		}
		m.running(Success)
	case Stop:
		m.signal(StopSigterm, Success)
	case StopPost:
		m.signal(FinalSigterm, Success)
	}
}

// start enters ExecStart=.
func (m *Machine) start() {
	if len(m.Service.Commands[unit.ExecStart]) == 0 { // a oneshot for its ExecStop= alone
		m.after(Start)
		return
	}
	kind := m.Service.Type
	m.index = 0
	m.Do.Arm(m.Service.TimeoutStart)
	if kind == unit.Forking {
		m.phase = unit.ExecStart
		m.enter(Start)
		m.spawnControl()
		return
	}
	if err := m.Do.Spawn(unit.ExecStart, 0, true); err != nil {
		m.Do.Note(err.Error())
		m.signal(StopSigterm, Resources)
		return
	}
	m.main, m.known = true, true
	if kind == unit.Simple || kind == unit.Idle {
		m.after(Start)
		return
	}
	m.enter(Start)
}

// running enters running if there is anything that runs, else exited or stop.
func (m *Machine) running(r Result) {
	m.fail(r)
	switch {
	case m.Result != Success:
		m.signal(StopSigterm, r)
	case m.alive():
		m.Do.Arm(m.runtimeMax())
		m.enter(Running)
	case m.Service.RemainAfterExit:
		m.Do.Arm(unit.Infinity)
		m.enter(Exited)
	default:
		m.stop(Success)
	}
}

func (m *Machine) runtimeMax() unit.Span {
	if m.Service.RuntimeMax == 0 {
		return unit.Infinity
	}
	return m.Service.RuntimeMax
}

// alive: a service whose main process is not known lives as long as any process of it does.
func (m *Machine) alive() bool {
	if m.main {
		return true
	}
	if m.known && m.Service.ExitType != unit.ExitCgroup {
		return false
	}
	return !m.Do.Empty()
}

func (m *Machine) stop(r Result) {
	m.fail(r)
	m.commands(Stop, unit.ExecStop)
}

// signal enters a sub-state that ends processes, or the next if there are none.
func (m *Machine) signal(s Sub, r Result) {
	m.fail(r)
	m.awaitPID = false
	if m.kill(s) {
		m.Do.Arm(m.timeout(s))
		if m.Sub != s {
			m.enter(s)
		}
		return
	}
	switch s {
	case StopWatchdog, StopSigterm:
		m.signal(StopSigkill, Success) // KillMode=mixed has more to kill then
	case StopSigkill:
		m.commands(StopPost, unit.ExecStopPost)
	case FinalSigterm:
		m.signal(FinalSigkill, Success)
	default:
		m.dead()
	}
}

// kill signals as KillMode= says and reports whether there is anything to wait for.
func (m *Machine) kill(s Sub) bool {
	mode := m.KillBy.Mode
	final := s == StopSigkill || s == FinalSigkill
	var to Target
	switch {
	case mode == unit.KillNone:
		return false
	case mode == unit.KillProcess, mode == unit.KillMixed && !final:
		to = Main | Control
	default:
		to = Main | Control | Group
	}
	sig := m.KillBy.Signal
	switch {
	case final:
		if !m.KillBy.SendSIGKILL {
			return false
		}
		sig = m.KillBy.FinalSignal
	case s == StopWatchdog:
		sig = m.KillBy.WatchdogSignal
	case m.restartJob && m.KillBy.RestartSignal != 0:
		sig = m.KillBy.RestartSignal
	}
	found := m.Do.Kill(to, sig)
	if found && !final {
		const hup, cont = 1, 18
		if m.KillBy.SendSIGHUP {
			m.Do.Kill(to, hup)
		}
		m.Do.Kill(to, cont) // a stopped process takes the others only then
	}
	return found
}

// dead ends the round: the service stays down, or comes up again.
func (m *Machine) dead() {
	m.main, m.control = false, false
	end := Dead
	if m.Result != Success && m.Result != ExecCondition {
		end = Failed
	}
	restart := m.restarts()
	from := m.Sub
	m.Sub = end
	m.Do.Arm(unit.Infinity)
	m.Do.Entered(from, restart)
	if !restart {
		return
	}
	m.Restarts++
	m.Do.Arm(m.restartDelay())
	m.enter(AutoRestart)
}

// restarts applies Restart= (systemd.service(5), the table there).
func (m *Machine) restarts() bool {
	s := m.Service
	switch {
	case m.forbid, m.Result == ExecCondition:
		return false
	case m.exitIn(&s.RestartPreventExit):
		return false
	case m.exitIn(&s.RestartForceExit):
		return true
	}
	switch r := m.Result; s.Restart {
	case unit.RestartAlways:
		return true
	case unit.RestartOnSuccess:
		return r == Success
	case unit.RestartOnFailure:
		return r != Success
	case unit.RestartOnAbnormal:
		return r != Success && r != ExitCode
	case unit.RestartOnWatchdog:
		return r == Watchdog
	case unit.RestartOnAbort:
		return r == Signal || r == CoreDump
	}
	return false
}

// exitIn reports whether the main process ended in one of the set's ways.
func (m *Machine) exitIn(set *unit.ExitSet) bool {
	if m.LastExit.Signaled {
		return m.ran && set.Signal(unit.Signal(m.LastExit.Status))
	}
	return m.ran && set.Code(m.LastExit.Status)
}

// restartDelay grows from RestartSec= to RestartMaxDelaySec= in RestartSteps= steps, by a factor that is the same for
// each.
func (m *Machine) restartDelay() unit.Span {
	s := m.Service
	n := m.Restarts - 1
	if s.RestartSteps == 0 || s.RestartMaxDelay == unit.Infinity || s.RestartDelay <= 0 || s.RestartMaxDelay <= s.RestartDelay {
		return s.RestartDelay
	}
	if n >= s.RestartSteps {
		return s.RestartMaxDelay
	}
	factor := math.Pow(float64(s.RestartMaxDelay)/float64(s.RestartDelay), float64(n)/float64(s.RestartSteps))
	return unit.Span(float64(s.RestartDelay) * factor)
}
