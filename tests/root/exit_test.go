//go:build root

package root_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// TestExit: the exit code tells how the payload ended, as nspawn's does.
func TestExit(t *testing.T) {
	host.Watch(t)
	root := rootfs.Debian(t)
	for _, c := range []struct {
		name string
		args []string
		want int
	}{
		{"true", []string{"/bin/true"}, 0},
		{"seven", []string{"/bin/sh", "-c", "exit 7"}, 7},
		{"high", []string{"/bin/sh", "-c", "exit 255"}, 255},
		{"seven-pid2", []string{"-a", "/bin/sh", "-c", "exit 7"}, 7},
		{"pipe", []string{"-P", "/bin/sh", "-c", "read x; exit 3"}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := firn(t, append([]string{"nspawn", "-q", "-M", "exit-" + c.name, "-D", root}, c.args...)...)
			if r.code != c.want {
				t.Errorf("%v, want exit code %d", r, c.want)
			}
		})
	}
}

// TestKilled: a payload that a signal kills is an error.
func TestKilled(t *testing.T) {
	host.Watch(t)
	const name = "killed"
	c := start(t, name, "-q", "-D", rootfs.Debian(t), "/bin/sleep", "1000")
	c.ready()
	if err := signalLeader(name, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(stopLimit); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	if text := c.output.String(); !strings.HasPrefix(text, "firn: ") || !strings.Contains(text, "SIGKILL") {
		t.Errorf("firn says %q, want an error that names SIGKILL", text)
	}
	// The same below a PID 1 that is not the payload.
	if r := firn(t, "nspawn", "-q", "-M", name, "-a", "-D", rootfs.Debian(t), "/bin/sh", "-c", "kill -KILL $$"); r.code == 0 {
		t.Errorf("with -a: %v, want an exit code other than 0", r)
	}
}

// TestPowerOff: a system that powers itself off ends with 0, and one that
// reboots is started again: the same name, another PID 1.
func TestPowerOff(t *testing.T) {
	host.Watch(t)
	const name = "reboot"
	c := start(t, name, "-D", rootfs.Debian(t), "--notify-ready=yes", "-b")
	c.ready()
	first := leader(name)
	inside(t, name, "systemctl", "reboot")
	c.await(startLimit, "another PID 1", func() bool {
		pid := leader(name)
		return pid != 0 && pid != first
	})
	c.await(startLimit, "a second boot", func() bool {
		return inside(t, name, "systemctl", "is-system-running", "--wait").stdout == "running\n"
	})
	inside(t, name, "systemctl", "poweroff")
	if code := c.wait(stopLimit); code != 0 {
		t.Errorf("exit code %d after poweroff, want 0", code)
	}
}

// TestRebootInit: the same with firn-init as PID 1.
func TestRebootInit(t *testing.T) {
	host.Watch(t)
	const name = "reboot-init"
	c := start(t, name, "-D", t.TempDir(), "--bind-ro=/nix", "--notify-ready=yes", profile(t, name)+"/init")
	c.ready()
	first := leader(name)
	inside(t, name, "/run/current-system/sw/bin/kill", "-39", "1") // SIGRTMIN+5: reboot, in order
	c.await(startLimit, "another PID 1", func() bool {
		pid := leader(name)
		return pid != 0 && pid != first
	})
	c.await(startLimit, "a second boot", func() bool { return inside(t, name, "/run/current-system/sw/bin/true").code == 0 })
	second := leader(name)
	inside(t, name, "/run/current-system/sw/bin/reboot", "-f") // reboot(2), at once
	c.await(startLimit, "a third PID 1", func() bool {
		pid := leader(name)
		return pid != 0 && pid != second
	})
	c.await(startLimit, "a third boot", func() bool { return inside(t, name, "/run/current-system/sw/bin/true").code == 0 })
	inside(t, name, "/run/current-system/sw/bin/poweroff", "-f")
	if code := c.wait(stopLimit); code != 0 {
		t.Errorf("exit code %d after poweroff, want 0", code)
	}
}

// TestKeepUnit: in a unit of its own a reboot is the service manager's affair:
// exit code 133 asks for it. The unit's cgroup takes the place of /machine.
func TestKeepUnit(t *testing.T) {
	host.Watch(t)
	const name = "unit"
	script := joinUnit(t, "unit.service") + `exec "$@"`
	c := launch(t, name, exec.Command("sh", "-ec", script, "sh", program(t, "firn"), "nspawn", "--keep-unit", "-M", name,
		"-D", t.TempDir(), "--bind-ro=/nix", "--notify-ready=yes", profile(t, name)+"/init"))
	c.ready()
	if leader(name) != 0 {
		t.Error("the container stands below /machine although its unit was to be kept")
	}
	inside(t, name, "/run/current-system/sw/bin/reboot", "-f")
	if code := c.wait(stopLimit); code != 133 {
		t.Errorf("exit code %d after a reboot under --keep-unit, want 133", code)
	}
}

// joinUnit makes a cgroup in every hierarchy, as a service manager does for a
// unit, and returns shell commands that move the shell into it.
func joinUnit(t *testing.T, unit string) (script string) {
	t.Helper()
	tops, err := filepath.Glob("/sys/fs/cgroup/*/tests")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/sys/fs/cgroup/tests"); err == nil {
		tops = []string{"/sys/fs/cgroup/tests"}
	}
	for _, top := range tops {
		dir := filepath.Join(filepath.Dir(top), unit)
		if err := os.Mkdir(dir, 0o755); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			// Where firn itself stood, on v2: the manager's to remove, as is the unit's.
			_ = os.Remove(filepath.Join(dir, "supervisor"))
			if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
				t.Errorf("the unit's cgroup holds more than it did: %v", err)
			}
		})
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			if value, err := os.ReadFile(filepath.Join(top, file)); err == nil {
				_ = os.WriteFile(filepath.Join(dir, file), value, 0) // v2 inherits
			}
		}
		script += "echo 0 >" + dir + "/cgroup.procs\n"
	}
	return script
}
