package console

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// fakeEnd plays back what an end says to reads, and takes writes up to room.
type fakeEnd struct {
	says    []any // string: bytes; error: that
	written strings.Builder
	room    int // below 0: without bound
	failure error
	reads   int
}

func (f *fakeEnd) Read(p []byte) (int, error) {
	f.reads++
	if len(f.says) == 0 {
		return 0, errAgain
	}
	switch s := f.says[0].(type) {
	case string:
		n := copy(p, s)
		if f.says[0] = s[n:]; n == len(s) {
			f.says = f.says[1:]
		}
		return n, nil
	case error:
		f.says = f.says[1:]
		return 0, s
	}
	panic("a fake end says strings and errors")
}

func (f *fakeEnd) Write(p []byte) (int, error) {
	if f.failure != nil {
		return 0, f.failure
	}
	if f.room == 0 {
		return 0, errAgain
	}
	n := len(p)
	if f.room > 0 {
		n = min(n, f.room)
		f.room -= n
	}
	f.written.Write(p[:n])
	return n, nil
}

func newPort(f *fakeEnd) *port { return &port{ReadWriter: f, ready: true, writable: true} }

func newRelay(master, in, out *fakeEnd) *relay {
	r := &relay{master: newPort(master)}
	if in != nil {
		r.in = newPort(in)
	}
	if out != nil {
		r.out = newPort(out)
	}
	return r
}

func mustPump(t *testing.T, r *relay) (more bool) {
	t.Helper()
	ended, more, err := r.pump(time.Unix(1, 0))
	if ended != 0 || err != nil {
		t.Fatalf("pump: %v, %v", ended, err)
	}
	return more
}

func TestRelayCarriesBothWays(t *testing.T) {
	t.Parallel()
	master := &fakeEnd{says: []any{"login: "}, room: -1}
	in, out := &fakeEnd{says: []any{"root\n"}}, &fakeEnd{room: 3}
	var log strings.Builder
	r := newRelay(master, in, out)
	r.log = &log
	mustPump(t, r)
	if got := master.written.String(); got != "root\n" {
		t.Errorf("the master got %q", got)
	}
	if got := out.written.String(); got != "log" || r.out.ready {
		t.Errorf("a slow terminal got %q, ready %v", got, r.out.ready)
	}
	out.room, r.out.ready = -1, true
	mustPump(t, r)
	if got := out.written.String(); got != "login: " || log.String() != got {
		t.Errorf("out %q, log %q", got, log.String())
	}
}

// A hangup lasts: it must be asked for once an event, and what waits must be
// there when the pty is opened again.
func TestRelayHangupAndReopen(t *testing.T) {
	t.Parallel()
	master := &fakeEnd{says: []any{"bye", errHangup}, failure: errHangup}
	in, out := &fakeEnd{says: []any{"typed"}}, &fakeEnd{room: -1}
	r := newRelay(master, in, out)
	mustPump(t, r)
	if !r.hungUp || r.master.ready || r.master.writable || !r.drained() {
		t.Errorf("after a hangup: hung up %v, ready %v, writable %v", r.hungUp, r.master.ready, r.master.writable)
	}
	reads := master.reads
	mustPump(t, r)
	if master.reads != reads {
		t.Error("a master that hung up was read without an event")
	}
	master.says, master.failure, master.room = []any{"login: "}, nil, -1
	r.master.ready, r.master.writable = true, true
	mustPump(t, r)
	if got := master.written.String(); got != "typed" || r.hungUp {
		t.Errorf("after reopening: the master got %q, hung up %v", got, r.hungUp)
	}
	if got := out.written.String(); got != "byelogin: " {
		t.Errorf("out got %q", got)
	}
}

func TestRelayBackpressure(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 10*outLimit)
	t.Run("a stopped terminal stops the master", func(t *testing.T) {
		t.Parallel()
		master, out := &fakeEnd{says: []any{big}}, &fakeEnd{room: 0}
		r := newRelay(master, nil, out)
		mustPump(t, r)
		if len(r.toOut) < outLimit || len(r.toOut) > outLimit+chunk {
			t.Errorf("%d bytes wait, limit %d", len(r.toOut), outLimit)
		}
		out.room, r.out.ready = -1, true
		for mustPump(t, r) {
		}
		if out.written.Len() != len(big) {
			t.Errorf("%d of %d bytes came through", out.written.Len(), len(big))
		}
	})
	t.Run("a pipe waits for the master, nothing is lost", func(t *testing.T) {
		t.Parallel()
		master, in := &fakeEnd{room: 0}, &fakeEnd{says: []any{big, io.EOF}}
		r := newRelay(master, in, nil)
		mustPump(t, r)
		if len(r.toMaster) > inLimit+chunk {
			t.Errorf("%d bytes wait, limit %d", len(r.toMaster), inLimit)
		}
		master.room, r.master.writable = -1, true
		for mustPump(t, r) {
		}
		if master.written.Len() != len(big) || r.in != nil {
			t.Errorf("%d of %d bytes came through, in %v", master.written.Len(), len(big), r.in)
		}
	})
	t.Run("a terminal is read for its escape", func(t *testing.T) {
		t.Parallel()
		master, in := &fakeEnd{room: 0}, &fakeEnd{says: []any{big, "\x1d\x1d\x1d"}}
		r := newRelay(master, in, nil)
		r.in.terminal = true
		for range 10 {
			if ended, _, err := r.pump(time.Unix(1, 0)); ended == ByEscape && err == nil {
				if len(r.toMaster) > inLimit {
					t.Errorf("%d bytes wait, limit %d", len(r.toMaster), inLimit)
				}
				return
			}
		}
		t.Error("no escape past a container that reads nothing")
	})
	t.Run("endless output does not hold the session", func(t *testing.T) {
		t.Parallel()
		master := &fakeEnd{says: []any{strings.Repeat("x", 2*turns*chunk)}}
		if more := mustPump(t, newRelay(master, nil, nil)); !more {
			t.Error("one pump carried all")
		}
	})
}

func TestRelayLosesEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	master := &fakeEnd{says: []any{"one", "two"}, room: -1}
	in, out := &fakeEnd{says: []any{broken}}, &fakeEnd{failure: broken}
	r := newRelay(master, in, out)
	r.log = failingLog{}
	mustPump(t, r)
	if r.in != nil || r.out != nil || r.log != nil || len(r.toOut) != 0 {
		t.Errorf("in %v, out %v, log %v, %q waits", r.in, r.out, r.log, r.toOut)
	}
	if r.logErr == nil {
		t.Error("the log's error is lost")
	}
	if len(master.says) != 0 {
		t.Errorf("the master still holds %q", master.says)
	}

	for _, end := range []error{broken, io.EOF} {
		r := newRelay(&fakeEnd{says: []any{"last", end}}, nil, nil)
		if ended, _, err := r.pump(time.Unix(1, 0)); ended != Closed || !errors.Is(err, end) {
			t.Errorf("master says %v: %v, %v, want closed", end, ended, err)
		}
	}
	r = newRelay(&fakeEnd{failure: broken}, &fakeEnd{says: []any{"x"}}, nil)
	if ended, _, err := r.pump(time.Unix(1, 0)); ended != Closed || !errors.Is(err, broken) {
		t.Errorf("master takes nothing: %v, %v, want closed", ended, err)
	}
}

// The escape counts for a terminal alone: in a pipe it is data.
func TestRelayEscape(t *testing.T) {
	t.Parallel()
	for _, terminal := range []bool{true, false} {
		master := &fakeEnd{room: -1}
		r := newRelay(master, &fakeEnd{says: []any{"a\x1d\x1d\x1db", io.EOF}}, nil)
		r.in.terminal = terminal
		ended, _, err := r.pump(time.Unix(1, 0))
		if err != nil || (ended == ByEscape) != terminal {
			t.Errorf("terminal %v: %v, %v", terminal, ended, err)
		}
		if got := master.written.String(); !terminal && got != "a\x1d\x1d\x1db" {
			t.Errorf("the master got %q from a pipe", got)
		}
	}
}

type failingLog struct{}

func (failingLog) Write([]byte) (int, error) { return 0, errors.New("disk full") }
