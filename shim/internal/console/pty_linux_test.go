package console

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/console"
	"golang.org/x/sys/unix"
)

// pty is a real one. Its slave is opened by path, as a getty does.
type pty struct {
	master *os.File
	path   string
}

func newPTY(t *testing.T) pty {
	t.Helper()
	// Not by os.OpenFile: the session's end gets what libcontainer sends, a
	// blocking descriptor that Go's poller does not know.
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "/dev/ptmx")
	t.Cleanup(func() { f.Close() })
	_, path, err := console.NewPtyFromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	return pty{master: f, path: path}
}

func (p pty) open(t *testing.T) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// sink collects what is written, for another goroutine to wait for.
type sink struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *sink) await(t *testing.T, want string) {
	t.Helper()
	await(t, "output "+want, func() bool { return strings.Contains(s.String(), want) })
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not within 10 s: %s", what)
}

// collect reads a user's screen, or whatever f is, into a sink.
func collect(t *testing.T, f *os.File) *sink {
	t.Helper()
	s := new(sink)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(s, f) // ends when the test closes the file
	}()
	t.Cleanup(func() { f.Close(); <-done })
	return s
}

// running is a session in a goroutine of its own.
type running struct {
	cancel context.CancelFunc
	done   chan struct{}
	ended  Ended
	err    error
}

func run(t *testing.T, s *Session) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.ended, r.err = s.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-r.done })
	return r
}

func (r *running) mustEnd(t *testing.T, want Ended) {
	t.Helper()
	select {
	case <-r.done:
	case <-time.After(10 * time.Second):
		t.Fatal("the session does not end")
	}
	if r.ended != want || r.err != nil {
		t.Errorf("ended %v, %v, want %v", r.ended, r.err, want)
	}
}

// user is a terminal with a person before it: what is written to keyboard is
// typed, screen shows what is displayed.
type user struct {
	pty
	tty      *os.File
	keyboard *os.File
	screen   *sink
}

func newUser(t *testing.T) user {
	t.Helper()
	p := newPTY(t)
	u := user{pty: p, tty: p.open(t), keyboard: p.master}
	fd, err := unix.FcntlInt(p.master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	u.screen = collect(t, os.NewFile(uintptr(fd), "screen"))
	return u
}

func (u user) types(t *testing.T, text string) {
	t.Helper()
	if _, err := u.keyboard.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func (u user) resize(t *testing.T, rows, cols uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(u.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		t.Fatal(err)
	}
}

func modeOfTerminal(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *mode
}

func sizeOf(t *testing.T, f *os.File) (rows, cols uint16) {
	t.Helper()
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		t.Fatal(err)
	}
	return size.Row, size.Col
}

func say(t *testing.T, slave *os.File, text string) {
	t.Helper()
	if _, err := slave.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
