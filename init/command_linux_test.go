package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/signals"
)

var (
	proc = stageMount{Source: "proc", Target: "proc", Type: "proc"}
	dev  = stageMount{Source: "/dev", Target: "dev", Flags: unix.MS_BIND | unix.MS_REC}
)

func TestCommandExitCodes(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	writeFile(t, root+"/bin/plain", "no program", 0o644)
	writeFile(t, root+"/bin/badarch", "\x7fELF garbage", 0o755)
	tests := []struct {
		argv []string
		code int
		says string
	}{
		{argv: []string{"true"}},
		{argv: []string{"--", "sh", "-c", "exit 7"}, code: 7},
		{argv: []string{"sh", "-c", "kill -9 $$"}, code: 137},
		{argv: []string{"sh", "-c", "kill -TERM $$"}, code: 143},
		{argv: []string{"sh", "-c", "exit 255"}, code: 255},
		{argv: []string{"nonesuch"}, code: 127, says: "find program nonesuch"},
		{argv: []string{"/bin/nonesuch"}, code: 127, says: "no such file"},
		{argv: []string{"plain"}, code: 126, says: "permission denied"},
		{argv: []string{"/bin/badarch"}, code: 126, says: "exec format error"},
		{argv: []string{}, code: 2, says: "no command given"},
		{argv: []string{"--colour", "true"}, code: 2, says: "unknown option --colour"},
		{argv: []string{"--help"}, says: "PID 1 of a container"},
		{argv: []string{"--version"}, says: "firn-init "},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.argv, " "), func(t *testing.T) {
			t.Parallel()
			c := start(t, root, config{}, append([]string{"firn-init"}, tt.argv...)...)
			c.exits(tt.code)
			if !strings.Contains(c.out.String(), tt.says) {
				t.Errorf("said %q, want %q in it", c.out, tt.says)
			}
		})
	}
}

// TestCommandForwards: every signal reaches the command, but those that are firn-init's.
func TestCommandForwards(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, "firn-init", "payload", "signals")
	c.says("up\n")
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch {
		case sig == unix.SIGKILL, sig == unix.SIGSTOP, sig == unix.SIGTERM, sig == 32, sig == 33, sig == unix.SIGPROF:
			continue
		case sig == signals.RTMin:
			continue
		case signals.EndsSystem(sig), !signals.Forwarded(sig):
			continue
		}
		c.signal(sig)
		c.says(fmt.Sprintf("got %d\n", sig))
	}
	for _, sig := range []syscall.Signal{unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGPROF, signals.RTMin} {
		c.signal(sig) // not forwarded, and no harm
	}
	c.signal(unix.SIGTERM)
	c.exits(3)
	if strings.Contains(c.out.String(), fmt.Sprintf("got %d\n", unix.SIGPIPE)) {
		t.Error("SIGPIPE was forwarded")
	}
}

func TestCommandHalts(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for name, tt := range map[string]struct {
		argv []string
		sig  syscall.Signal
		code int
	}{
		"halt":              {[]string{"payload", "signals"}, signals.RTMin + 3, 3},
		"power off":         {[]string{"payload", "signals"}, signals.RTMin + 4, 3},
		"reboot":            {[]string{"payload", "signals"}, signals.RTMin + 5, 3},
		"at once":           {[]string{"payload", "signals"}, signals.RTMin + 13, 137},
		"ignores SIGTERM":   {[]string{"--grace=300ms", "payload", "ignore"}, signals.RTMin + 3, 137},
		"with grandchild":   {[]string{"sh", "-c", "sleep 1000 <&0 & echo up; wait"}, signals.RTMin + 3, 143},
		"stopped meanwhile": {[]string{"sh", "-c", "echo up; kill -STOP $$"}, signals.RTMin + 3, 143},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, root, config{stage: stage{Mounts: []stageMount{proc, dev}}}, append([]string{"firn-init"}, tt.argv...)...)
			c.says("up\n")
			c.signal(tt.sig)
			c.exits(tt.code)
		})
	}
}

// TestCleanChild: whatever firn-init was started with, its command gets an empty mask and default dispositions.
func TestCleanChild(t *testing.T) {
	t.Parallel()
	var blocked []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig != 32 && sig != 33 {
			blocked = append(blocked, sig)
		}
	}
	c := start(t, newRoot(t), config{stage: stage{Mounts: []stageMount{proc}}, blocked: blocked}, "firn-init", "cat", "/proc/self/status")
	c.exits(0)
	for _, field := range []string{"SigBlk", "SigIgn", "SigCgt", "SigPnd", "ShdPnd"} {
		if !strings.Contains(c.out.String(), field+":\t0000000000000000\n") {
			t.Errorf("%s of the command is not empty", field)
		}
	}
}

// TestBrokenLog: nobody reads what firn-init writes, and it lives on.
func TestBrokenLog(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for _, argv := range [][]string{{"firn-init", "payload", "ignore"}, {"firn-init", "--boot", "--log-level=debug", "--", "payload", "ignore"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c := start(t, root, config{out: w}, argv...)
		w.Close()
		if _, err := r.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		r.Close()
		for range 5 {
			c.signal(unix.SIGUSR2) // in boot mode a line of log
			c.signal(unix.SIGPIPE)
			time.Sleep(2 * time.Millisecond)
		}
		c.signal(signals.RTMin + 13)
		if s := c.wait(); s.Signaled() && s.Signal() == unix.SIGPIPE || s.Exited() && s.ExitStatus() == 2 {
			t.Errorf("%q ended with %s", argv, describe(s))
		}
	}
}

// TestCommandTerminal: the command is in the foreground of the terminal, in a group of its own, and its reading works
// at once.
func TestCommandTerminal(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	master, slave := openPTY(t)
	c := start(t, root, config{stdin: slave, tty: true, stage: stage{Mounts: []stageMount{proc}}}, "firn-init", "sh", "-c",
		"read line; echo said $line; cut -d' ' -f1,5,6,8 /proc/self/stat; cut -d' ' -f1,5,6,8 /proc/1/stat")
	if _, err := master.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	c.says("said hello")
	_ = c.wait()
	// The kernel's own view of the terminal: fields 5, 6, 8 of stat are group, session and foreground group.
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	var pid, group, session, front int
	if _, err := fmt.Sscan(lines[len(lines)-1], &pid, &group, &session, &front); err != nil || pid != 1 {
		t.Fatalf("stat of PID 1: %v in %q", err, lines)
	}
	if front == group || front == 0 || front == -1 {
		t.Errorf("foreground group %d, group of PID 1 %d: the command is not in front", front, group)
	}
}

// TestCommandInterrupt: ^C at the terminal reaches the command once, and not firn-init.
func TestCommandInterrupt(t *testing.T) {
	t.Parallel()
	master, slave := openPTY(t)
	c := start(t, newRoot(t), config{stdin: slave, tty: true}, "firn-init", "payload", "signals")
	c.says("up\n")
	time.Sleep(50 * time.Millisecond) // until the terminal was given over
	if _, err := master.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	c.says("got 2\n")
	c.signal(unix.SIGTERM)
	c.exits(3)
	if n := strings.Count(c.out.String(), "got 2\n"); n != 1 {
		t.Errorf("SIGINT came %d times", n)
	}
}

func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// TestOrphans: no zombie is left of a burst, and signals are forwarded meanwhile; see testdata/payload.
func TestOrphans(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for _, n := range []int{1_000, 10_000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			c := start(t, root, config{stage: stage{Mounts: []stageMount{proc}}}, "firn-init", "payload", "orphans", fmt.Sprint(n))
			c.exits(0)
			t.Log(strings.TrimSpace(c.out.String()))
		})
	}
}
