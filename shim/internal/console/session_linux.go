package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/containerd/console"
	"golang.org/x/sys/unix"
)

const (
	// drainPatience bounds what is done for output after the end, should the
	// user's terminal be stopped, or something still write to the pty.
	drainPatience = 500 * time.Millisecond
	// drainIdle is how long a pty that is still open somewhere may be silent
	// until it counts as empty.
	drainIdle = 20 * time.Millisecond
)

// Session joins a user to a container's pty. Its fields are set before Run.
type Session struct {
	// Master of the pty. Run makes it non-blocking and does not close it.
	Master *os.File
	// In and Out are the user's side; nil is none. Their flags are left as
	// they are.
	In, Out *os.File
	Mode    Mode
	// Log gets all output, in every mode; nil is none.
	Log io.Writer
}

// Run carries bytes until the user escapes, the master is of no use any more,
// or ctx ends; then it writes out what the pty still holds. In mode
// Interactive the terminal is raw meanwhile and is restored on every way out.
// That the user's side ends (end of input, a closed pipe) is not the end of the
// session: the output goes on into the log, and the container never blocks.
//
// An error does not mean that nothing was carried: one of the log, or of the
// terminal's mode, comes at the end of a session that went on without it.
func (s *Session) Run(ctx context.Context) (Ended, error) {
	if _, ok := modeNames[s.Mode]; !ok {
		return 0, fmt.Errorf("%v: %w", s.Mode, ErrMode)
	}
	events, err := newEvents(ctx)
	if err != nil {
		return 0, err
	}
	defer events.close()
	l := &live{Session: s, events: events, relay: relay{log: s.Log}}
	defer l.closeEnds()
	if err := l.open(); err != nil {
		return 0, err
	}
	restore, rawErr := l.enterTerminal()
	ended, err := l.serve()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return ended, errors.Join(err, l.relay.logErr, rawErr, restore())
}

// live is a session that runs.
type live struct {
	*Session
	events *events
	relay  relay
	ends   []*descriptor
	user   console.Console // the terminal that has a size, or nil
	master console.Console
	raw    bool
}

// open gets the descriptors that the mode needs and watches them.
func (l *live) open() error {
	master, err := ownMaster(l.Master)
	if err != nil {
		return err
	}
	if l.relay.master, err = l.watch(master, unix.EPOLLIN|unix.EPOLLOUT); err != nil {
		return err
	}
	if l.Mode == Interactive && l.In != nil {
		if l.relay.in, err = l.userEnd(l.In, unix.O_RDONLY, unix.EPOLLIN); err != nil {
			return err
		}
	}
	if l.Mode != Passive && l.Out != nil {
		if l.relay.out, err = l.userEnd(l.Out, unix.O_WRONLY, unix.EPOLLOUT); err != nil {
			return err
		}
	}
	return nil
}

// userEnd opens one of the user's files. One that is closed (a daemon's
// standard input) is as good as none.
func (l *live) userEnd(f *os.File, flags int, mask uint32) (*port, error) {
	d, err := own(f, flags)
	if errors.Is(err, unix.EBADF) || errors.Is(err, os.ErrClosed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.watch(d, mask)
}

func (l *live) watch(d *descriptor, mask uint32) (*port, error) {
	l.ends = append(l.ends, d)
	p := &port{ReadWriter: d, ready: true, writable: true}
	return p, l.events.add(d.fd, mask|unix.EPOLLET, p)
}

func (l *live) closeEnds() {
	for _, d := range l.ends {
		d.close()
	}
}

// enterTerminal finds the user's terminal, gives its size to the pty and, if
// input is forwarded, makes it raw. The function that it returns undoes that.
func (l *live) enterTerminal() (restore func() error, err error) {
	restore = func() error { return nil }
	if l.Mode == Passive {
		return restore, nil
	}
	in, inErr := terminalOf(l.In)
	out, outErr := terminalOf(l.Out)
	switch {
	case inErr == nil:
		l.user = in
	case outErr == nil:
		l.user = out
	default:
		return restore, nil
	}
	if l.master, err = console.ConsoleFromFile(l.Master); err != nil {
		return restore, fmt.Errorf("look at pty: %w", err)
	}
	l.resize()
	if l.relay.in == nil || inErr != nil {
		return restore, nil
	}
	l.relay.in.terminal = true
	l.raw = true
	return func() error {
		if err := in.Reset(); err != nil && !errors.Is(err, unix.EIO) {
			return fmt.Errorf("restore terminal: %w", err) // EIO: it hung up
		}
		return nil
	}, l.makeRaw()
}

func terminalOf(f *os.File) (console.Console, error) {
	if f == nil {
		return nil, console.ErrNotAConsole
	}
	return console.ConsoleFromFile(f)
}

// makeRaw leaves newlines to the pty: it has made CR LF of them already, and
// a full-screen program that wants a bare LF must get one. Unless the output
// goes elsewhere: then the terminal shows what others write, as it did.
func (l *live) makeRaw() error {
	if err := l.user.SetRaw(); err != nil {
		return fmt.Errorf("make terminal raw: %w", err)
	}
	if _, err := terminalOf(l.Out); err == nil {
		if err := console.ClearONLCR(l.user.Fd()); err != nil {
			return fmt.Errorf("make terminal raw: %w", err)
		}
	}
	return nil
}

// resize gives the terminal's size to the pty. A size of zero is none (a
// serial line, a pty that nobody sized).
func (l *live) resize() {
	size, err := l.user.Size()
	if err != nil || size.Width == 0 || size.Height == 0 {
		return
	}
	_ = l.master.Resize(size) // fails only for a master that is gone: the relay sees that
}

// serve is the loop.
func (l *live) serve() (Ended, error) {
	for {
		ended, more, err := l.relay.pump(time.Now())
		if ended != 0 {
			return ended, err
		}
		limit := time.Duration(-1)
		if more {
			limit = 0
		}
		if _, err := l.events.wait(limit); err != nil {
			return Closed, err
		}
		if l.events.terminal.Swap(false) {
			l.terminalChanged()
		}
		if l.events.cancelled.Load() {
			return l.drain()
		}
	}
}

// terminalChanged follows a new size, and a shell that took the terminal back
// while we were stopped and left it in its own mode.
func (l *live) terminalChanged() {
	if l.user == nil {
		return
	}
	l.resize()
	if l.raw {
		_ = l.makeRaw() // as at the start; if the terminal is gone, its end tells
	}
}

// drain writes out what the pty holds when the container has ended. The
// kernel reports the hangup only after the last byte.
func (l *live) drain() (Ended, error) {
	l.relay.in, l.relay.toMaster = nil, nil
	l.relay.master.ready = true
	for end := time.Now().Add(drainPatience); time.Now().Before(end); {
		ended, more, err := l.relay.pump(time.Now())
		if ended != 0 || l.relay.drained() {
			return Cancelled, err
		}
		if more {
			continue
		}
		idle := drainIdle
		if len(l.relay.toOut) > 0 {
			idle = time.Until(end)
		}
		came, err := l.events.wait(max(idle, 0))
		if err != nil || !came && len(l.relay.toOut) == 0 {
			return Cancelled, err
		}
	}
	return Cancelled, nil
}
