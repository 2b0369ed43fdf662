package machine

import "firn/init/internal/unit"

// classify says how well a process has ended.
func (m *Machine) classify(e Exit, daemon bool) Result {
	s := &m.Service.SuccessExit
	switch {
	case e.Signaled && (daemon && e.Status < 32 && cleanSignals&(1<<e.Status) != 0 || s.Signal(unit.Signal(e.Status))):
		return Success
	case e.Dumped:
		return CoreDump
	case e.Signaled:
		return Signal
	case e.Status == 0, s.Code(e.Status):
		return Success
	}
	return ExitCode
}

func (m *Machine) ignores(phase unit.ExecPhase) bool {
	list := m.Service.Commands[phase]
	return m.index < len(list) && list[m.index].Flags&unit.IgnoreFailure != 0
}

// MainExited tells of the main process's end.
func (m *Machine) MainExited(e Exit) {
	m.main, m.ran, m.LastExit = false, true, e
	r := m.classify(e, m.Service.Type != unit.Oneshot)
	if m.Service.Type != unit.Forking && m.Sub == Start && m.ignores(unit.ExecStart) || m.Sub != Start && m.ignoresMain() {
		r = Success
	}
	switch m.Sub {
	case Start:
		m.mainEndedInStart(r)
	case StartPost, Reload:
		m.fail(r)
		if !m.control {
			m.running(Success)
		}
	case Running:
		m.running(r)
	case StopWatchdog, StopSigterm, StopSigkill:
		m.fail(r)
		if !m.control {
			m.commands(StopPost, unit.ExecStopPost)
		}
	case FinalSigterm, FinalSigkill:
		m.fail(r)
		m.GroupEmpty()
	case Stop, StopPost:
		m.fail(r)
	}
}

func (m *Machine) ignoresMain() bool {
	list := m.Service.Commands[unit.ExecStart]
	return len(list) == 1 && list[0].Flags&unit.IgnoreFailure != 0
}

func (m *Machine) mainEndedInStart(r Result) {
	if m.Service.Type != unit.Oneshot {
		if r == Success {
			r = Protocol // it was to say that it is ready
		}
		m.signal(StopSigterm, r)
		return
	}
	if r != Success {
		m.signal(StopSigterm, r)
		return
	}
	m.index++
	if m.index >= len(m.Service.Commands[unit.ExecStart]) {
		m.after(Start)
		return
	}
	if err := m.Do.Spawn(unit.ExecStart, m.index, true); err != nil {
		m.Do.Note(err.Error())
		m.signal(StopSigterm, Resources)
		return
	}
	m.main = true
}

// ControlExited tells of the end of a command beside the main process.
func (m *Machine) ControlExited(e Exit) {
	m.control, m.LastControl = false, e
	r := m.classify(e, m.Sub == Start)
	if m.ignores(m.phase) {
		r = Success
	}
	switch {
	case m.Sub == Condition && r == ExitCode && e.Status < 255:
		m.signal(StopSigterm, ExecCondition)
	case r != Success:
		m.controlFailed(r)
	case m.Sub == Start:
		m.forked()
	case m.commandsLeft():
		m.index++
		m.spawnControl()
	default:
		m.controlDone()
	}
}

// commandsLeft reports whether the sub-state is one of commands, and has more of them.
func (m *Machine) commandsLeft() bool {
	switch m.Sub {
	case Condition, StartPre, StartPost, Reload, Stop, StopPost:
		return m.index+1 < len(m.Service.Commands[m.phase])
	}
	return false
}

func (m *Machine) controlDone() {
	switch m.Sub {
	case StopWatchdog, StopSigterm, StopSigkill:
		if !m.main {
			m.commands(StopPost, unit.ExecStopPost)
		}
	case FinalSigterm, FinalSigkill:
		m.GroupEmpty()
	default:
		m.after(m.Sub)
	}
}

func (m *Machine) controlFailed(r Result) {
	switch m.Sub {
	case Condition, StartPre, Start, StartPost:
		m.signal(StopSigterm, r)
	case Reload:
		m.ReloadFailed = true
		m.running(Success)
	case Stop:
		m.signal(StopSigterm, r)
	case StopPost:
		m.signal(FinalSigterm, r)
	default:
		m.controlDone()
	}
}

// forked: the first process of a forking service has ended well.
func (m *Machine) forked() {
	m.awaitPID = true
	switch m.Do.FindMain() {
	case MainFound:
		m.main, m.known, m.awaitPID = true, true, false
	case MainNotYet:
		if m.Do.Empty() {
			m.signal(StopSigterm, Protocol)
		}
		return // until the file changes, or time is up
	case MainUnknown:
		m.awaitPID = false
	}
	m.after(Start)
}

// PIDFileChanged tells that it is worth to look again.
func (m *Machine) PIDFileChanged() {
	if m.Sub == Start && m.awaitPID {
		m.forked()
	}
}

// MainChanged tells that another process is the main one now (MAINPID=).
func (m *Machine) MainChanged() { m.main, m.known = true, true }

// Executed tells that the main process runs its program. Type=dbus would wait for a name on the bus; firn-init is on no
// bus, so this is all that it knows.
func (m *Machine) Executed() {
	if m.Sub == Start && (m.Service.Type == unit.ExecService || m.Service.Type == unit.DBus) {
		m.after(Start)
	}
}

// Ready, Reloading and Stopping are what a service says by sd_notify(3).
func (m *Machine) Ready() {
	switch {
	case m.Sub == Start && m.notifies():
		m.after(Start)
	case m.Sub == Reload && !m.control:
		m.running(Success)
	}
}

func (m *Machine) notifies() bool {
	return m.Service.Type == unit.Notify || m.Service.Type == unit.NotifyReload
}

// Reloading: the service reloads by itself, and says READY=1 after.
func (m *Machine) Reloading() {
	if m.Sub == Running && m.notifies() {
		m.ReloadFailed, m.signaled = false, true
		m.Do.Arm(m.Service.TimeoutStart)
		m.enter(Reload)
	}
}

// Stopping: the service ends by itself, and gets its time for that.
func (m *Machine) Stopping() {
	if m.Sub == Running && m.notifies() {
		m.Do.Arm(m.Service.TimeoutStop)
		m.enter(StopSigterm)
	}
}

// WatchdogExpired: the service has not said WATCHDOG=1 in time.
func (m *Machine) WatchdogExpired() {
	if m.Sub.starting() || m.Sub == Running || m.Sub == Reload {
		m.signal(StopWatchdog, Watchdog)
	}
}

// OOMKilled: the kernel has killed a process of the unit for want of memory.
func (m *Machine) OOMKilled() {
	if m.Service.OOMPolicy == unit.OOMContinue {
		return
	}
	switch {
	case m.Sub.starting(), m.Sub == Running, m.Sub == Reload:
		m.signal(StopSigterm, OOMKill)
	case m.Sub.stopping():
		m.fail(OOMKill)
	}
}

// GroupEmpty tells that no process of the unit may be left.
func (m *Machine) GroupEmpty() {
	if m.main || m.control || m.Sub == Dead || m.Sub == Failed || m.Sub == AutoRestart {
		return
	}
	if !m.Do.Empty() {
		return
	}
	switch m.Sub {
	case Start:
		if m.awaitPID {
			m.signal(StopSigterm, Protocol)
		}
	case Running:
		m.running(Success)
	case StopWatchdog, StopSigterm, StopSigkill:
		m.commands(StopPost, unit.ExecStopPost)
	case FinalSigterm, FinalSigkill:
		m.dead()
	}
}

// Expired tells that the timer has run out.
func (m *Machine) Expired() {
	switch m.Sub {
	case Condition, StartPre, Start, StartPost:
		m.Do.Note(m.Sub.String() + ": time is up")
		m.signal(m.onTimeout(m.Service.TimeoutStartFailureMode), Timeout)
	case Running:
		m.Do.Note("RuntimeMaxSec= is over")
		m.stop(Timeout)
	case Reload:
		m.Do.Note("reload: time is up")
		if m.control {
			m.Do.Kill(Control, m.KillBy.FinalSignal)
			m.control = false
		}
		m.ReloadFailed = true
		m.running(Success)
	case Stop:
		m.Do.Note("stop: time is up")
		m.signal(m.onTimeout(m.Service.TimeoutStopFailureMode), Timeout)
	case StopWatchdog, StopSigterm:
		m.Do.Note(m.Sub.String() + ": time is up, killing")
		m.signal(StopSigkill, Timeout)
	case StopSigkill:
		m.Do.Note("processes outlived SIGKILL")
		m.commands(StopPost, unit.ExecStopPost)
	case StopPost:
		m.Do.Note("stop-post: time is up")
		m.signal(FinalSigterm, Timeout)
	case FinalSigterm:
		m.signal(FinalSigkill, Timeout)
	case FinalSigkill:
		m.Do.Note("processes outlived SIGKILL")
		m.dead()
	case AutoRestart:
		m.auto = true
		m.Do.Restart()
	}
}

// onTimeout is what follows a timeout.
func (m *Machine) onTimeout(mode unit.TimeoutFailureMode) Sub {
	switch mode {
	case unit.TimeoutAbortMode:
		return StopWatchdog
	case unit.TimeoutKill:
		return StopSigkill
	}
	return StopSigterm
}
