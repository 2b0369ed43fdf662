package supervise

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/job"
	"firn/init/internal/unit"
	"firn/tests/require"
)

func TestServiceTypes(t *testing.T) {
	t.Parallel()
	s := newSystem(t,
		svc("simple.service", unit.Simple, "exec sleep 1000"),
		svc("exec.service", unit.ExecService, "exec sleep 1000"),
		svc("none.service", unit.ExecService, "", func(u *unit.Unit) { u.Service.Commands[unit.ExecStart][0].Path = "/none" }),
		svc("oneshot.service", unit.Oneshot, "echo done > $DIR/oneshot", func(u *unit.Unit) { u.Service.RemainAfterExit = true }),
		svc("bad.service", unit.Oneshot, "exit 3"),
		svc("forking.service", unit.Forking, "(echo $$ > /dev/null; exec sleep 1000) & echo $! > $DIR/run.pid", func(u *unit.Unit) { u.Service.PIDFile = "/run.pid" }),
		svc("late.service", unit.Forking, "(sleep 0.2; sh -c 'echo $PPID > $DIR/late.pid'; exec sleep 1000) &", func(u *unit.Unit) { u.Service.PIDFile = "/late.pid" }),
	)
	s.must("simple.service", job.Start)
	if st := s.becomes("simple.service", "running"); st.MainPID == 0 {
		t.Error("no main process")
	}
	s.must("exec.service", job.Start)
	if r := s.ask("none.service", job.Start); r != job.Failure {
		t.Errorf("no program: %s", r)
	}
	if !strings.Contains(s.said(), "203/EXEC") {
		t.Error("the step is not named")
	}
	s.must("oneshot.service", job.Start)
	s.becomes("oneshot.service", "exited")
	s.file("oneshot", "done\n")
	if r := s.ask("bad.service", job.Start); r != job.Failure {
		t.Errorf("a oneshot that fails: %s", r)
	}
	if st := s.Status("bad.service"); st.Active != "failed" || st.Result != "exit-code" {
		t.Errorf("%+v", st)
	}
	for _, name := range []unit.Name{"forking.service", "late.service"} {
		s.must(name, job.Start)
		if st := s.becomes(name, "running"); st.MainPID == 0 || unix.Kill(st.MainPID, 0) != nil {
			t.Errorf("%s: main process %d", name, st.MainPID)
		}
		s.must(name, job.Stop)
		s.becomes(name, "dead")
	}
}

// notifyScript says something by sd_notify(3), with no more than a shell and perl's sockets.
func notifyScript(message string) string {
	return fmt.Sprintf(`perl -MSocket -e 'socket(S, PF_UNIX, SOCK_DGRAM, 0); send(S, "%s", 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die; sleep 1000'`, message)
}

func TestNotify(t *testing.T) {
	t.Parallel()
	require.Program(t, "perl")
	s := newSystem(t,
		svc("ready.service", unit.Notify, "exec "+notifyScript(`READY=1\nSTATUS=all well`)),
		svc("mute.service", unit.Notify, "exec sleep 1000", func(u *unit.Unit) { u.Service.TimeoutStart = 300 * time.Millisecond }),
		svc("dog.service", unit.Notify, "exec "+notifyScript("READY=1"), func(u *unit.Unit) { u.Service.Watchdog = 200 * time.Millisecond }),
		svc("after.service", unit.Oneshot, "cat $DIR/order 2>/dev/null; echo after > $DIR/order", func(u *unit.Unit) {
			u.Deps = append(u.Deps, unit.Dep{Kind: unit.Requires, Name: "ready.service"}, unit.Dep{Kind: unit.After, Name: "ready.service"})
		}),
	)
	s.must("after.service", job.Start)
	if st := s.Status("ready.service"); st.Sub != "running" || st.Text != "all well" {
		t.Errorf("%+v", st)
	}
	if r := s.ask("mute.service", job.Start); r != job.Failure {
		t.Errorf("a service that says nothing: %s", r)
	}
	if st := s.becomes("mute.service", "failed"); st.Result != "timeout" {
		t.Errorf("%+v", st)
	}
	s.must("dog.service", job.Start)
	if st := s.becomes("dog.service", "failed"); st.Result != "watchdog" {
		t.Errorf("%+v", st)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := newSystem(t,
		svc("loop.service", unit.Simple, "exit 1", func(u *unit.Unit) {
			u.Service.Restart, u.StartLimitInterval, u.StartLimitBurst = unit.RestartAlways, 10*time.Second, 4
		}),
		svc("back.service", unit.Simple, "echo x >> $DIR/starts; exec sleep 1000", func(u *unit.Unit) { u.Service.Restart = unit.RestartOnFailure }),
	)
	s.ask("loop.service", job.Start)
	if st := s.becomes("loop.service", "failed"); st.Result != "start-limit-hit" {
		t.Errorf("%+v", st)
	}
	s.must("back.service", job.Start)
	s.file("starts", "x\n")
	st := s.becomes("back.service", "running")
	if err := unix.Kill(st.MainPID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.file("starts", "x\nx\n")
	if again := s.becomes("back.service", "running"); again.MainPID == st.MainPID {
		t.Error("the same process")
	}
	s.must("back.service", job.Restart)
	s.file("starts", "x\nx\nx\n")
}

// TestShutdown: in the reverse of the order of starting, a stubborn one after its own time.
func TestShutdown(t *testing.T) {
	t.Parallel()
	trap := func(name string) string {
		return fmt.Sprintf("trap 'echo %s >> $DIR/order; exit' TERM; touch $DIR/%s.up; while :; do sleep 0.05; done", name, name)
	}
	after := func(names ...unit.Name) func(*unit.Unit) {
		return func(u *unit.Unit) {
			for _, n := range names {
				u.Deps = append(u.Deps, unit.Dep{Kind: unit.After, Name: n}, unit.Dep{Kind: unit.Wants, Name: n})
			}
		}
	}
	s := newSystem(t,
		svc("a.service", unit.Simple, trap("a")),
		svc("b.service", unit.Simple, trap("b"), after("a.service", "deaf.service")),
		svc("c.service", unit.Simple, trap("c"), after("b.service")),
		svc("deaf.service", unit.Simple, "trap '' TERM; touch $DIR/deaf.up; while :; do sleep 0.05; done", func(u *unit.Unit) { u.Service.TimeoutStop = 300 * time.Millisecond }),
	)
	s.must("c.service", job.Start)
	for _, name := range []string{"a", "b", "c", "deaf"} {
		s.file(name+".up", "")
	}
	began := time.Now()
	select {
	case <-s.Shutdown():
	case <-time.After(patience):
		t.Fatal("does not end")
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("took %s: the stubborn one has not had its time", took)
	}
	s.file("order", "c\nb\na\n")
	if !strings.Contains(s.said(), "time is up, killing unit=deaf.service") {
		t.Error("the stubborn one is not named")
	}
	if o := <-s.Request("a.service", job.Start, unit.JobReplace); o.Err == nil {
		t.Error("a start while the system goes down")
	}
}

// sock is a socket unit.
func sock(name unit.Name, service unit.Name, change func(*unit.Socket), listens ...unit.Listen) *unit.Unit {
	u := plain(name, unit.Dep{Kind: unit.Conflicts, Name: shutdownTarget}, unit.Dep{Kind: unit.Before, Name: shutdownTarget})
	u.Socket = &unit.Socket{
		Listens: listens, Backlog: 128, SocketMode: 0o660, DirectoryMode: 0o755, MaxConnections: 64,
		TriggerLimitInterval: 2 * time.Second, Options: unit.SocketOptions{Priority: -1, Mark: -1, IPTTL: -1, IPTOS: -1},
	}
	if change != nil {
		change(u.Socket)
	}
	if !service.IsTemplate() {
		u.Deps = append(u.Deps, unit.Dep{Kind: unit.Triggers, Name: service}, unit.Dep{Kind: unit.Before, Name: service})
	}
	return u
}

func TestSocketAccept(t *testing.T) {
	t.Parallel()
	s := newSystem(t,
		sock("echo.socket", "echo@.service", func(c *unit.Socket) { c.Accept, c.RemoveOnStop = true, true }, unit.Listen{Kind: unit.ListenStream, Address: "/run/echo"}),
		svc("echo@.service", unit.Simple, "exec cat", func(u *unit.Unit) { u.Exec.Stdin.Kind = unit.StdioSocket }),
	)
	s.must("echo.socket", job.Start)
	s.becomes("echo.socket", "listening")
	path := filepath.Join(s.dir, "run/echo")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v", info, err)
	}
	for range 3 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(conn); err != nil || string(text) != "hello" {
			t.Errorf("%q, %v", text, err)
		}
		conn.Close()
	}
	s.must("echo.socket", job.Stop)
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
}

func TestSocketActivation(t *testing.T) {
	t.Parallel()
	require.Program(t, "perl")
	const server = `echo x >> $DIR/starts; echo $LISTEN_FDNAMES > $DIR/names; exec perl -MSocket -e 'open(S, "+<&=", 3); accept(C, S); syswrite(C, "served"); close C; exit'`
	s := newSystem(t,
		sock("act.socket", "act.service", func(c *unit.Socket) { c.FDName = "web" },
			unit.Listen{Kind: unit.ListenStream, Address: "/run/act"}, unit.Listen{Kind: unit.ListenFIFO, Address: "/run/fifo"},
			unit.Listen{Kind: unit.ListenSequentialPacket, Address: "/run/seq"}, unit.Listen{Kind: unit.ListenDatagram, Address: "127.0.0.1:0"},
			unit.Listen{Kind: unit.ListenNetlink, Address: "route 0"}),
		svc("act.service", unit.Simple, server, func(u *unit.Unit) {
			u.Deps = append(u.Deps, unit.Dep{Kind: unit.TriggeredBy, Name: "act.socket"})
		}),
	)
	s.must("act.socket", job.Start)
	for i := range 3 {
		conn, err := net.Dial("unix", filepath.Join(s.dir, "run/act"))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(conn); err != nil || string(text) != "served" {
			t.Errorf("%q, %v", text, err)
		}
		conn.Close()
		s.file("starts", strings.Repeat("x\n", i+1))
		s.becomes("act.socket", "listening")
	}
	s.file("names", "web:web:web:web:web\n")
}

func TestTimer(t *testing.T) {
	t.Parallel()
	u := plain("tick.timer", unit.Dep{Kind: unit.Triggers, Name: "tick.service"})
	u.Timer = &unit.Timer{Monotonic: []unit.TimerBase{{Base: unit.OnActive, Span: 50 * time.Millisecond}, {Base: unit.OnUnitInactive, Span: 50 * time.Millisecond}}}
	once := plain("once.timer", unit.Dep{Kind: unit.Triggers, Name: "once.service"})
	once.Timer = &unit.Timer{Monotonic: []unit.TimerBase{{Base: unit.OnActive, Span: 20 * time.Millisecond}}}
	s := newSystem(t, u, svc("tick.service", unit.Oneshot, "echo x >> $DIR/ticks"), once, svc("once.service", unit.Oneshot, "echo x >> $DIR/once"))
	s.must("once.timer", job.Start)
	s.must("tick.timer", job.Start)
	s.file("ticks", "x\nx\nx\n")
	s.must("tick.timer", job.Stop)
	s.becomes("once.timer", "elapsed")
	s.file("once", "x\n")
}

func TestControlEnvironment(t *testing.T) {
	t.Parallel()
	s := newSystem(t, svc("env.service", unit.Simple, "exec sleep 1000", func(u *unit.Unit) {
		u.Service.Commands[unit.ExecReload] = []unit.Command{sh("echo reload $MAINPID > $DIR/reload")}
		u.Service.Commands[unit.ExecStop] = []unit.Command{sh("echo $SERVICE_RESULT $MAINPID > $DIR/stop")}
		u.Service.Commands[unit.ExecStopPost] = []unit.Command{sh("echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS ${MAINPID-none} > $DIR/post")}
		u.Exec.Directories[unit.RuntimeDirectory] = unit.Directories{Entries: []unit.Directory{{Path: "env"}}, Mode: 0o755}
	}))
	s.must("env.service", job.Start)
	st := s.becomes("env.service", "running")
	s.must("env.service", job.Reload)
	s.file("reload", fmt.Sprintf("reload %d\n", st.MainPID))
	s.must("env.service", job.Stop)
	s.file("stop", fmt.Sprintf("success %d\n", st.MainPID))
	s.file("post", "success killed TERM none\n")
	if _, err := os.Stat(filepath.Join(s.dir, "run/env")); err == nil {
		t.Error("the runtime directory is still there")
	}
}

// TestConnectionsForgotten: connections by the hundred leave no units behind, and a socket whose service is skipped ends
// in failed rather than in a loop.
func TestConnectionsForgotten(t *testing.T) {
	t.Parallel()
	s := newSystem(t,
		sock("many.socket", "many@.service", func(c *unit.Socket) { c.Accept, c.TriggerLimitInterval = true, 0 },
			unit.Listen{Kind: unit.ListenStream, Address: "/run/many"}, unit.Listen{Kind: unit.ListenStream, Address: "/run/idle"}),
		svc("many@.service", unit.Simple, "exec cat", func(u *unit.Unit) { u.Exec.Stdin.Kind = unit.StdioSocket }),
		sock("skip.socket", "skip.service", nil, unit.Listen{Kind: unit.ListenStream, Address: "/run/skip"}),
		svc("skip.service", unit.Simple, "exec cat", func(u *unit.Unit) {
			u.Conditions = []unit.Condition{{Kind: unit.CondPathExists, Param: "/none"}}
			u.Deps = append(u.Deps, unit.Dep{Kind: unit.TriggeredBy, Name: "skip.socket"})
		}),
	)
	s.Check = func(list []unit.Condition) (bool, *unit.Condition, error) {
		if len(list) > 0 {
			return false, &list[0], nil
		}
		return true, nil, nil
	}
	s.must("many.socket", job.Start)
	for range 50 {
		conn, err := net.Dial("unix", filepath.Join(s.dir, "run/many"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.(*net.UnixConn).CloseWrite()
		_, _ = io.ReadAll(conn)
		conn.Close()
	}
	deadline := time.Now().Add(patience)
	for {
		left := 0
		for _, st := range s.List() {
			if strings.HasPrefix(st.Name, "many@") {
				left++
			}
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d instances are left", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.must("skip.socket", job.Start)
	conn, err := net.Dial("unix", filepath.Join(s.dir, "run/skip"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s.becomes("skip.socket", "failed")
}
