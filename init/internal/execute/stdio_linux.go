package execute

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/unit"
)

// open puts a file onto a standard descriptor.
func open(path string, flags, onto int) error {
	fd, err := unix.Open(path, flags|unix.O_NOCTTY|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return move(fd, onto)
}

// move makes a descriptor another, which stays open over execve.
func move(fd, onto int) error {
	if err := unix.Dup3(fd, onto, 0); err != nil {
		return err
	}
	return unix.Close(fd)
}

// passed gives the descriptor of a name, or the connection.
func (s *stage) passed(c unit.Stdio, stream string) (int, error) {
	if c.Kind == unit.StdioSocket {
		if s.Connection < 0 || s.Connection >= len(s.files) {
			return 0, errors.New("socket: no socket was passed")
		}
		return s.files[s.Connection], nil
	}
	name := c.Arg
	if name == "" {
		name = stream
	}
	i := slices.Index(s.Names, name)
	if i < 0 {
		return 0, fmt.Errorf("fd:%s: no descriptor of that name was passed", name)
	}
	return s.files[i], nil
}

func (s *stage) stdin() error {
	c := s.Exec.Stdin
	if s.Control && c.Kind != unit.StdioSocket && c.Kind != unit.StdioFile {
		c.Kind = unit.StdioNull
	}
	switch c.Kind {
	case unit.StdioTTY, unit.StdioTTYForce, unit.StdioTTYFail:
		return s.takeTTY(c.Kind)
	case unit.StdioData:
		fd, err := memory("stdin", []byte(s.Exec.StdinData))
		if err != nil {
			return err
		}
		return move(fd, 0)
	case unit.StdioFile:
		return open(c.Arg, unix.O_RDONLY, 0)
	case unit.StdioSocket, unit.StdioFD:
		fd, err := s.passed(c, "stdin")
		if err != nil {
			return err
		}
		return unix.Dup3(fd, 0, 0)
	}
	return open(os.DevNull, unix.O_RDONLY, 0)
}

func (s *stage) stdout() error {
	c := s.Exec.Stdout
	if c.Kind == unit.StdioInherit {
		switch in := s.Exec.Stdin.Kind; {
		case in == unit.StdioInherit, in == unit.StdioNull, in == unit.StdioData:
			return nil // the log, which is there
		case s.Control && in != unit.StdioSocket && in != unit.StdioFile:
			return nil
		}
		return unix.Dup3(0, 1, 0)
	}
	return s.output(c, 1, "stdout")
}

func (s *stage) stderr() error {
	c := s.Exec.Stderr
	if c.Kind == unit.StdioInherit || c == s.Exec.Stdout && c.Kind != unit.StdioJournal {
		return unix.Dup3(1, 2, 0) // one open file for both, so that they do not overwrite each other
	}
	return s.output(c, 2, "stderr")
}

func (s *stage) output(c unit.Stdio, onto int, stream string) error {
	switch c.Kind {
	case unit.StdioNull:
		return open(os.DevNull, unix.O_WRONLY, onto)
	case unit.StdioTTY:
		return open(s.tty(), unix.O_WRONLY, onto)
	case unit.StdioKmsg, unit.StdioKmsgConsole:
		if err := open("/dev/kmsg", unix.O_WRONLY, onto); err != nil {
			s.warn("%v: the log is taken", err) // few containers have it
		}
		return nil
	case unit.StdioFile:
		if s.Exec.Stdin.Kind == unit.StdioFile && s.Exec.Stdin.Arg == c.Arg {
			return open(c.Arg, unix.O_RDWR, onto)
		}
		return open(c.Arg, unix.O_WRONLY|unix.O_CREAT, onto)
	case unit.StdioAppend:
		return open(c.Arg, unix.O_WRONLY|unix.O_CREAT|unix.O_APPEND, onto)
	case unit.StdioTruncate:
		return open(c.Arg, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, onto)
	case unit.StdioSocket, unit.StdioFD:
		fd, err := s.passed(c, stream)
		if err != nil {
			return err
		}
		return unix.Dup3(fd, onto, 0)
	}
	return nil // the journal is the log that PID 1 has given
}

func (s *stage) tty() string {
	if s.Exec.TTYPath != "" {
		return s.Exec.TTYPath
	}
	return "/dev/console"
}

// ttyPatience is how long a terminal is waited for that another session holds.
const ttyPatience = 30 * time.Second

// takeTTY makes the terminal standard input and the session's own (systemd.exec(5), StandardInput=).
func (s *stage) takeTTY(kind unit.StdioKind) error {
	path := s.tty()
	if s.Exec.TTYVHangup {
		if err := hangUp(path); err != nil && !denied(err) {
			return err
		}
	}
	// O_NONBLOCK: a serial line without a carrier would keep us.
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		return err
	}
	if s.Exec.TTYReset {
		resetTTY(fd)
	}
	if s.Exec.TTYRows != 0 || s.Exec.TTYColumns != 0 {
		_ = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: s.Exec.TTYRows, Col: s.Exec.TTYColumns})
	}
	if err := s.control1(fd, path, kind); err != nil {
		return err
	}
	if s.setUser && !s.privileged() {
		_ = unix.Fchown(fd, int(s.user.uid), -1) // a terminal that is another's stays so
	}
	return move(fd, 0)
}

// control1 makes a terminal the controlling one. With tty-force it is taken from whichever session has it; under firn
// the console is PID 1's own session's, so a refusal there is answered by force too.
func (s *stage) control1(fd int, path string, kind unit.StdioKind) error {
	deadline := time.Now().Add(ttyPatience)
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := unix.IoctlSetInt(fd, unix.TIOCSCTTY, 0)
		if err == nil {
			return nil
		}
		if kind == unit.StdioTTYForce || path == "/dev/console" {
			if ferr := unix.IoctlSetInt(fd, unix.TIOCSCTTY, 1); ferr == nil {
				return nil
			}
		}
		if kind != unit.StdioTTY || time.Now().After(deadline) || !denied(err) {
			return fmt.Errorf("take terminal %s: %w", path, err)
		}
		time.Sleep(pause)
	}
}

// hangUp ends whatever uses the terminal.
func hangUp(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	return unix.IoctlSetInt(fd, unix.TIOCVHANGUP, 0)
}

// resetTTY gives a terminal the settings that a login expects (termios(3)). A file that is no terminal has none.
func resetTTY(fd int) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.IUCLC
	t.Iflag |= unix.ICRNL | unix.IMAXBEL | unix.IUTF8
	t.Oflag |= unix.ONLCR | unix.OPOST
	t.Cflag |= unix.CREAD
	t.Lflag = unix.ISIG | unix.ICANON | unix.IEXTEN | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ECHOCTL | unix.ECHOKE
	t.Cc[unix.VINTR], t.Cc[unix.VQUIT], t.Cc[unix.VERASE], t.Cc[unix.VKILL], t.Cc[unix.VEOF] = 3, 28, 127, 21, 4
	t.Cc[unix.VSTART], t.Cc[unix.VSTOP], t.Cc[unix.VSUSP], t.Cc[unix.VEOL], t.Cc[unix.VEOL2] = 17, 19, 26, 0, 0
	t.Cc[unix.VWERASE], t.Cc[unix.VLNEXT], t.Cc[unix.VREPRINT], t.Cc[unix.VTIME], t.Cc[unix.VMIN] = 23, 22, 18, 0, 1
	_ = unix.IoctlSetTermios(fd, unix.TCSETSW, t)
}

// memory makes a file in memory with data in it, to be read from its start.
func memory(name string, data []byte) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("make file in memory: %w", err)
	}
	for off := 0; off < len(data); {
		n, err := unix.Pwrite(fd, data[off:], int64(off))
		if err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("write file in memory: %w", err)
		}
		off += n
	}
	return fd, nil
}
