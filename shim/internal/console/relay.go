package console

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// The relay between the master and the user, as a table. An end is ready
// until it says that it is not; only an event makes it ready again, so that a
// state that lasts (nobody has the pty open: EIO and POLLHUP for as long as that
// lasts) costs nothing.
//
//	end     says        then
//	master  bytes       to the log, and to out if there is one
//	master  again       not ready
//	master  EIO         not ready, hung up; what waits for it is kept
//	master  other       the session is Closed
//	in      bytes       through escape, to the master
//	in      end, error  no more input; the session goes on
//	out     error       no more output there; the session goes on
//	log     error       no more log; the error is the session's
//
// Backpressure: the master is not read while outLimit bytes wait for out: a
// terminal that is stopped with ^S stops the container's output, as it
// would its own. Input from a pipe is not read while inLimit bytes wait for the
// master. A terminal's is, for the escape's sake, and dropped: nothing reads
// it inside, and a tty drops what exceeds its buffer too.
const (
	chunk    = 32 << 10
	outLimit = 64 << 10
	inLimit  = 64 << 10
	// turns bounds one pump, so that a container that never stops to write
	// cannot keep the session from seeing that it is to end.
	turns = 32
)

// errAgain: nothing now; an event will tell. errHangup: the other end of the
// pty is open nowhere.
var (
	errAgain  = errors.New("not ready")
	errHangup = errors.New("pty is open nowhere in the container")
)

// port is one end. Read and Write never block; they return errAgain, and
// errHangup (master only).
type port struct {
	io.ReadWriter
	ready    bool // for what the relay does with it; the master: to be read
	writable bool // the master only: to be written
	terminal bool
}

type relay struct {
	master  *port
	in, out *port // nil: none, or no more
	log     io.Writer
	logErr  error
	escape  escape

	toMaster, toOut []byte
	hungUp          bool // the master's last word was errHangup
	buffer          [chunk]byte
}

// pump moves what can be moved. more: it stopped in the middle, to be called
// again without waiting. ended is 0 while the session goes on.
func (r *relay) pump(now time.Time) (ended Ended, more bool, err error) {
	for range turns {
		fromMaster, err := r.readMaster()
		if err != nil {
			return Closed, false, err
		}
		fromIn, complete := r.readIn(now)
		if complete {
			return ByEscape, false, nil
		}
		moved := r.writeOut() || fromMaster || fromIn
		moved, err = r.writeMaster(moved)
		if err != nil {
			return Closed, false, err
		}
		if !moved {
			return 0, false, nil
		}
	}
	return 0, true, nil
}

// readMaster returns whether it moved anything; the error ends the session.
func (r *relay) readMaster() (moved bool, err error) {
	if !r.master.ready || r.out != nil && len(r.toOut) >= outLimit {
		return false, nil
	}
	n, err := r.master.Read(r.buffer[:])
	if n > 0 {
		r.hungUp = false
		r.emit(r.buffer[:n])
	}
	switch {
	case err == nil && n > 0:
		return true, nil
	case errors.Is(err, errAgain):
		r.master.ready = false
	case errors.Is(err, errHangup):
		r.master.ready, r.hungUp = false, true
	case err == nil || errors.Is(err, io.EOF):
		return false, io.EOF
	default:
		return false, fmt.Errorf("read pty: %w", err)
	}
	return n > 0, nil
}

func (r *relay) emit(output []byte) {
	if r.log != nil {
		if _, err := r.log.Write(output); err != nil {
			r.log, r.logErr = nil, fmt.Errorf("keep console log: %w", err)
		}
	}
	if r.out != nil {
		r.toOut = append(r.toOut, output...)
	}
}

func (r *relay) writeOut() (moved bool) {
	if r.out == nil || !r.out.ready || len(r.toOut) == 0 {
		return false
	}
	n, err := r.out.Write(r.toOut)
	r.toOut = consume(r.toOut, n)
	switch {
	case errors.Is(err, errAgain):
		r.out.ready = false
	case err != nil:
		r.out, r.toOut = nil, nil
	}
	return n > 0
}

func (r *relay) readIn(now time.Time) (moved, complete bool) {
	if r.in == nil || !r.in.ready || !r.in.terminal && len(r.toMaster) >= inLimit {
		return false, false
	}
	n, err := r.in.Read(r.buffer[:])
	typed := r.buffer[:n]
	if r.in.terminal {
		typed, complete = r.escape.feed(typed, now)
	}
	room := max(inLimit-len(r.toMaster), 0)
	if !r.in.terminal {
		room = n // one chunk above the limit, nothing is lost
	}
	r.toMaster = append(r.toMaster, typed[:min(len(typed), room)]...)
	switch {
	case errors.Is(err, errAgain):
		r.in.ready = false
	case err != nil || n == 0:
		r.in = nil
	}
	return n > 0, complete
}

// writeMaster adds to moved whether it moved anything.
func (r *relay) writeMaster(moved bool) (bool, error) {
	if !r.master.writable || len(r.toMaster) == 0 {
		return moved, nil
	}
	n, err := r.master.Write(r.toMaster)
	r.toMaster = consume(r.toMaster, n)
	switch {
	case errors.Is(err, errAgain), errors.Is(err, errHangup):
		r.master.writable = false
	case err != nil:
		return moved, fmt.Errorf("write pty: %w", err)
	}
	return moved || n > 0, nil
}

// consume drops what is done with; an empty buffer starts over in its memory.
func consume(buffer []byte, n int) []byte {
	rest := copy(buffer, buffer[max(n, 0):])
	return buffer[:rest]
}

// drained: there is nothing more to write out, and nothing can come.
func (r *relay) drained() bool {
	return r.hungUp && (r.out == nil || len(r.toOut) == 0)
}
