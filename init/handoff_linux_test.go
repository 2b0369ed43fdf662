package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
)

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
	stop := time.AfterFunc(patience, func() { s.server.Close() })
	conn, err := s.server.Accept()
	stop.Stop()
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
