package unit

import (
	"os/exec"
	"strings"
	"testing"

	"firn/tests/require"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{"a.service": true, "a@.service": true, "a@b.service": true, "a@b@c.service": true, "-.mount": true,
		"a-b\\x2dc.mount": true, "a.b.target": true, "a": false, ".service": false, "@b.service": false, "a.exe": false, "a b.service": false,
		"a/b.service": false, "": false, "ä.service": false, strings.Repeat("a", 248) + ".service": false} {
		if _, err := ParseName(name); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", name, err, ok)
		}
	}
	n := Name("getty@tty1.service")
	if n.Type() != ServiceType || n.Prefix() != "getty" || n.Instance() != "tty1" || n.Template() != "getty@.service" || n.IsTemplate() || !n.IsInstance() {
		t.Errorf("%s is taken apart wrongly", n)
	}
	if got := Name("a@.service").For("b@c.target"); got != "a@c.service" {
		t.Errorf("a template for an instance: %s", got)
	}
	if got := Name("a@.service").For("b.target"); got != "a@b.service" {
		t.Errorf("a template for a plain unit: %s", got)
	}
}

var escapes = []struct{ path, stem string }{
	{"/", "-"}, {"/a", "a"}, {"/a/b", "a-b"}, {"//a//b/", "a-b"}, {"/a-b", `a\x2db`}, {"/.a", `\x2ea`}, {"/a.b", "a.b"}, {"/a b", `a\x20b`},
	{"/ä", `\xc3\xa4`}, {"/a:b_c", "a:b_c"}, {"/a/.b", "a-.b"},
}

func TestEscapePath(t *testing.T) {
	t.Parallel()
	for _, e := range escapes {
		if got := EscapePath(e.path); got != e.stem {
			t.Errorf("%q: got %q, want %q", e.path, got, e.stem)
		}
		back, err := UnescapePath(e.stem)
		if err != nil || EscapePath(back) != e.stem {
			t.Errorf("%q back: %q, %v", e.stem, back, err)
		}
	}
	for _, bad := range []string{"", `\x`, `\xzz`, `a\`, "a--b", "-a", "..-a"} {
		if p, err := UnescapePath(bad); err == nil {
			t.Errorf("%q is %q", bad, p)
		}
	}
}

func TestOracleEscape(t *testing.T) {
	t.Parallel()
	program := require.Program(t, "systemd-escape")
	for _, e := range escapes {
		out, err := exec.Command(program, "--path", "--", e.path).Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != e.stem {
			t.Errorf("%q: systemd-escape says %q (%v), the table %q", e.path, got, err, e.stem)
		}
	}
}

func TestParseSignal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Signal{"SIGTERM": 15, "KILL": 9, "1": 1, "SIGRTMIN": 34, "RTMIN+3": 37, "SIGRTMAX": 64, "SIGRTMAX-1": 63, "64": 64, "POLL": 29} {
		if got, err := ParseSignal(text); got != want || err != nil {
			t.Errorf("%s: got %d, %v; want %d", text, got, err, want)
		}
		if again, err := ParseSignal(want.String()); again != want || err != nil {
			t.Errorf("%s, read again: %d, %v", want, again, err)
		}
	}
	for _, bad := range []string{"", "SIG", "0", "65", "-1", "SIGLUCK", "RTMIN-1", "RTMIN+31", "RTMAX+1", "sigterm"} {
		if got, err := ParseSignal(bad); err == nil {
			t.Errorf("%q is %d", bad, got)
		}
	}
}
