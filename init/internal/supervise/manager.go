package supervise

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"firn/init/internal/execute"
	"firn/init/internal/job"
	"firn/init/internal/log"
	"firn/init/internal/reap"
	"firn/init/internal/unit"
)

// Options are what a Manager stands on.
type Options struct {
	// Load gives a unit by name; see job.NewGraph.
	Load   func(unit.Name) *unit.Unit
	Reaper *reap.Reaper
	Log    *log.Logger
	// Groups makes control groups; nil if there are none.
	Groups Groups
	// Check evaluates conditions and asserts; failed is one that is not met, err is what could not be decided.
	Check func(list []unit.Condition) (met bool, failed *unit.Condition, err error)
	// Stdio are what processes begin with: nothing to read, and the log.
	Stdio [3]uintptr
	// Environ is what every unit's processes get; Own is PID 1's own, for PassEnvironment=.
	Environ, Own []string
	// Self is the program that has the stage, the running one by default. Root is put before paths; a test's.
	Self, Root string
}

// Manager runs units.
type Manager struct {
	Options
	engine  *job.Engine
	spawner execute.Spawner
	notify  *notifySocket
	procs   map[*reap.Process]func(reap.Process)
	waiters map[*job.Job][]func(job.Result)
	dynamic map[uint32]string
	// services are all that were ever started, in that order.
	services   []*service
	limitsTold bool
	closing    bool
	began      time.Time

	mu    sync.Mutex
	queue []func()
	wake  chan struct{}
	quit  chan struct{}
}

// New makes a Manager that runs nothing yet.
func New(o Options) *Manager {
	m := &Manager{
		Options: o, procs: make(map[*reap.Process]func(reap.Process)), waiters: make(map[*job.Job][]func(job.Result)),
		dynamic: make(map[uint32]string), wake: make(chan struct{}, 1), quit: make(chan struct{}), began: time.Now(),
	}
	m.spawner = execute.Spawner{Reaper: o.Reaper, Stdio: o.Stdio, Self: o.Self}
	m.engine = &job.Engine{
		Graph: job.NewGraph(o.Load), Do: m.do, CanReload: m.canReload, Arm: m.armJob,
		Finished: m.finished, Changed: m.changed, Notice: m.notice,
	}
	return m
}

// Run works off what is posted until Quit.
func (m *Manager) Run() {
	for {
		for _, f := range m.take() {
			m.work(f)
		}
		select {
		case <-m.wake:
		case <-m.quit:
			return
		}
	}
}

// work calls one function and lets the engine settle. A panic is a mistake in this program; it is said, and PID 1 lives
// on: its end would be the system's.
func (m *Manager) work(f func()) {
	defer func() {
		if p := recover(); p != nil {
			m.Log.Error(fmt.Sprintf("panic in the manager of units: %v\n%s", p, debug.Stack()))
		}
	}()
	f()
	m.engine.Settle()
}

// Quit ends Run; what units have started stays.
func (m *Manager) Quit() { close(m.quit) }

// Post has the Manager's goroutine call f. It never waits.
func (m *Manager) Post(f func()) {
	m.mu.Lock()
	m.queue = append(m.queue, f)
	m.mu.Unlock()
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

func (m *Manager) take() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	queue := m.queue
	m.queue = nil
	return queue
}

// after posts f after a while, unless it is stopped before.
func (m *Manager) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { m.Post(f) })
}

// Reaped tells that children have ended, one of ours or an orphan that may have been a unit's last.
func (m *Manager) Reaped() { m.Post(m.lookAtProcesses) }

func (m *Manager) lookAtProcesses() {
	for p, ended := range m.procs {
		select {
		case <-p.Done():
			delete(m.procs, p)
			ended(*p)
		default:
		}
	}
	for _, s := range m.services {
		s.orphaned()
	}
}

// watch calls ended on the Manager's goroutine once the process is over.
func (m *Manager) watch(p *reap.Process, ended func(reap.Process)) {
	m.procs[p] = ended
	select {
	case <-p.Done():
		m.Reaped() // before it was watched
	default:
	}
}

func (m *Manager) armJob(j *job.Job, after time.Duration) {
	m.after(after, func() { m.engine.Expire(j) })
}

// finished logs a job's end and tells who waits for it.
func (m *Manager) finished(j *job.Job) {
	name := string(j.Unit.Name)
	switch {
	case j.Result == job.Done || j.Result == job.Skipped || j.Result == job.Canceled:
		m.Log.Debug("job over", "unit", name, "job", j.Type.String(), "result", j.Result.String())
	case j.Type == job.Start || j.Type == job.Verify:
		m.Log.Warn("not started", "unit", name, "result", j.Result.String())
	default:
		m.Log.Warn("job over", "unit", name, "job", j.Type.String(), "result", j.Result.String())
	}
	for _, f := range m.waiters[j] {
		f(j.Result)
	}
	delete(m.waiters, j)
	if j.Type == job.Start && j.Unit.State().Down() {
		// It may never have left that state, when a condition was not met: who has started it is to know.
		m.changed(j.Unit, j.Unit.State(), j.Unit.State())
	}
}

// forget drops an instance that was made for one connection, so that their number does not matter.
func (m *Manager) forget(s *service) {
	if !s.unit.State().Down() || s.unit.Job() != nil {
		return
	}
	m.services = slices.DeleteFunc(m.services, func(other *service) bool { return other == s })
	m.engine.Forget(s.unit)
}

// changed lets the units know that look at others' states.
func (m *Manager) changed(u *job.Unit, from, to job.State) {
	u.Others(job.TriggeredBy, func(other *job.Unit) {
		if d, ok := other.Driver.(triggering); ok {
			d.triggered(u, from, to)
		}
	})
}

// triggering is a driver that starts another unit.
type triggering interface {
	triggered(u *job.Unit, from, to job.State)
}

func (m *Manager) notice(n job.Notice) {
	name := string(n.Unit.Name)
	switch n.Kind {
	case job.CycleBroken:
		m.Log.Warn("ordering cycle: "+cycleText(n.Cycle), "left out", n.Type.String()+" "+name)
	case job.Dropped:
		m.Log.Warn("left out: "+n.Err.Error(), "unit", name, "job", n.Type.String())
	case job.Ignored:
		m.Log.Debug("not pulled in: "+n.Err.Error(), "unit", name)
	case job.RequestFailed:
		m.Log.Warn("not requested: "+n.Err.Error(), "unit", string(n.Other.Name), "by", name)
	case job.Unneeded:
		m.Log.Info("not needed any more, stopping", "unit", name)
	case job.BoundLost:
		m.Log.Info("stopping with what it is bound to", "unit", name, "bound", string(n.Other.Name))
	case job.Upheld:
		m.Log.Info("upheld, starting", "unit", name, "by", string(n.Other.Name))
	}
}

func cycleText(names []unit.Name) (text string) {
	for _, n := range names {
		text += string(n) + " -> "
	}
	return text + string(names[0])
}
