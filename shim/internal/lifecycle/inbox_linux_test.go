package lifecycle

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"firn/init/handoff"
	"firn/shim/internal/rundir"
)

func TestParseNote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Note{
		"READY=1":                         {Ready: true},
		"READY=0":                         {},
		"STATUS=Booting\nREADY=1\n":       {Ready: true, Status: "Booting"},
		"STATUS=\x1b[31mred\a":            {Status: "\uFFFD[31mred\uFFFD"},
		"STOPPING=1":                      {Stopping: true},
		"X_SYSTEMD_UNIT_ACTIVE=a\nFOO=ba": {},
	} {
		got, ok := parseNote(text)
		if got != want || ok != (got != Note{} || text == "READY=0") {
			t.Errorf("parseNote(%q) = %+v, %v; want %+v", text, got, ok, want)
		}
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add("READY=1\nSTATUS=x")
	f.Add("STATUS=\x1b]0;title\a")
	f.Fuzz(func(t *testing.T, text string) {
		note, _ := parseNote(text)
		for _, r := range note.Status {
			if !unicode.IsPrint(r) && r != unicode.ReplacementChar {
				t.Fatalf("status holds %q", r)
			}
		}
	})
}

// listen makes an inbox in a fresh container directory.
func listen(t *testing.T) (*Inbox, rundir.Dir) {
	t.Helper()
	// Longer than a socket's path may be.
	dir := rundir.Root{Path: filepath.Join(t.TempDir(), strings.Repeat("long", 20))}.Dir("web")
	if err := os.MkdirAll(dir.Handoff(), 0o755); err != nil {
		t.Fatal(err)
	}
	in, err := Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in, dir
}

// say sends a notification from this process.
func say(t *testing.T, dir rundir.Dir, text string) {
	t.Helper()
	if err := os.Chdir(dir.Host()); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unixgram", "notify")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// Notes that were sent before the leader was known wait; those of any other
// process are dropped, by the kernel's word.
func TestInboxHearsTheLeaderOnly(t *testing.T) {
	in, dir := listen(t)
	say(t, dir, "STATUS=early")
	in.Accept(os.Getpid())
	if note := <-in.Notes; note.Status != "early" {
		t.Fatalf("first note %+v", note)
	}
	in.leader.Store(1)
	say(t, dir, "STATUS=forged")
	in.leader.Store(int64(os.Getpid()))
	// The forged one is read, and dropped, before or after the leader changes
	// back; either way the next in order is this one.
	say(t, dir, "READY=1")
	for note := range in.Notes {
		if note.Ready {
			break
		}
		if note.Status == "forged" {
			t.Log("the forged note was read after the leader had changed back")
		}
	}
}

func TestHandleAnswers(t *testing.T) {
	t.Parallel()
	in := &Inbox{Notes: make(chan Note, 4), closed: make(chan struct{})}
	for _, tc := range []struct {
		message handoff.Type
		answer  handoff.Type
		note    Note
	}{
		{handoff.Ready, "", Note{Ready: true}},
		{handoff.Exit, "", Note{Stopping: true}},
		{handoff.LoadModule, handoff.Denied, Note{}},
		{handoff.Units, handoff.Error, Note{}},
		{"invented", handoff.Error, Note{}},
		{handoff.Ack, "", Note{}},
	} {
		if got := in.handle(handoff.Message{Type: tc.message, ID: 7}); got.Type != tc.answer {
			t.Errorf("answer to %s is %q, want %q", tc.message, got.Type, tc.answer)
		}
		if tc.note != (Note{}) {
			if note := <-in.Notes; note != tc.note {
				t.Errorf("note of %s is %+v", tc.message, note)
			}
		}
	}
}

// An asker that is not the leader is turned away.
func TestHandoffRefusesOthers(t *testing.T) {
	in, dir := listen(t)
	in.Accept(1) // PID 1 of the host is not this process
	socket := filepath.Join(dir.Handoff(), filepath.Base(handoff.DefaultPath))
	if err := os.Chdir(filepath.Dir(socket)); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", filepath.Base(socket))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes from a socket that should have been closed", n)
	} else if os.IsTimeout(err) {
		t.Error("connection was kept open")
	}
}
