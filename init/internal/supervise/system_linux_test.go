package supervise

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/execute"
	"firn/init/internal/job"
	"firn/init/internal/log"
	"firn/init/internal/reap"
	"firn/init/internal/unit"
)

// These tests run real processes: the test program is the stage of init/internal/execute, the reaper of orphans, and
// what PID 1 is otherwise.

var (
	reaper   = reap.New()
	managers struct {
		sync.Mutex
		all []*Manager
	}
)

func TestMain(m *testing.M) {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	child := make(chan os.Signal, 1)
	signal.Notify(child, unix.SIGCHLD)
	go reaper.Run(child, func() {
		managers.Lock()
		defer managers.Unlock()
		for _, m := range managers.all {
			m.Reaped()
		}
	})
	os.Exit(m.Run())
}

var _ = execute.CodeName // its init is what makes this program a stage

// system is a Manager over units made by a test.
type system struct {
	*Manager
	t     *testing.T
	units map[unit.Name]*unit.Unit
	dir   string
	mu    sync.Mutex
	log   strings.Builder
}

func newSystem(t *testing.T, units ...*unit.Unit) *system {
	t.Helper()
	s := &system{t: t, units: make(map[unit.Name]*unit.Unit), dir: t.TempDir()}
	for _, u := range units {
		s.units[u.Name] = u
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = New(Options{
		Load: s.load, Reaper: reaper, Root: s.dir, Stdio: [3]uintptr{null.Fd(), 2, 2},
		Log: log.New(log.Target{Write: func(line []byte) {
			s.mu.Lock()
			s.log.Write(line)
			s.mu.Unlock()
		}}, log.Debug),
		Environ: []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "DIR=" + s.dir},
	})
	managers.Lock()
	managers.all = append(managers.all, s.Manager)
	managers.Unlock()
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	go s.Run()
	t.Cleanup(func() {
		<-s.Shutdown()
		s.Quit()
		_ = null.Close()
		if t.Failed() {
			t.Logf("log:\n%s", s.said())
		}
	})
	return s
}

func (s *system) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *system) load(name unit.Name) *unit.Unit {
	if u := s.units[name]; u != nil {
		return u
	}
	if u := s.units[name.Template()]; u != nil {
		c := *u
		c.Name = name
		return &c
	}
	u := plain(name)
	if name.Type() == unit.ServiceType {
		u.State = unit.NotFound
	}
	return u
}

func plain(name unit.Name, deps ...unit.Dep) *unit.Unit {
	return &unit.Unit{Name: name, JobTimeout: unit.Infinity, JobRunningTimeout: unit.Infinity, Deps: deps}
}

// svc is a service that runs a shell's script, with the defaults that a unit file has.
func svc(name unit.Name, kind unit.ServiceKind, script string, change ...func(*unit.Unit)) *unit.Unit {
	u := plain(name, unit.Dep{Kind: unit.Conflicts, Name: shutdownTarget}, unit.Dep{Kind: unit.Before, Name: shutdownTarget})
	u.Service = &unit.Service{
		Type: kind, TimeoutStart: 20 * time.Second, TimeoutStop: 20 * time.Second, RuntimeMax: unit.Infinity,
		RestartDelay: 10 * time.Millisecond, RestartMaxDelay: unit.Infinity, GuessMainPID: true,
	}
	if kind == unit.Notify {
		u.Service.NotifyAccess = unit.NotifyMain
	}
	u.Service.Commands[unit.ExecStart] = []unit.Command{sh(script)}
	u.Exec = &unit.Exec{UMask: 0o22, CapabilityBoundingSet: ^uint64(0), TimerSlack: -1, IgnoreSIGPIPE: true}
	u.Kill = &unit.Kill{Signal: unit.Signal(unix.SIGTERM), FinalSignal: unit.Signal(unix.SIGKILL), WatchdogSignal: unit.Signal(unix.SIGABRT), SendSIGKILL: true}
	for _, f := range change {
		f(u)
	}
	return u
}

func sh(script string) unit.Command {
	return unit.Command{Path: "/bin/sh", Argv: []string{"sh", "-c", script}, Flags: unit.NoVariables}
}

const patience = 20 * time.Second

func (s *system) ask(name unit.Name, typ job.Type) job.Result {
	s.t.Helper()
	select {
	case o := <-s.Request(name, typ, unit.JobReplace):
		if o.Err != nil {
			s.t.Fatalf("%s %s: %v", typ, name, o.Err)
		}
		return o.Result
	case <-time.After(patience):
		s.t.Fatalf("%s %s does not end", typ, name)
		return job.Timeout
	}
}

func (s *system) must(name unit.Name, typ job.Type) {
	s.t.Helper()
	if r := s.ask(name, typ); r != job.Done {
		s.t.Fatalf("%s %s: %s", typ, name, r)
	}
}

// becomes waits for a sub-state.
func (s *system) becomes(name unit.Name, sub string) Status {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		st := s.Status(name)
		if st.Sub == sub {
			return st
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is %s, not %s", name, st.Sub, sub)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *system) file(name, want string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text, err := os.ReadFile(filepath.Join(s.dir, name))
		if err == nil && string(text) == want {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s holds %q, want %q (%v)", name, text, want, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
