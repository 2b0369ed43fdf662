//go:build root

package root_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"

	"golang.org/x/sys/unix"
)

// TestConsole: on a terminal the container has a terminal of its own, of the same
// size, and three times ^] within a second leaves it.
func TestConsole(t *testing.T) {
	host.Watch(t)
	root := rootfs.Debian(t)

	t.Run("typing", func(t *testing.T) {
		terminal, c := onTerminal(t, "typing", "-q", "-D", root, "/bin/sh")
		terminal.expect(t, "# ")
		terminal.write(t, "stty size; tty; echo $((6 * 7))\r")
		terminal.expect(t, "33 111")
		terminal.expect(t, "/dev/")
		terminal.expect(t, "42")
		terminal.expect(t, "# ")
		terminal.resize(t, 44, 122)
		terminal.write(t, `until [ "$(stty size)" = "44 122" ]; do sleep 0.02; done; echo re""sized`+"\r")
		terminal.expect(t, "resized")
		terminal.write(t, "exit 3\r")
		if code := c.wait(stopLimit); code != 3 {
			t.Errorf("exit code %d, want 3", code)
		}
		terminal.restored(t)
	})
	t.Run("interrupt", func(t *testing.T) {
		terminal, c := onTerminal(t, "interrupt", "-q", "-D", root, "/bin/sh", "-c", `trap "echo caught; exit 4" INT; echo waiting; while :; do sleep 0.1; done`)
		terminal.expect(t, "waiting")
		terminal.write(t, "\x03")
		terminal.expect(t, "caught")
		if code := c.wait(stopLimit); code != 4 {
			t.Errorf("exit code %d, want 4: ^C is the payload's", code)
		}
		terminal.restored(t)
	})
	t.Run("escape", func(t *testing.T) {
		terminal, c := onTerminal(t, "escape", "-q", "-D", root, "/bin/sh", "-c", `echo waiting; sleep 1000`)
		terminal.expect(t, "waiting")
		terminal.write(t, "\x1d\x1d\x1d")
		if code := c.wait(stopLimit); code == 0 {
			t.Errorf("exit code %d after an escape, want another: the payload was killed", code)
		}
		terminal.restored(t)
	})
	t.Run("login", func(t *testing.T) {
		const name = "login"
		c := start(t, name, "-q", "-D", root, "--notify-ready=yes", "-b")
		c.ready()
		terminal, l := onTerminalRun(t, "login of "+name, command(t, "firn", "login", name))
		terminal.expect(t, "login: ")
		terminal.write(t, "\x1d\x1d\x1d")
		l.wait(stopLimit)
		terminal.restored(t)
		if code := c.stop(); code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	})
}

// onTerminal starts a container whose standard input and output are a terminal.
func onTerminal(t *testing.T, name string, args ...string) (*terminal, *container) {
	t.Helper()
	return onTerminalRun(t, name, command(t, "firn", append([]string{"nspawn", "-M", name}, args...)...))
}

func onTerminalRun(t *testing.T, name string, cmd *exec.Cmd) (*terminal, *container) {
	t.Helper()
	term := openTerminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.slave, term.slave, term.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	return term, launch(t, name, cmd)
}

// readLine reads a file of one line.
func readLine(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

const sigrtmin = syscall.Signal(34)

// A terminal is a pty that a program under test believes to be a user's.
type terminal struct {
	master, slave *os.File
	before        unix.Termios
	seen          output
	read          int // how much of seen has been expected
}

func openTerminal(t *testing.T) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	before, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{master: master, slave: slave, before: *before}
	term.resize(t, 33, 111)
	t.Cleanup(func() { _, _ = slave.Close(), master.Close() }) // both are only ours
	go func() {
		buffer := make([]byte, 4096)
		for {
			size, err := master.Read(buffer)
			if err != nil {
				return
			}
			_, _ = term.seen.Write(buffer[:size])
		}
	}()
	return term
}

func (term *terminal) resize(t *testing.T, rows, columns uint16) {
	t.Helper()
	size := &unix.Winsize{Row: rows, Col: columns}
	if err := unix.IoctlSetWinsize(int(term.master.Fd()), unix.TIOCSWINSZ, size); err != nil {
		t.Fatal(err)
	}
}

func (term *terminal) write(t *testing.T, text string) {
	t.Helper()
	if _, err := term.master.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// expect waits until the text comes, after what was expected before.
func (term *terminal) expect(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		seen := term.seen.String()
		if at := strings.Index(seen[term.read:], text); at >= 0 {
			term.read += at + len(text)
			return
		}
	}
	t.Fatalf("the terminal does not show %q; it shows %q", text, term.seen.String()[term.read:])
}

// restored wants the terminal to be as it was.
func (term *terminal) restored(t *testing.T) {
	t.Helper()
	after, err := unix.IoctlGetTermios(int(term.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *after != term.before {
		t.Errorf("the terminal was not restored: %+v, was %+v", *after, term.before)
	}
}
