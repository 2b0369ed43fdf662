package log

import (
	"errors"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	l := New(Target{Write: func(b []byte) { got.Write(b) }}, Info)
	l.Info("ready", "took", "1.5ms", "name", "two words", "empty", "")
	l.Debug("not shown")
	l.Warn("line\nforged\n", "quote", `a"b`, "escape", "\x1b[2J")
	l.SetLevel(Debug)
	l.Debug("shown")
	l.SetTarget(Target{Write: func(b []byte) { got.Write(b) }, Priority: true})
	l.Error("bad", "key without value")
	want := `firn-init: ready took=1.5ms name="two words" empty=""
firn-init: warning: line; forged quote="a\"b" escape="\x1b[2J"
firn-init: debug: shown
<3>firn-init: error: bad
`
	if got.String() != want {
		t.Errorf("got\n%s want\n%s", got.String(), want)
	}
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Level{"err": Error, "WARNING": Warning, "notice": Info, "7": Debug} {
		if got, err := ParseLevel(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := ParseLevel("8"); !errors.Is(err, ErrLevel) {
		t.Errorf("8: %v", err)
	}
}
