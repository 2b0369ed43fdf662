package container

import (
	"maps"
	"strings"
	"syscall"
	"testing"
)

func TestParseOSRelease(t *testing.T) {
	t.Parallel()
	got := parseOSRelease("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n# ID=x\n\nnonsense\nEMPTY=\nQ='single \"quoted\"'\n")
	want := map[string]string{"ID": "debian", "PRETTY_NAME": "Debian GNU/Linux 12", "EMPTY": "", "Q": `single "quoted"`}
	if !maps.Equal(got, want) {
		t.Errorf("parseOSRelease = %q, want %q", got, want)
	}
}

// Wait statuses of wait(2): an exit code in the second byte, a signal in the first.
func TestExitCode(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end      end
		code     int
		err      string
		sentence string
	}{
		"exit 0":                      {end{status: 0}, 0, "", "exited successfully"},
		"exit 7":                      {end{status: 7 << 8}, 7, "", ""},
		"poweroff":                    {end{status: syscall.WaitStatus(syscall.SIGINT)}, 0, "", "shut down"},
		"reboot, though told to halt": {end{status: syscall.WaitStatus(syscall.SIGHUP), asked: true}, 0, "", "shut down"},
		"hangup":                      {end{status: syscall.WaitStatus(syscall.SIGHUP)}, 1, "SIGHUP", ""},
		"crash":                       {end{status: syscall.WaitStatus(syscall.SIGSEGV)}, 1, "SIGSEGV", ""},
		"killed":                      {end{status: syscall.WaitStatus(syscall.SIGKILL), killed: true}, 1, "was killed", ""},
	} {
		code, err := tc.end.exitCode()
		if code != tc.code || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %d, %v", name, code, err)
		}
		if !strings.Contains(tc.end.sentence(), tc.sentence) || tc.sentence == "" && tc.end.sentence() != "" {
			t.Errorf("%s: sentence %q", name, tc.end.sentence())
		}
	}
}

func TestBootID(t *testing.T) {
	t.Parallel()
	a, b := string(bootID()), string(bootID())
	if a == b || len(a) != 37 || a[14] != '4' || a[36] != '\n' {
		t.Errorf("boot ids %q, %q", a, b)
	}
}
