package vm

import (
	"io"
	"net"
	"strings"
	"testing"
)

func TestEnding(t *testing.T) {
	t.Parallel()
	tests := []struct {
		reason, console string
		killed          bool
		want            Ending
	}{
		{"guest-shutdown", "", false, PoweredOff},
		{"guest-reset", "reboot: Restarting system", false, Reset},
		{"guest-reset", "Kernel panic - not syncing: x", false, Panicked},
		{"", "[1.0] reboot: System halted\n", true, Halted},
		{"", "", true, Killed},
		{"", "", false, Crashed},
		{"host-signal", "", false, Crashed},
	}
	for _, tt := range tests {
		if got := ending(tt.reason, tt.console, tt.killed); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	const greeting = `{"QMP": {"version": {}}}` + "\n" + `{"return": {}}` + "\n"
	tests := []struct{ said, reason, problem string }{
		{said: greeting + `{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}`, reason: "guest-reset"},
		{said: greeting + `{"event": "RESUME"}`},
		{said: `{"error": {"desc": "no such command"}}`, problem: "no such command"},
		{said: "what?", problem: "read from monitor"},
	}
	for _, tt := range tests {
		near, far := net.Pipe()
		go func() {
			_, _ = far.Read(make([]byte, 100))
			_, _ = io.WriteString(far, tt.said)
			_ = far.Close()
		}()
		reason, err := watch(near)
		if reason != tt.reason || (err != nil) != (tt.problem != "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%q: %q, %v", tt.said, reason, err)
		}
	}
}
