//go:build root

package root_test

import (
	"strings"
	"syscall"
	"testing"

	"firn/tests/host"
)

// rebooter reboots the first time it is told to end, and ends the second time:
// the halt comes when a reboot is under way already.
const rebooter = `B=/usr/bin/busybox; told() { [ -e /mnt/told ] && exit 5; >/mnt/told; exec $B reboot -f; }
	trap told TERM; echo up; while :; do $B sleep 0.05; done`

// TestStopDuringReboot: a container that reboots instead of ending does not
// pass for one that has stopped.
func TestStopDuringReboot(t *testing.T) {
	host.Watch(t)
	for name, stop := range map[string]func(c *container) int{
		"verb": func(c *container) int {
			must(t, "stop", c.name, "--timeout", "30s")
			return 5
		},
		"signal": func(c *container) int {
			if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			return 0
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, "again", "-q", "-P", "-D", busyboxRoot(t), "--kill-signal=SIGTERM", "--bind="+t.TempDir()+":/mnt",
				"/usr/bin/busybox", "sh", "-c", rebooter)
			c.await(startLimit, "the first boot", func() bool { return strings.Contains(c.output.String(), "up") })
			want := stop(c)
			if name == "verb" && leader(c.name) != 0 {
				t.Error("firn stop has left it running")
			}
			if code := c.wait(stopLimit); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}
