package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
	"firn/init/internal/signals"
)

const store = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nixos-system-demo"

// newSystem makes a root with a store in which one NixOS-shaped system stands, firn-init its init.
func newSystem(t *testing.T, activate string) string {
	t.Helper()
	root := newRoot(t)
	if err := os.MkdirAll(root+store+"/sw/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(root, "bin/firn-init"), root+store+"/init")
	writeFile(t, root+store+"/activate", "#!/bin/sh\n"+activate, 0o755)
	return root
}

func TestActivation(t *testing.T) {
	t.Parallel()
	const script = `
echo "activating $systemConfig with HOME=$HOME container=$container stdin=$(readlink /proc/self/fd/0)"
echo "path $PATH"
mkdir -p /etc/modules-load.d
echo filed > /etc/hostname
echo nonesuch > /etc/modules-load.d/nixos.conf
ln -sfn "$systemConfig" /run/current-system
`
	root := newSystem(t, script)
	profile := root + "/nix/var/nix/profiles"
	if err := os.MkdirAll(profile, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"system-1-link": store, "system": "system-1-link"} {
		if err := os.Symlink(target, filepath.Join(profile, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/nix/var/nix/profiles/system/init", root+"/bin/init"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root+"/sbin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(store+"/init", root+"/sbin/init"); err != nil {
		t.Fatal(err)
	}
	lines := map[string]struct {
		path string
		argv []string
	}{
		"store path":     {store + "/init", []string{store + "/init"}},
		"profile":        {"/nix/var/nix/profiles/system/init", []string{"/nix/var/nix/profiles/system/init"}},
		"link to it":     {"/sbin/init", []string{"/sbin/init"}},
		"link to a link": {"/bin/init", []string{"/bin/init", "quiet", "single", "--nonsense"}},
		"option":         {"/bin/firn-init", []string{"firn-init", "--boot", "--system", "/nix/var/nix/profiles/system"}},
	}
	for name, tt := range lines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			argv := append(slices.Clone(tt.argv), "--", "sh", "-c", "echo links=$(readlink /run/current-system),$(readlink /run/booted-system) name=$(hostname). path=$PATH")
			c := start(t, root, config{stage: stage{Path: tt.path, Hostname: "localhost"}}, argv...)
			c.exits(0)
			for _, want := range []string{
				"activating " + store + " with HOME=/root container=test stdin=/dev/null",
				"path " + store + "/sw/bin:", "links=" + store + "," + store + " name=filed. path=",
				":/run/current-system/sw/bin:", "module=nonesuch origin=/etc/modules-load.d/nixos.conf:1",
			} {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("%q is missing", want)
				}
			}
			for _, word := range tt.argv[1:] {
				if name == "link to a link" && !strings.Contains(c.out.String(), "word="+word+"\n") {
					t.Errorf("the word %q was passed over in silence", word)
				}
			}
		})
	}
}

// TestActivationFails: it is reported, and the system comes up all the same.
func TestActivationFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, says string }{
		"exits":          {"echo half done; exit 4\n", "script exited with code 4"},
		"killed":         {"kill -9 $$\n", "script killed by SIGKILL"},
		"no interpreter": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newSystem(t, tt.script)
			if tt.script == "" {
				writeFile(t, root+store+"/activate", "#!/nix/store/none/bin/bash\n", 0o755)
				tt.says = "no such file or directory"
			}
			c := start(t, root, config{stage: stage{Path: store + "/init"}}, store+"/init", "--", "readlink", "/run/current-system")
			c.exits(0)
			for _, want := range []string{"warning: activate " + store, tt.says, "firn-init: ready", "\n" + store + "\n"} {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("%q is missing", want)
				}
			}
		})
	}
}

// TestHaltInActivation: a script that takes its time does not keep the system from halting.
func TestHaltInActivation(t *testing.T) {
	t.Parallel()
	root := newSystem(t, "echo script up\nsleep 1000\n")
	c := start(t, root, config{stage: stage{Path: store + "/init"}}, store+"/init")
	c.says("script up")
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
	if strings.Contains(c.out.String(), "firn-init: ready") {
		t.Error("said to be ready")
	}
}

func TestNoSystem(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, bootLine("--system", "/nonesuch", "--", "true")...)
	c.exits(0)
	c.says("warning: resolve system: lstat /nonesuch: no such file or directory")
}

// TestNotify: what a manager at $NOTIFY_SOCKET is told, in order.
func TestNotify(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: root + "/run/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	env := []string{"NOTIFY_SOCKET=/run/notify", "container_uuid=6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c"}
	// /run is a mount point already, so that the socket is not covered.
	mounts := []stageMount{{Source: root + "/run", Target: "run", Flags: unix.MS_BIND}}
	c := start(t, root, config{env: env, stage: stage{Mounts: mounts, Hostname: "demo"}},
		bootLine("--", "sh", "-c", "echo socket=$NOTIFY_SOCKET.; echo service up; while :; do sleep 1; done")...)
	c.says("service up")
	c.says("firn-init: ready")
	c.signal(signals.RTMin + 5)
	c.endsBy(unix.SIGHUP)
	var got []string
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		b := make([]byte, 4096)
		n, err := conn.Read(b)
		if err != nil {
			break
		}
		got = append(got, string(b[:n]))
	}
	want := []string{
		"X_SYSTEMD_SIGNALS_LEVEL=2", "X_SYSTEMD_HOSTNAME=demo", "X_SYSTEMD_MACHINE_ID=6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c",
		"X_SYSTEMD_UNIT_ACTIVE=sysinit.target", "X_SYSTEMD_UNIT_ACTIVE=basic.target", "READY=1\nSTATUS=Ready.",
		"X_SYSTEMD_UNIT_ACTIVE=multi-user.target", "X_SYSTEMD_UNIT_INACTIVE=multi-user.target",
		"X_SYSTEMD_UNIT_ACTIVE=shutdown.target", "EXIT_STATUS=0\nX_SYSTEMD_SHUTDOWN=reboot",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the manager was told\n%q, want\n%q", got, want)
	}
	if !strings.Contains(c.out.String(), "socket=.\n") {
		t.Error("the service got the manager's socket")
	}
}

// shimEnd is a shim for a container: it listens, and keeps what it is told.
type shimEnd struct {
	t      *testing.T
	server *handoff.Server
	conn   *handoff.Conn
	got    chan handoff.Message
	mount  stageMount
}

func newShim(t *testing.T, root string) *shimEnd {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(root+filepath.Dir(handoff.DefaultPath), 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := handoff.Listen(filepath.Join(dir, "handoff.sock"), func(int, uint32) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return &shimEnd{t: t, server: server, got: make(chan handoff.Message, 64),
		mount: stageMount{Source: dir, Target: filepath.Dir(handoff.DefaultPath), Flags: unix.MS_BIND | unix.MS_RDONLY}}
}

func (s *shimEnd) accept(c *container) {
	s.t.Helper()
	conn, err := s.server.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	if conn.Peer.PID != c.cmd.Process.Pid {
		s.t.Errorf("peer %d is not PID 1, %d", conn.Peer.PID, c.cmd.Process.Pid)
	}
	s.conn = conn
	go func() {
		defer close(s.got)
		_ = conn.Serve(func(m handoff.Message) handoff.Message {
			s.got <- m
			if m.Type == handoff.LoadModule {
				return handoff.Message{Type: handoff.Denied, ID: m.ID, Text: "not on the list"}
			}
			return handoff.Message{}
		})
	}()
}

// until gives the next message of a type.
func (s *shimEnd) until(typ handoff.Type) handoff.Message {
	s.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case m, ok := <-s.got:
			if !ok {
				s.t.Fatalf("the connection ended before %s came", typ)
			}
			if m.Type == typ {
				return m
			}
		case <-deadline:
			s.t.Fatalf("no %s within %s", typ, patience)
		}
	}
}

func (s *shimEnd) ask(m handoff.Message) handoff.Message {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := s.conn.Request(ctx, m)
	if err != nil {
		s.t.Fatalf("%s: %v", m.Type, err)
	}
	return answer
}

func TestHandoffBoot(t *testing.T) {
	t.Parallel()
	root := newSystem(t, "echo activated $systemConfig\nexit 0\n")
	for name, script := range map[string]string{"other": "echo activated $systemConfig\n", "broken": "exit 9\n"} {
		writeFile(t, root+"/nix/store/"+name+"/activate", "#!/bin/sh\n"+script, 0o755)
	}
	shim := newShim(t, root)
	c := start(t, root, config{stage: stage{Path: store + "/init", Mounts: []stageMount{shim.mount}}}, append([]string{store + "/init"}, stay...)...)
	shim.accept(c)
	if shim.conn.Hello.Mode != handoff.BootMode {
		t.Errorf("hello %+v", shim.conn.Hello)
	}
	shim.until(handoff.Ready)
	c.says("service up")

	for system, want := range map[string]handoff.Message{
		"/nix/store/other":  {Type: handoff.Ack, Text: "activated /nix/store/other"},
		"/nix/store/broken": {Type: handoff.Error, Code: handoff.Internal, Text: "activate /nix/store/broken: script exited with code 9"},
		"/nix/store/none":   {Type: handoff.Error, Code: handoff.Internal, Text: "resolve system: lstat /nix/store/none: no such file or directory"},
	} {
		got := shim.ask(handoff.Message{Type: handoff.Reload, System: system})
		if got.Type != want.Type || got.Code != want.Code || got.Text != want.Text {
			t.Errorf("reload of %s: %+v, want %+v", system, got, want)
		}
	}
	c.says("activated /nix/store/other")
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/root/run/current-system", c.cmd.Process.Pid))
	if err != nil || link != "/nix/store/other" {
		t.Errorf("current-system is %q, %v", link, err)
	}
	if got := shim.ask(handoff.Message{Type: handoff.Units}); got.Type != handoff.Error || got.Code != handoff.Unsupported {
		t.Errorf("units: %+v", got)
	}
	if got := shim.ask(handoff.Message{Type: handoff.Reboot}); got.Type != handoff.Ack {
		t.Errorf("reboot: %+v", got)
	}
	if m := shim.until(handoff.Exit); m.Action != "reboot" || *m.Exit != (handoff.ExitStatus{}) {
		t.Errorf("exit message %+v", m)
	}
	c.endsBy(unix.SIGHUP)
}

func TestHandoffEnds(t *testing.T) {
	t.Parallel()
	for typ, sig := range map[handoff.Type]unix.Signal{handoff.Halt: unix.SIGINT, handoff.Poweroff: unix.SIGINT} {
		t.Run(string(typ), func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			shim := newShim(t, root)
			c := start(t, root, config{stage: stage{Mounts: []stageMount{shim.mount}}}, bootLine(stay...)...)
			shim.accept(c)
			shim.until(handoff.Ready)
			if got := shim.ask(handoff.Message{Type: typ}); got.Type != handoff.Ack {
				t.Errorf("%s: %+v", typ, got)
			}
			if m := shim.until(handoff.Exit); m.Action != string(typ) {
				t.Errorf("exit message %+v", m)
			}
			c.endsBy(sig)
		})
	}
}

func TestHandoffCommand(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	shim := newShim(t, root)
	c := start(t, root, config{stage: stage{Mounts: []stageMount{shim.mount}}}, "firn-init", "payload", "signals")
	shim.accept(c)
	shim.until(handoff.Ready)
	c.says("up\n")
	for _, typ := range []handoff.Type{handoff.Reload, handoff.Units} {
		if got := shim.ask(handoff.Message{Type: typ, System: "/x"}); got.Type != handoff.Error || got.Code != handoff.Unsupported {
			t.Errorf("%s: %+v", typ, got)
		}
	}
	if got := shim.ask(handoff.Message{Type: handoff.Halt}); got.Type != handoff.Ack {
		t.Errorf("halt: %+v", got)
	}
	if m := shim.until(handoff.Exit); m.Action != "halt" || m.Exit.Code != 3 {
		t.Errorf("exit message %+v", m)
	}
	c.exits(3)
}

// TestHandoffExitCode: what reboot(2) hides, the shim is told.
func TestHandoffExitCode(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{{"firn-init"}, {"firn-init", "--boot", "--"}} {
		t.Run(strings.Join(argv, " "), func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			shim := newShim(t, root)
			// The command ends when it is told to, with the shim connected.
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			c := start(t, root, config{stdin: r, stage: stage{Mounts: []stageMount{shim.mount}}}, append(argv, "sh", "-c", "read x; kill -TERM $$")...)
			shim.accept(c)
			shim.until(handoff.Ready)
			w.Close()
			if m := shim.until(handoff.Exit); m.Action != "exit" || m.Exit.Signal != 15 {
				t.Errorf("exit message %+v", m)
			}
			c.exits(143)
		})
	}
}

// TestHandoffBrief: what a command that has long ended had to say can still be read.
func TestHandoffBrief(t *testing.T) {
	t.Parallel()
	for _, argv := range [][]string{{"firn-init"}, {"firn-init", "--boot", "--"}} {
		t.Run(strings.Join(argv, " "), func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			shim := newShim(t, root)
			c := start(t, root, config{stage: stage{Mounts: []stageMount{shim.mount}}}, append(argv, "sh", "-c", "exit 7")...)
			c.exits(7)
			shim.accept(c)
			shim.until(handoff.Ready)
			if m := shim.until(handoff.Exit); m.Action != "exit" || m.Exit.Code != 7 {
				t.Errorf("exit message %+v", m)
			}
		})
	}
}

// TestModulesAskHost: without CAP_SYS_MODULE the lists' modules are asked of the host, and its word is logged.
func TestModulesAskHost(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	release := kernelRelease(t)
	writeFile(t, root+"/etc/modules-load.d/a.conf", "# a comment\nfrobnicate\n", 0o644)
	writeFile(t, root+"/lib/modules/"+release+"/modules.dep", "kernel/frobnicate.ko:\n", 0o644)
	writeFile(t, root+"/lib/modules/"+release+"/kernel/frobnicate.ko", "no module", 0o644)
	shim := newShim(t, root)
	c := start(t, root, config{stage: stage{Mounts: []stageMount{shim.mount}, Drop: []int{unix.CAP_SYS_MODULE}}}, bootLine(stay...)...)
	shim.accept(c)
	if m := shim.until(handoff.LoadModule); m.Module != "frobnicate" {
		t.Errorf("asked for %+v", m)
	}
	shim.until(handoff.Ready)
	c.says("no CAP_SYS_MODULE")
	c.says("module denied by the host module=frobnicate origin=/etc/modules-load.d/a.conf:2")
	c.says("not on the list")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
}

func kernelRelease(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// TestShell: with a terminal at /dev/console a login shell runs there, in the foreground, and again after its end.
func TestShell(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	writeFile(t, root+"/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644)
	writeFile(t, root+"/dev/console", "", 0o600)
	writeFile(t, root+"/dev/null", "", 0o666)
	master, slave := openPTY(t)
	mounts := []stageMount{
		{Source: slave.Name(), Target: "dev/console", Flags: unix.MS_BIND},
		{Source: "/dev/null", Target: "dev/null", Flags: unix.MS_BIND},
	}
	c := start(t, root, config{stage: stage{Mounts: mounts}}, bootLine()...)
	c.says("firn-init: ready")
	screen := &output{more: make(chan struct{}, 1)}
	go func() { _, _ = io.Copy(screen, master) }()
	terminal := &container{t: t, out: screen}
	for round := range 2 {
		if _, err := fmt.Fprintf(master, "echo round%d-$((20+%d)) $0 $HOME; exit\n", round, round); err != nil {
			t.Fatal(err)
		}
		terminal.says(fmt.Sprintf("round%d-%d -sh /root", round, 20+round))
	}
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
	if strings.Contains(screen.String(), "job control turned off") {
		t.Error("the shell has no job control")
	}
}
