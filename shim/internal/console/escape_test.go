package console

import (
	"errors"
	"testing"
	"time"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	type typed struct {
		at   time.Duration
		text string
	}
	const ms = time.Millisecond
	tests := []struct {
		name     string
		typed    []typed
		forward  string
		complete bool
	}{
		{"at once", []typed{{0, "\x1d\x1d\x1d"}}, "\x1d\x1d", true},
		{"nothing after it is forwarded", []typed{{0, "a\x1d\x1d\x1db"}}, "a\x1d\x1d", true},
		{"one by one", []typed{{0, "\x1d"}, {500 * ms, "\x1d"}, {1000 * ms, "\x1d"}}, "\x1d\x1d", true},
		{"too slow", []typed{{0, "\x1d"}, {500 * ms, "\x1d"}, {1001 * ms, "\x1d"}}, "\x1d\x1d\x1d", false},
		{"slow, then in time", []typed{{0, "\x1d"}, {900 * ms, "\x1d"}, {1500 * ms, "\x1d"}, {1800 * ms, "\x1d"}}, "\x1d\x1d\x1d", true},
		{"slow twice", []typed{{0, "\x1d"}, {900 * ms, "\x1d"}, {1500 * ms, "\x1d"}, {2000 * ms, "\x1d"}, {2600 * ms, "\x1d"}},
			"\x1d\x1d\x1d\x1d\x1d", false},
		{"something between", []typed{{0, "\x1d\x1d"}, {1 * ms, "x"}, {2 * ms, "\x1d"}}, "\x1d\x1dx\x1d", false},
		{"two", []typed{{0, "\x1d\x1d"}}, "\x1d\x1d", false},
		{"text", []typed{{0, "ls -l\r"}}, "ls -l\r", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var e escape
			var got []byte
			var complete bool
			for _, in := range tt.typed {
				var forward []byte
				forward, complete = e.feed([]byte(in.text), time.Unix(100, 0).Add(in.at))
				got = append(got, forward...)
			}
			if string(got) != tt.forward || complete != tt.complete {
				t.Errorf("forwarded %q, complete %v, want %q, %v", got, complete, tt.forward, tt.complete)
			}
		})
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Mode{"interactive": Interactive, "read-only": ReadOnly, "passive": Passive} {
		if m, err := ParseMode(name); err != nil || m != want || m.String() != name {
			t.Errorf("ParseMode(%q) = %v, %v", name, m, err)
		}
	}
	for _, name := range []string{"", "pipe", "autopipe", "Interactive"} {
		if _, err := ParseMode(name); !errors.Is(err, ErrMode) {
			t.Errorf("ParseMode(%q): %v, want ErrMode", name, err)
		}
	}
}
