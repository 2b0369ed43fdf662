package handoff

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func allowAll(int, uint32) bool { return true }

func socketPath(t *testing.T) string {
	return filepath.Join(t.TempDir(), "handoff.sock")
}

func serve(t *testing.T, path string, allow func(int, uint32) bool) *Server {
	t.Helper()
	s, err := Listen(path, allow)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// start runs a client until the test ends and gives a channel with what Run returned.
func start(t *testing.T, c *Client) <-chan error {
	t.Helper()
	if c.Hello.Boot == "" {
		c.Hello = Message{Boot: bootID, Mode: BootMode}
	}
	if c.Handle == nil {
		c.Handle = func(m Message) Message { return Acknowledge(m, "") }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("client did not end with its context")
		}
	})
	return done
}

// receive runs Serve and gives all messages that come.
func receive(conn *Conn) <-chan Message {
	got := make(chan Message, 16)
	go func() {
		defer close(got)
		_ = conn.Serve(func(m Message) Message {
			got <- m
			switch m.Type {
			case LoadModule:
				if m.Module == "fuse" {
					return Message{Type: Loaded, ID: m.ID}
				}
				return Message{Type: Denied, ID: m.ID, Text: "not on the list"}
			}
			return Message{}
		})
	}()
	return got
}

func next(t *testing.T, got <-chan Message) Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("no message within 10 s")
		return Message{}
	}
}

func accepted(t *testing.T, s *Server) *Conn {
	t.Helper()
	_ = s.file.SetReadDeadline(time.Now().Add(10 * time.Second))
	conn, err := s.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestConversation(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s := serve(t, path, allowAll)
	c := &Client{Path: path}
	c.Handle = func(m Message) Message {
		switch m.Type {
		case Halt:
			return Acknowledge(m, "halting")
		case Reload:
			// Put off: answered after the handler has returned.
			go c.Answer(Refuse(m, Internal, "activate exited 3"))
			return Message{}
		}
		return Unknown(m)
	}
	c.Status("mounting")
	start(t, c)
	conn := accepted(t, s)
	if conn.Peer.PID != os.Getpid() || conn.Peer.UID != uint32(os.Getuid()) {
		t.Errorf("peer %+v, want pid %d uid %d", conn.Peer, os.Getpid(), os.Getuid())
	}
	if conn.Hello.Boot != bootID || conn.Hello.Mode != BootMode {
		t.Errorf("hello %+v", conn.Hello)
	}
	got := receive(conn)
	if m := next(t, got); m.Type != Status || m.Text != "mounting" {
		t.Errorf("first message %+v, want the status set before the connection", m)
	}
	c.Ready()
	if m := next(t, got); m.Type != Ready {
		t.Errorf("got %+v, want ready", m)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for m, want := range map[Type]Message{
		Halt:       {Type: Ack, Text: "halting"},
		Reload:     {Type: Error, Code: Internal, Text: "activate exited 3"},
		Units:      {Type: Error, Code: Unsupported},
		"snapshot": {Type: Error, Code: Unsupported},
	} {
		answer, err := conn.Request(ctx, Message{Type: m, System: "/x"})
		if err != nil || answer.Type != want.Type || answer.Code != want.Code || !strings.HasPrefix(answer.Text, want.Text) {
			t.Errorf("%s: %+v, %v, want %+v", m, answer, err, want)
		}
	}

	if err := c.LoadModule(ctx, "fuse"); err != nil {
		t.Errorf("load fuse: %v", err)
	}
	var denied *DeniedError
	if err := c.LoadModule(ctx, "evil"); !errors.As(err, &denied) || denied.Reason != "not on the list" {
		t.Errorf("load evil: %v, want a denial", err)
	}
	next(t, got)
	next(t, got)
	c.Exit(ExitStatus{Code: 7}, "poweroff")
	if m := next(t, got); m.Type != Exit || m.Exit.Code != 7 || m.Action != "poweroff" {
		t.Errorf("got %+v, want exit 7", m)
	}
}

// TestReconnect: a new supervisor is found without polling, and is told what the old one knew.
func TestReconnect(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s, err := Listen(path, allowAll)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Path: path}
	start(t, c)
	conn := accepted(t, s)
	c.Status("running")
	c.Ready()
	for round := range 9 {
		// A killed supervisor leaves its socket; an orderly one removes it, unless another has taken its place.
		old := s
		switch round % 3 {
		case 0:
			s.file.Close()
		case 1:
			s.Close()
		}
		if s, err = Listen(path, allowAll); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		conn = accepted(t, s)
		got := receive(conn)
		if m := next(t, got); m.Type != Status || m.Text != "running" {
			t.Fatalf("round %d: %+v, want the status", round, m)
		}
		if m := next(t, got); m.Type != Ready {
			t.Fatalf("round %d: %+v, want ready", round, m)
		}
		if round%3 == 2 {
			old.Close()
		}
		if _, err := os.Lstat(path); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	file := socketPath(t)
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{socketPath(t), "/nonexistent/a/b", filepath.Join(file, "x")} {
		c := &Client{Path: path, Hello: Message{Boot: bootID, Mode: BootMode}}
		if err := c.Run(t.Context()); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v, want ErrAbsent", path, err)
		}
		c.Ready()
		if err := c.LoadModule(t.Context(), "x"); !errors.Is(err, ErrClosed) {
			t.Errorf("load: %v, want ErrClosed", err)
		}
	}
}

func TestTurnedAway(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s, err := Listen(path, func(pid int, uid uint32) bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	drops := make(chan error, 16)
	s.OnDrop(func(p Peer, err error) { drops <- err })
	ended := make(chan error)
	go func() {
		_, err := s.Accept()
		ended <- err
	}()
	start(t, &Client{Path: path})
	if err := <-drops; !errors.Is(err, os.ErrPermission) {
		t.Errorf("dropped for %v, want a refused peer", err)
	}
	s.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Accept after Close: %v, want os.ErrClosed", err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("socket after Close: %v", err)
	}
}

func TestBadPeers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		say  string
		want error
	}{
		"no hello":    {`{"v":1,"type":"ready"}` + "\n", ErrSequence},
		"garbage":     {"GET / HTTP/1.0\r\n\r\n", ErrGarbage},
		"newer major": {`{"v":9}` + "\n", ErrVersion},
		"endless":     {strings.Repeat("x", MaxLine+1), ErrTooLong},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := socketPath(t)
			s := serve(t, path, allowAll)
			drops := make(chan error, 1)
			s.OnDrop(func(p Peer, err error) { drops <- err })
			go func() { _, _ = s.Accept() }()
			file, err := connect(path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			go func() { _, _ = file.WriteString(tt.say) }()
			if err := <-drops; !errors.Is(err, tt.want) {
				t.Errorf("dropped for %v, want %v", err, tt.want)
			}
			m, err := NewReader(file).Read()
			if err != nil || m.Type != Error {
				t.Errorf("told %+v, %v, want an error message", m, err)
			}
		})
	}
}

// TestBadMemberIsAnswered: a message that makes no sense is refused under its id and the talk goes on.
func TestBadMemberIsAnswered(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s := serve(t, path, allowAll)
	start(t, &Client{Path: path})
	conn := accepted(t, s)
	if _, err := conn.file.WriteString(`{"v":1,"type":"reload","id":5}` + "\n" + `{"v":1,"type":"halt","id":6}` + "\n"); err != nil {
		t.Fatal(err)
	}
	if m, err := conn.in.Read(); err != nil || m.Type != Error || m.ID != 5 || m.Code != Invalid {
		t.Errorf("got %+v, %v, want reload refused", m, err)
	}
	if m, err := conn.in.Read(); err != nil || m.Type != Ack || m.ID != 6 {
		t.Errorf("got %+v, %v, want halt acknowledged", m, err)
	}
}

// TestStuckPeer: who does not read cannot hold the sender for long.
func TestStuckPeer(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s := serve(t, path, allowAll)
	start(t, &Client{Path: path})
	conn := accepted(t, s)
	_ = conn
	peer, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	if err := Write(peer, Message{Type: Hello, ID: 1, Boot: bootID, Mode: BootMode}); err != nil {
		t.Fatal(err)
	}
	stuck := accepted(t, s)
	began := time.Now()
	for range 100_000 {
		if err = stuck.Send(Message{Type: Status, Text: strings.Repeat("x", 60_000)}); err != nil {
			break
		}
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 10*writeTimeout {
		t.Errorf("after %v: %v, want a deadline", time.Since(began), err)
	}
	if _, err := stuck.Request(t.Context(), Message{Type: Halt}); err == nil {
		t.Error("request on a broken connection succeeded")
	}
}

func TestRequestEndsWithConnection(t *testing.T) {
	t.Parallel()
	path := socketPath(t)
	s := serve(t, path, allowAll)
	ctx, cancel := context.WithCancel(context.Background())
	c := &Client{Path: path, Hello: Message{Boot: bootID, Mode: CommandMode}}
	c.Handle = func(Message) Message { cancel(); return Message{} }
	go func() { _ = c.Run(ctx) }()
	conn := accepted(t, s)
	receive(conn)
	if _, err := conn.Request(t.Context(), Message{Type: Halt}); !errors.Is(err, ErrClosed) {
		t.Errorf("request: %v, want ErrClosed", err)
	}
}

func TestLongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 100), strings.Repeat("e", 100))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "handoff.sock")
	s := serve(t, path, allowAll)
	start(t, &Client{Path: path})
	if conn := accepted(t, s); conn.Hello.Boot != bootID {
		t.Errorf("hello %+v", conn.Hello)
	}
}
