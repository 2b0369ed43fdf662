package signals

import (
	"syscall"
	"testing"
)

// TestTable: every signal that systemd(1) lists for the system manager has a row, once, and one that does nothing says so.
func TestTable(t *testing.T) {
	t.Parallel()
	want := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGWINCH, syscall.SIGPWR, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP}
	for _, r := range [][2]int{{0, 7}, {13, 17}, {20, 29}} {
		for n := r[0]; n <= r[1]; n++ {
			want = append(want, RTMin+syscall.Signal(n))
		}
	}
	seen := map[syscall.Signal]bool{}
	for _, row := range Table {
		if seen[row.Signal] {
			t.Errorf("%s has two rows", Name(row.Signal))
		}
		seen[row.Signal] = true
		if row.Verb == Nothing && row.Note == "" {
			t.Errorf("%s does nothing in silence", Name(row.Signal))
		}
		if row.Now && !row.Verb.Ends() {
			t.Errorf("%s is at once but ends nothing", Name(row.Signal))
		}
	}
	for _, sig := range want {
		if !seen[sig] {
			t.Errorf("%s has no row", Name(sig))
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d rows for %d signals", len(seen), len(want))
	}
}

func TestForManager(t *testing.T) {
	t.Parallel()
	tests := []struct {
		sig       syscall.Signal
		container string
		verb      Verb
		now       bool
	}{
		{RTMin + 3, "", Halt, false},
		{RTMin + 13, "podman", Halt, true},
		{RTMin + 17, "", SoftReboot, true},
		{syscall.SIGINT, "firn", Reboot, false},
		{syscall.SIGPWR, "systemd-nspawn", Nothing, false},
		{syscall.SIGPWR, "lxc", Poweroff, false},
		{syscall.SIGTERM, "lxc", Nothing, false},
		{syscall.SIGWINCH, "", Nothing, false},
		{syscall.SIGALRM, "", Nothing, false},
	}
	for _, tt := range tests {
		row := ForManager(tt.sig, tt.container)
		if row.Verb != tt.verb || row.Now != tt.now || row.Signal != tt.sig || row.Name == "" {
			t.Errorf("%s under %q: %+v", Name(tt.sig), tt.container, row)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for sig, want := range map[syscall.Signal]string{9: "SIGKILL", 34: "SIGRTMIN+0", 37: "SIGRTMIN+3", 64: "SIGRTMIN+30", 33: "signal 33", 65: "signal 65"} {
		if got := Name(sig); got != want {
			t.Errorf("%d: %s, want %s", sig, got, want)
		}
	}
	for sig := syscall.Signal(1); sig < 32; sig++ {
		if _, ok := names[sig]; !ok {
			t.Errorf("%d has no name", sig)
		}
	}
}
