package console

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestInteractive(t *testing.T) {
	u, c := newUser(t), newPTY(t)
	slave := c.open(t)
	before := modeOfTerminal(t, u.tty)
	flags, err := unix.FcntlInt(u.tty.Fd(), unix.F_GETFL, 0)
	if err != nil {
		t.Fatal(err)
	}
	u.resize(t, 40, 100)
	var log sink
	r := run(t, &Session{Master: c.master, In: u.tty, Out: u.tty, Mode: Interactive, Log: &log})

	say(t, slave, "login: \n")
	u.screen.await(t, "login: \r\n")
	if got := u.screen.String(); got != "login: \r\n" {
		t.Errorf("the screen shows %q", got)
	}
	log.await(t, "login: \r\n")
	raw := modeOfTerminal(t, u.tty)
	if raw.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG) != 0 || raw.Oflag&unix.ONLCR != 0 {
		t.Errorf("the terminal is not raw: %+v", raw)
	}
	if now, _ := unix.FcntlInt(u.tty.Fd(), unix.F_GETFL, 0); now != flags {
		t.Errorf("the terminal's flags went from %#x to %#x: its shell shares them", flags, now)
	}
	u.types(t, "root\r")
	line := make([]byte, 100)
	n, err := slave.Read(line)
	if err != nil || string(line[:n]) != "root\n" {
		t.Errorf("the container read %q, %v", line[:n], err)
	}

	if rows, cols := sizeOf(t, slave); rows != 40 || cols != 100 {
		t.Errorf("size %dx%d, want 40x100", rows, cols)
	}
	u.resize(t, 50, 132)
	if err := syscall.Kill(os.Getpid(), syscall.SIGWINCH); err != nil {
		t.Fatal(err)
	}
	await(t, "the new size", func() bool { rows, cols := sizeOf(t, slave); return rows == 50 && cols == 132 })

	u.types(t, "\x1d\x1d\x1d")
	r.mustEnd(t, ByEscape)
	if after := modeOfTerminal(t, u.tty); after != before {
		t.Errorf("the terminal is left as\n%+v, was\n%+v", after, before)
	}
}

func TestTerminalIsRestored(t *testing.T) {
	u, c := newUser(t), newPTY(t)
	before := modeOfTerminal(t, u.tty)
	r := run(t, &Session{Master: c.master, In: u.tty, Out: u.tty, Mode: Interactive})
	await(t, "raw mode", func() bool { return modeOfTerminal(t, u.tty).Lflag&unix.ECHO == 0 })
	// A shell that took the terminal back while we were stopped.
	if err := unix.IoctlSetTermios(int(u.tty.Fd()), unix.TCSETS, &before); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	await(t, "raw mode again", func() bool { return modeOfTerminal(t, u.tty).Lflag&unix.ECHO == 0 })
	r.cancel()
	r.mustEnd(t, Cancelled)
	if after := modeOfTerminal(t, u.tty); after != before {
		t.Errorf("the terminal is left as\n%+v, was\n%+v", after, before)
	}
}

func TestReadOnlyAndPassive(t *testing.T) {
	for _, mode := range []Mode{ReadOnly, Passive} {
		t.Run(mode.String(), func(t *testing.T) {
			u, c := newUser(t), newPTY(t)
			slave := c.open(t)
			before := modeOfTerminal(t, u.tty)
			u.resize(t, 40, 100)
			var log sink
			r := run(t, &Session{Master: c.master, In: u.tty, Out: u.tty, Mode: mode, Log: &log})
			u.types(t, "x\x1d\x1d\x1d\n")
			say(t, slave, "hello\n")
			log.await(t, "hello\r\n")
			if mode == ReadOnly {
				u.screen.await(t, "hello")
			}
			if got := modeOfTerminal(t, u.tty); got != before {
				t.Error("the terminal's mode changed")
			}
			if rows, _ := sizeOf(t, slave); (rows == 40) != (mode == ReadOnly) {
				t.Errorf("%d rows in mode %v", rows, mode)
			}
			r.cancel()
			r.mustEnd(t, Cancelled)
			if mode == Passive && strings.Contains(u.screen.String(), "hello") {
				t.Errorf("the screen shows %q", u.screen.String())
			}
			// What was typed is still the terminal's, for who reads it next.
			line := make([]byte, 100)
			if n, err := u.tty.Read(line); err != nil || string(line[:n]) != "x\x1d\x1d\x1d\n" {
				t.Errorf("typed and not read: %q, %v", line[:n], err)
			}
		})
	}
}

// A getty that ends and is started again: EIO on the master between. The
// session goes on, does not spin, and what was typed meanwhile arrives.
func TestReopen(t *testing.T) {
	u, c := newUser(t), newPTY(t)
	r := run(t, &Session{Master: c.master, In: u.tty, Out: u.tty, Mode: Interactive})
	for _, word := range []string{"first", "second", "third"} {
		slave := c.open(t)
		say(t, slave, word+"\n")
		u.screen.await(t, word)
		slave.Close()
	}
	const wall = 300 * time.Millisecond
	start := cpuTime(t)
	time.Sleep(wall)
	// A loop that spins takes all of it.
	if used := cpuTime(t) - start; used > wall/2 {
		t.Errorf("%v of CPU time in %v of silence", used, wall)
	}
	u.types(t, "early\r")
	time.Sleep(20 * time.Millisecond) // so that it meets the closed pty
	slave := c.open(t)
	say(t, slave, "prompt: ")
	u.screen.await(t, "prompt: ")
	line := make([]byte, 100)
	if n, err := slave.Read(line); err != nil || string(line[:n]) != "early\n" {
		t.Errorf("the container read %q, %v", line[:n], err)
	}
	u.types(t, "\x1d\x1d\x1d")
	r.mustEnd(t, ByEscape)
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// All that the container wrote before its end is written out, however soon
// after it the session is told to end.
func TestDrain(t *testing.T) {
	for range 100 {
		c := newPTY(t)
		slave := c.open(t)
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		screen := collect(t, out)
		var log sink
		r := run(t, &Session{Master: c.master, Out: in, Mode: Interactive, Log: &log})
		say(t, slave, "begin\n")
		log.await(t, "begin")
		r.cancel()
		text := strings.Repeat("0123456789\n", 300)
		say(t, slave, text)
		slave.Close()
		r.mustEnd(t, Cancelled)
		in.Close()
		want := "begin\r\n" + strings.ReplaceAll(text, "\n", "\r\n")
		await(t, "all output", func() bool { return len(screen.String()) >= len(want) })
		if screen.String() != want || log.String() != want {
			t.Fatalf("%d of %d bytes on the screen, %d in the log", len(screen.String()), len(want), len(log.String()))
		}
	}
}

// A process that still holds the pty open must not hold the end up.
func TestDrainHasAnEnd(t *testing.T) {
	c := newPTY(t)
	slave := c.open(t)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = slave.WriteString("noise\n") // ends with the test
			}
		}
	}()
	// Deferred in this order: the writer may block until the master is closed.
	defer func() { close(stop); c.master.Close(); slave.Close(); <-stopped }()
	r := run(t, &Session{Master: c.master, Mode: Passive})
	r.cancel()
	r.mustEnd(t, Cancelled)
}

// The user's side may be anything.
func TestStandardStreams(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	closed, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	pipeOut, pipeIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipeOut.Close()
	brokenOut, brokenIn, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	brokenOut.Close()
	defer brokenIn.Close()
	text, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket, peer := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "peer")
	defer socket.Close()
	defer peer.Close()

	for name, ends := range map[string][2]*os.File{
		"none":         {nil, nil},
		"/dev/null":    {null, null},
		"closed":       {closed, closed},
		"broken pipe":  {nil, brokenIn},
		"file":         {text, text},
		"socket":       {socket, socket},
		"pipe at rest": {pipeOut, null},
	} {
		t.Run(name, func(t *testing.T) {
			c := newPTY(t)
			slave := c.open(t)
			var log sink
			r := run(t, &Session{Master: c.master, In: ends[0], Out: ends[1], Mode: Interactive, Log: &log})
			say(t, slave, "one\n")
			log.await(t, "one\r\n")
			say(t, slave, "two\n")
			log.await(t, "two\r\n")
			r.cancel()
			r.mustEnd(t, Cancelled)
		})
	}
	pipeIn.Close()
	if got, err := os.ReadFile(text.Name()); err != nil || string(got) != "one\r\ntwo\r\n" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	got := make([]byte, 100)
	if n, err := peer.Read(got); err != nil || string(got[:n]) != "one\r\ntwo\r\n" {
		t.Errorf("the socket's peer got %q, %v", got[:n], err)
	}
}

// A script from a pipe arrives whole, though it is larger than any buffer,
// and its end does not end the session.
func TestPipedInput(t *testing.T) {
	c := newPTY(t)
	slave := c.open(t)
	mode := modeOfTerminal(t, slave)
	mode.Lflag &^= unix.ICANON | unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, &mode); err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r := run(t, &Session{Master: c.master, In: out, Mode: Interactive})
	text := strings.Repeat("echo \x1d\x1d\x1d\n", 30_000)
	go func() {
		_, _ = io.WriteString(in, text) // a loss shows below
		in.Close()
	}()
	got := make([]byte, len(text))
	if _, err := io.ReadFull(slave, got); err != nil || string(got) != text {
		t.Errorf("the script did not arrive whole: %v", err)
	}
	r.cancel()
	r.mustEnd(t, Cancelled)
}

// A terminal stopped with ^S must not keep a session from its end.
func TestStoppedTerminal(t *testing.T) {
	u, c := newUser(t), newPTY(t)
	slave := c.open(t)
	before := modeOfTerminal(t, u.tty)
	r := run(t, &Session{Master: c.master, In: u.tty, Out: u.tty, Mode: Interactive})
	say(t, slave, "before\n")
	u.screen.await(t, "before")
	if err := unix.IoctlSetInt(int(u.tty.Fd()), unix.TCXONC, unix.TCOOFF); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.IoctlSetInt(int(u.tty.Fd()), unix.TCXONC, unix.TCOON) }()
	go func() { _, _ = slave.WriteString(strings.Repeat("x", 1<<20)) }() // blocks, as it should
	time.Sleep(20 * time.Millisecond)
	u.types(t, "\x1d\x1d\x1d")
	r.mustEnd(t, ByEscape)
	if after := modeOfTerminal(t, u.tty); after != before {
		t.Error("the terminal is not restored")
	}
}

// The user closes the window: output goes on into the log.
func TestTerminalHangsUp(t *testing.T) {
	p, c := newPTY(t), newPTY(t)
	tty, slave := p.open(t), c.open(t)
	var log sink
	r := run(t, &Session{Master: c.master, In: tty, Out: tty, Mode: Interactive, Log: &log})
	say(t, slave, "before\n")
	log.await(t, "before")
	p.master.Close()
	for range 3 {
		say(t, slave, strings.Repeat("y", 4096)+"\n")
	}
	say(t, slave, "after\n")
	log.await(t, "after")
	r.cancel()
	r.mustEnd(t, Cancelled)
}

func TestRunLeavesNoGoroutineAndNoDescriptor(t *testing.T) {
	u, c := newUser(t), newPTY(t)
	once := func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if ended, err := (&Session{Master: c.master, In: u.tty, Out: u.tty, Mode: Interactive}).Run(ctx); ended != Cancelled || err != nil {
			t.Fatalf("ended %v, %v", ended, err)
		}
	}
	once() // os/signal starts a goroutine of its own, once
	goroutines, files := runtime.NumGoroutine(), descriptors(t)
	for range 20 {
		once()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := descriptors(t); n > files {
		t.Errorf("%d descriptors, %d before", n, files)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestRunRefuses(t *testing.T) {
	c := newPTY(t)
	if _, err := (&Session{Master: c.master}).Run(context.Background()); !errors.Is(err, ErrMode) {
		t.Errorf("no mode: %v, want ErrMode", err)
	}
	c.master.Close()
	if _, err := (&Session{Master: c.master, Mode: Passive}).Run(context.Background()); err == nil {
		t.Error("a closed master was taken")
	}
	c = newPTY(t)
	slave := c.open(t)
	r := run(t, &Session{Master: c.master, Mode: Passive, Log: failingLog{}})
	say(t, slave, strings.Repeat("x", 20_000)) // more than the pty holds: it is read on
	slave.Close()
	r.cancel()
	<-r.done
	if r.ended != Cancelled || r.err == nil || !strings.Contains(r.err.Error(), "disk full") {
		t.Errorf("a log that fails: %v, %v", r.ended, r.err)
	}
}
