//go:build root

package root_test

import (
	"encoding/json"
	"strings"
	"testing"

	"firn/tests/host"
)

// A listed is what `firn list --json` and `firn status --json` say of one
// container, as far as tests look at it.
type listed struct {
	Name   string
	State  string
	Leader int
}

// list is `firn list --json`.
func list(tb testing.TB) []listed {
	tb.Helper()
	var all []listed
	if err := json.Unmarshal([]byte(must(tb, "list", "--json")), &all); err != nil {
		tb.Fatalf("firn list --json: %v", err)
	}
	return all
}

// TestList: a running container is in the list and has a status, for people and
// for programs; afterwards it is not.
func TestList(t *testing.T) {
	host.Watch(t)
	const name = "listed"
	c := start(t, name, "-D", t.TempDir(), "--bind-ro=/nix", "--notify-ready=yes", profile(t, name)+"/init")
	c.ready()
	if all := list(t); len(all) != 1 || all[0].Name != name || all[0].State != "ready" || all[0].Leader != leader(name) {
		t.Errorf("firn list --json: %+v, want %s with PID %d", all, name, leader(name))
	}
	for _, verb := range [][]string{{"list"}, {"status", name}} {
		if text := must(t, verb...); !strings.Contains(text, name) {
			t.Errorf("firn %v says nothing of %s: %q", verb, name, text)
		}
	}
	if text := must(t, "status", "--json", name); !strings.Contains(text, `"command": "/nix/`) {
		t.Errorf("firn status --json does not tell the command: %s", text)
	}
	if code := c.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	if all := list(t); len(all) != 0 {
		t.Errorf("firn list --json after the end: %+v", all)
	}
	if r := firn(t, "status", name); r.code != notRunning || !strings.Contains(r.stderr, name) {
		t.Errorf("firn status of what does not run: %v, want an error that names it", r)
	}
}
