package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/signals"
)

// These tests boot systems with units of their own.

// newUnits makes a root with units, and a default.target that wants those of multi-user.target.wants.
func newUnits(t *testing.T, units map[string]string) string {
	t.Helper()
	root := newRoot(t)
	for _, applet := range []string{"echo", "id"} {
		_ = os.Symlink("busybox", filepath.Join(root, "bin", applet))
	}
	writeFile(t, root+"/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:4711:4711::/srv:/bin/sh\n", 0o644)
	writeFile(t, root+"/etc/group", "root:x:0:\nweb:x:4711:\n", 0o644)
	for name, text := range map[string]string{
		"multi-user.target": "[Unit]\nRequires=basic.target\nAfter=basic.target\nConflicts=rescue.service\nAllowIsolate=yes\n",
		"basic.target":      "[Unit]\nRequires=sysinit.target\nWants=sockets.target timers.target\nAfter=sysinit.target sockets.target timers.target\n",
		"sysinit.target":    "[Unit]\nDescription=System Initialization\n",
		"sockets.target":    "[Unit]\nDescription=Sockets\n",
		"timers.target":     "[Unit]\nDescription=Timers\n",
		"shutdown.target":   "[Unit]\nDefaultDependencies=no\nRefuseManualStart=yes\n",
	} {
		writeFile(t, filepath.Join(root, "usr/lib/systemd/system", name), text, 0o644)
	}
	if err := os.Symlink("multi-user.target", root+"/usr/lib/systemd/system/default.target"); err != nil {
		t.Fatal(err)
	}
	for name, text := range units {
		path := filepath.Join(root, "etc/systemd/system", name)
		writeFile(t, path, text, 0o644)
		if strings.Contains(name, "@.") || strings.Contains(name, "/") || strings.Contains(text, "# not wanted") {
			continue
		}
		wants := root + "/etc/systemd/system/multi-user.target.wants"
		if err := os.MkdirAll(wants, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../"+name, filepath.Join(wants, name)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func bootUnits(t *testing.T, root string) *container {
	t.Helper()
	return start(t, root, config{}, "firn-init", "--boot", "--log-level", "debug")
}

// before reports whether one text comes before another in what the container said.
func (c *container) before(first, then string) {
	c.t.Helper()
	text := c.out.String()
	i, j := strings.Index(text, first), strings.Index(text, then)
	if i < 0 || j < 0 || i > j {
		c.t.Errorf("%q (at %d) is not before %q (at %d)", first, i, then, j)
	}
}

func TestUnitsBoot(t *testing.T) {
	t.Parallel()
	root := newUnits(t, map[string]string{
		"first.service":   "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo first as $(id -u)'\nExecStop=/bin/echo first stops\n",
		"second.service":  "[Unit]\nAfter=first.service\n[Service]\nUser=web\nStateDirectory=second\nEnvironment=A=\"b c\"\nExecStart=/bin/sh -c 'trap \"echo second stops; exit 0\" TERM; echo second as $(id -u) with $$A in $$STATE_DIRECTORY; while :; do sleep 0.1; done'\n",
		"skipped.service": "[Unit]\nConditionPathExists=/none\n[Service]\nExecStart=/bin/echo never\n",
		"broken.service":  "[Service]\nExecStart=/none/such\n",
		"nobody.service":  "[Service]\nUser=nobody-such\nExecStart=/bin/true\n",
		"bad.service":     "[Service]\nExecStrat=/bin/true\n",
		"deaf.service":    "[Unit]\nBefore=second.service\n[Service]\nTimeoutStopSec=300ms\nExecStart=/bin/sh -c 'trap \"\" TERM; echo deaf is up; while :; do sleep 0.1; done'\n",
	})
	c := bootUnits(t, root)
	c.says("firn-init: ready")
	c.says("second as 4711 with b c in /var/lib/second")
	c.says("deaf is up")
	for _, want := range []string{"first as 0", "EXEC execute /none/such", "user nobody-such: no such user", "PathExists=/none"} {
		c.says(want)
	}
	c.before("first as 0", "second as 4711")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
	c.before("second stops", "first stops")
	if !strings.Contains(c.out.String(), "time is up, killing unit=deaf.service") {
		t.Error("the unit that ignores SIGTERM is not named")
	}
	if strings.Contains(c.out.String(), "never") {
		t.Error("a condition that is not met was no reason")
	}
}

// TestUnitsEarlyHalt: a halt in the middle of a boot stops what has been started, in order.
func TestUnitsEarlyHalt(t *testing.T) {
	t.Parallel()
	root := newUnits(t, map[string]string{
		"up.service":   "[Service]\nExecStart=/bin/sh -c 'trap \"echo up stops; exit 0\" TERM; echo up starts; while :; do sleep 0.1; done'\n",
		"slow.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo slow starts; sleep 1000'\n",
	})
	c := bootUnits(t, root)
	c.says("up starts")
	c.says("slow starts")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
	if !strings.Contains(c.out.String(), "up stops") || strings.Contains(c.out.String(), "firn-init: ready") {
		t.Error("what was started was not stopped, or the boot went on")
	}
}

// TestUnitsRestart: a service that is killed comes up again; one that always fails is given up.
func TestUnitsRestart(t *testing.T) {
	t.Parallel()
	root := newUnits(t, map[string]string{
		"back.service":  "[Service]\nRestart=always\nExecStart=/bin/sh -c 'echo back is $$$$; [ -e /run/once ] || { touch /run/once; kill -9 $$$$; }; exec sleep 1000'\n",
		"loop.service":  "[Unit]\nOnFailure=alarm.service\n[Service]\nRestart=on-failure\nRestartSec=1ms\nExecStart=/bin/false\n",
		"alarm.service": "# not wanted\n[Service]\nType=oneshot\nExecStart=/bin/echo alarm\n",
	})
	c := bootUnits(t, root)
	c.says("unit=loop.service result=start-limit-hit")
	c.says("alarm\n")
	deadline := time.Now().Add(patience)
	for strings.Count(c.out.String(), "back is ") < 2 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	c.says("restarting unit=back.service number=1")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
}

// TestUnitsMany: 300 units come up and go down; PID 1 answers meanwhile.
func TestUnitsMany(t *testing.T) {
	t.Parallel()
	units := map[string]string{"work@.service": "[Unit]\nAfter=base.service\n[Service]\nExecStart=/bin/sleep 1000\n",
		"base.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"}
	root := newUnits(t, units)
	for i := range 300 {
		link := fmt.Sprintf("%s/etc/systemd/system/multi-user.target.wants/work@%d.service", root, i)
		if err := os.Symlink("../work@.service", link); err != nil {
			t.Fatal(err)
		}
	}
	c := bootUnits(t, root)
	c.says("firn-init: ready")
	c.signal(unix.SIGUSR2)
	c.says("firn-init: state")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
	if n := strings.Count(c.out.String(), "from=stop-sigterm to=dead"); n != 300 {
		t.Errorf("%d of 300 units were stopped", n)
	}
}
