//go:build root

package root_test

import (
	"strings"
	"testing"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// TestDebian: a Debian with its own systemd reaches "running" with no failed
// unit, has cgroups that work, and halts when asked.
func TestDebian(t *testing.T) {
	host.Watch(t)
	const name = "debian"
	c := start(t, name, "-D", rootfs.Debian(t), "--notify-ready=yes", "-b")
	c.ready()

	if state := inside(t, name, "systemctl", "is-system-running", "--wait"); state.stdout != "running\n" {
		t.Errorf("systemctl is-system-running: %v", state)
	}
	if failed := inside(t, name, "systemctl", "--failed", "--no-legend", "--plain"); failed.stdout != "" || failed.code != 0 {
		t.Errorf("failed units: %v", failed)
	}
	if hostname := inside(t, name, "hostname"); hostname.stdout != name+"\n" {
		t.Errorf("hostname: %v, want %s", hostname, name)
	}
	if virt := inside(t, name, "systemd-detect-virt", "--container"); virt.code != 0 {
		t.Errorf("systemd-detect-virt sees no container: %v", virt)
	}
	// A transient unit is a cgroup made by the systemd inside, with a process in it.
	unit := inside(t, name, "systemd-run", "--quiet", "--wait", "--pipe", "--unit=probe", "cat", "/proc/self/cgroup")
	if unit.code != 0 || !strings.Contains(unit.stdout, "/system.slice/probe.service\n") {
		t.Errorf("a unit's cgroup inside: %v", unit)
	}
	if strings.Contains(unit.stdout, name+".nspawn") || strings.Contains(unit.stdout, "/../") {
		t.Errorf("a process inside sees the host's cgroups: %v", unit)
	}
	if leader(name) == 0 {
		t.Errorf("no PID 1 in any of %v", leaderFiles(name))
	}
	c.alone()
	if code := c.stop(); code != 0 {
		t.Errorf("exit code %d after firn stop, want 0", code)
	}
}

// inside runs a command in a container by `firn exec`.
func inside(tb testing.TB, name string, command ...string) result {
	tb.Helper()
	return firn(tb, append([]string{"exec", name}, command...)...)
}
