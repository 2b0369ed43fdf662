package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/execute"
	"firn/init/internal/job"
	"firn/init/internal/reap"
	"firn/init/internal/signals"
	"firn/init/internal/supervise/machine"
	"firn/init/internal/unit"
)

// service drives a machine.Machine, and is its Actions.
type service struct {
	state
	machine    machine.Machine
	group      Group
	main       *reap.Process
	control    *reap.Process
	timer      *time.Timer
	epoch      int // of timer: one that was stopped too late says nothing
	watchdog   *time.Timer
	watchEvery unit.Span
	pidFile    *fileWatch
	connection *os.File // of a socket with Accept=
	socket     *socket  // that connection's
	invocation string
	status     string // STATUS=
	uid        uint32 // DynamicUser=
	warned     bool
	looking    bool // a look at the group is due
}

func newService(base state) *service {
	s := &service{state: base}
	s.machine = machine.Machine{Service: base.unit.Service, KillBy: base.unit.Kill, Do: s}
	return s
}

func (s *service) sub() string { return s.machine.Sub.String() }

// waits: nothing runs, the next start is only a matter of time.
func (s *service) waits() bool { return s.machine.Sub == machine.AutoRestart }

func (s *service) start() job.Outcome {
	s.machine.Service, s.machine.KillBy = s.unit.Service, s.unit.Kill // a reload may have changed them
	if s.limited() {
		s.m.Log.Warn("started too often: not again for now", "unit", s.name())
		s.machine.StartLimit()
		return job.Impossible
	}
	s.notes()
	s.invocation, s.status = newInvocation(), ""
	if s.unit.Exec.DynamicUser && s.uid == 0 {
		s.uid = s.m.dynamicUID(s.unit)
	}
	if err := s.makeGroup(); err != nil {
		s.m.groupProblem(s.name(), err)
	}
	if s.unit.Service.Type == unit.Idle {
		s.m.Log.Debug("idle: started without waiting for other jobs", "unit", s.name())
	}
	s.machine.Begin()
	return job.Accepted
}

// notes logs once what of the unit's settings has no effect.
func (s *service) notes() {
	if s.warned {
		return
	}
	s.warned = true
	var keys []string
	for _, n := range s.unit.Notes {
		if n.Setting.Support == unit.Unsupported {
			keys = append(keys, n.Setting.Key)
		}
	}
	for _, row := range []struct {
		set bool
		key string
	}{
		{s.unit.Exec.PAMName != "", "PAMName"}, {len(s.unit.Exec.Binds) > 0, "BindPaths"},
		{len(s.unit.Exec.TemporaryFileSystems) > 0, "TemporaryFileSystem"}, {len(s.unit.Exec.ImportCredentials) > 0, "ImportCredential"},
		{s.unit.FailureAction != unit.ActionNone, "FailureAction"}, {s.unit.SuccessAction != unit.ActionNone, "SuccessAction"},
		{s.unit.StartLimitAction != unit.ActionNone, "StartLimitAction"}, {s.unit.JobTimeoutAction != unit.ActionNone, "JobTimeoutAction"},
		{s.unit.Service.FileDescriptorStoreMax > 0, "FileDescriptorStoreMax"},
		{s.unit.Service.RestartMode != unit.RestartNormal, "RestartMode"},
	} {
		if row.set {
			keys = append(keys, row.key)
		}
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) > 0 {
		s.m.Log.Info("settings without effect: "+strings.Join(keys, " "), "unit", s.name())
	}
}

func (s *service) stop(restart bool) job.Outcome {
	s.machine.End(restart)
	return job.Accepted
}

func (s *service) reload() job.Outcome {
	s.machine.BeginReload()
	return job.Accepted
}

// Spawn starts a command.
func (s *service) Spawn(phase unit.ExecPhase, index int, main bool) error {
	d, files, err := s.describe(phase, index, main)
	if err != nil {
		return err
	}
	p, err := s.m.spawner.Start(d, files, s.place(), func(r execute.Report) {
		s.m.Post(func() { s.reported(phase, main, r) })
	})
	if p == nil {
		return fmt.Errorf("%s: %w", phase, err)
	}
	if err != nil {
		s.m.Log.Warn(err.Error(), "unit", s.name())
	}
	if main {
		s.main = p
	} else {
		s.control = p
	}
	s.m.watch(p, func(reap.Process) { s.ended(p) })
	return nil
}

func (s *service) place() execute.Place {
	if s.group == nil {
		return nil
	}
	return s.group.Start
}

// reported takes in what a stage has said.
func (s *service) reported(phase unit.ExecPhase, main bool, r execute.Report) {
	for _, text := range r.Warnings {
		s.m.Log.Warn(phase.String()+": "+text, "unit", s.name())
	}
	if r.Failure != nil {
		s.m.Log.Warn(phase.String()+" was not executed: "+r.Failure.Text, "unit", s.name())
		return
	}
	if main {
		s.machine.Executed()
	}
}

// ended takes in a process's end.
func (s *service) ended(p *reap.Process) {
	status := p.Status()
	exit := machine.Exit{Status: uint8(status.ExitStatus())}
	if status.Signaled() {
		exit = machine.Exit{Signaled: true, Dumped: status.CoreDump(), Status: uint8(status.Signal())}
	}
	if s.group != nil && s.group.OOMKilled() {
		s.m.Log.Warn("the kernel killed a process for want of memory", "unit", s.name())
		s.machine.OOMKilled()
	}
	switch p {
	case s.main:
		s.main = nil
		s.m.Log.Debug("main process over", "unit", s.name(), "status", reap.Describe(status))
		s.machine.MainExited(exit)
	case s.control:
		s.control = nil
		s.machine.ControlExited(exit)
	}
	s.orphaned()
}

// orphaned looks whether what is waited for has gone with an orphan.
func (s *service) orphaned() {
	if s.main != nil || s.control != nil || s.unit.State().Down() {
		return
	}
	s.machine.GroupEmpty()
	if s.unit.State() == job.Deactivating && s.main == nil && s.control == nil && !s.looking {
		s.looking = true
		s.m.after(lookAgain, func() {
			s.looking = false
			s.orphaned()
		})
	}
}

// lookAgain is how soon a control group is looked at again that is to become empty. SIGCHLD may come before the kernel has
// taken the process out of its cgroup, or not at all for a process with a parent elsewhere, and cgroup v1 gives no notice.
const lookAgain = 20 * time.Millisecond

// Kill signals processes.
func (s *service) Kill(to machine.Target, sig unit.Signal) (found bool) {
	skip := make(map[int]bool)
	for _, t := range []struct {
		bit machine.Target
		p   *reap.Process
	}{{machine.Main, s.main}, {machine.Control, s.control}} {
		if t.p == nil {
			continue
		}
		skip[t.p.PID] = true
		if to&t.bit != 0 {
			switch err := t.p.Signal(sigOf(sig)); {
			case err == nil:
				found = true
			case !errors.Is(err, reap.ErrEnded):
				s.m.Log.Warn(err.Error(), "unit", s.name())
			default:
				found = true // its end is on its way to us
			}
		}
	}
	if to&machine.Group != 0 && s.group != nil {
		n, err := s.group.Signal(sigOf(sig), skip)
		if err != nil {
			s.m.Log.Warn("signal control group: "+err.Error(), "unit", s.name())
		}
		if n > 0 {
			s.m.Log.Debug("signaled what else is there", "unit", s.name(), "signal", signals.Name(sigOf(sig)), "processes", strconv.Itoa(n))
		}
		found = found || n > 0
	}
	return found
}

// Empty reports whether the unit has no process.
func (s *service) Empty() bool {
	if s.main != nil || s.control != nil {
		return false
	}
	if s.group == nil {
		return s.pidFile == nil // nobody knows, but a PID file that is waited for is a reason to think not
	}
	return s.group.Empty()
}

// Arm sets the machine's timer.
func (s *service) Arm(after unit.Span) {
	s.epoch++
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	if after == unit.Infinity {
		return
	}
	epoch := s.epoch
	s.timer = s.m.after(after, func() {
		if s.epoch == epoch {
			s.machine.Expired()
		}
	})
}

// Entered carries a sub-state to the engine.
func (s *service) Entered(from machine.Sub, restart bool) {
	to := s.machine.Sub
	var detail job.Detail
	if restart {
		detail |= job.WillRestart
	}
	if from == machine.Reload && s.machine.ReloadFailed {
		detail |= job.ReloadFailed
	}
	s.tell(from, to)
	s.report(to.State(), detail)
	switch to {
	case machine.StartPost, machine.Running:
		s.startWatchdog()
	case machine.Dead, machine.Failed:
		s.over(restart)
	}
	if to.State() == job.Deactivating {
		s.m.Post(s.orphaned) // what is waited for may be over by now
	}
	if to != machine.Start && s.pidFile != nil {
		s.pidFile.Close()
		s.pidFile = nil
	}
	if to.State() != job.Active && to.State() != job.Reloading && to != machine.StartPost {
		s.stopWatchdog()
	}
}

// tell logs what people want to see.
func (s *service) tell(from, to machine.Sub) {
	s.m.Log.Debug("state", "unit", s.name(), "from", from.String(), "to", to.String())
	switch {
	case to == machine.Failed:
		s.m.Log.Warn("failed", "unit", s.name(), "result", s.machine.Result.String(), "main", describeExit(s.machine.LastExit))
	case to == machine.AutoRestart:
		s.m.Log.Info("restarting", "unit", s.name(), "number", strconv.Itoa(int(s.machine.Restarts)))
	case to.State() == job.Active && from.State() == job.Activating:
		s.m.Log.Debug("started", "unit", s.name())
	}
}

func describeExit(e machine.Exit) string {
	if e.Signaled {
		return "killed by " + signals.Name(sigOf(unit.Signal(e.Status)))
	}
	if name := execute.CodeName(int(e.Status)); name != "" {
		return strconv.Itoa(int(e.Status)) + "/" + name
	}
	return strconv.Itoa(int(e.Status))
}

// over cleans up after the last process.
func (s *service) over(restart bool) {
	s.main, s.control = nil, nil
	if s.connection != nil {
		_ = s.connection.Close()
		s.connection = nil
		s.socket.closed()
		s.m.Post(func() { s.m.forget(s) })
	}
	e := s.unit.Exec
	if e.RuntimeDirectoryPreserve == unit.PreserveNo || e.RuntimeDirectoryPreserve == unit.PreserveRestart && !restart && !s.restarting() {
		for _, d := range e.Directories[unit.RuntimeDirectory].Entries {
			_ = os.RemoveAll(filepath.Join(s.m.Root, "/run", d.Path))
		}
	}
	if len(e.LoadCredentials)+len(e.SetCredentials) > 0 {
		_ = os.RemoveAll(execute.CredentialsDirectory(s.m.Root, s.name()))
	}
	if s.unit.Service.PIDFile != "" && !restart {
		_ = os.Remove(filepath.Join(s.m.Root, s.unit.Service.PIDFile))
	}
	if s.group != nil && s.group.Empty() {
		if err := s.group.Remove(); err != nil {
			s.m.Log.Debug("remove control group: "+err.Error(), "unit", s.name())
		}
		s.group = nil
	}
	if s.uid != 0 && !restart && !s.restarting() {
		delete(s.m.dynamic, s.uid)
		s.uid = 0
	}
}

// restarting: the job that stops the unit will start it again.
func (s *service) restarting() bool {
	j := s.unit.Job()
	return j != nil && j.Type == job.Restart
}

// Restart asks for the restart that Restart= wants.
func (s *service) Restart() {
	if _, err := s.m.engine.Enqueue(s.unit, job.Restart, unit.JobReplace); err != nil {
		s.m.Log.Warn("not restarted: "+err.Error(), "unit", s.name())
		s.machine.End(false)
	}
}

// Note logs for the machine.
func (s *service) Note(text string) { s.m.Log.Warn(text, "unit", s.name()) }

func sigOf(sig unit.Signal) unix.Signal { return unix.Signal(sig) }
