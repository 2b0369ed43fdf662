//go:build vm

package vm

import (
	"strings"
	"testing"
	"time"

	"firn/tests/vm/wire"
)

// systemdHost is a Debian with systemd on cgroup v2, with firn on it.
func systemdHost(t *testing.T, label Label) Machine {
	t.Helper()
	return Machine{
		Kernel: label,
		CPUs:   2, Memory: 2048,
		Disk:  DebianDisk(t),
		Load:  []string{"autofs4"},
		Files: []File{Binary(t, "firn", "/vm/firn"), Binary(t, "firn-init", "/vm/firn-init")},
		Cmdline: []string{
			"systemd.mask=serial-getty@ttyS0.service", // its terminal is the test's console
			"systemd.show_status=false",
		},
		BootLimit: 2 * time.Minute,
	}
}

// hostWithContainer boots a host and lays out a Debian root for a container.
func hostWithContainer(t *testing.T, label Label) *Guest {
	t.Helper()
	g := Start(t, systemdHost(t, label))
	g.Shell(`set -e
		mkdir -p /run/c /var/lib/containers/deb
		mount -t tmpfs -o mode=755 tmpfs /run/c
		mkdir /run/c/lower /run/c/upper /run/c/work
		mount -o ro /dev/vda /run/c/lower
		mount -t overlay -o lowerdir=/run/c/lower,upperdir=/run/c/upper,workdir=/run/c/work overlay /var/lib/containers/deb`)
	return g
}

func TestSystemdHost(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := hostWithContainer(t, label)
		if got := g.Run("systemctl", "is-system-running", "--wait"); strings.TrimSpace(got.Stdout) != "running" {
			t.Errorf("the host is %s\n%s", got.Stdout, g.Must("systemctl", "--failed"))
		}
		if got := g.Must("stat", "-fc", "%T", "/sys/fs/cgroup"); got != "cgroup2fs\n" {
			t.Errorf("/sys/fs/cgroup is a %s", got)
		}
	})
}

func TestProbe(t *testing.T) {
	g := hostWithContainer(t, Linux612)
	g.Do(wire.Request{Op: wire.Spawn, Argv: []string{"/bin/sh", "-c", "/vm/firn nspawn -M deb -b --register=no --console=passive >/tmp/out 2>&1; echo ended $? >>/tmp/out"}})
	time.Sleep(8 * time.Second)
	for _, c := range []string{"/vm/firn status deb", "systemd-cgls --no-pager|grep -v '→'",
		"/vm/firn exec deb systemctl is-system-running", "/vm/firn stop deb", "cat /tmp/out", "find /sys/fs/cgroup -name '*deb*'", "findmnt | tail -30", "find /run/firn",
		"systemd-run --unit=cdeb -p Delegate=yes -p Type=notify -p KillMode=mixed -p SuccessExitStatus=133 /vm/firn nspawn -M deb -b --keep-unit --register=no --console=passive",
		"systemctl status cdeb; /vm/firn status deb", "systemd-cgls --no-pager|grep -v '→'", "time systemctl stop cdeb", "systemctl status cdeb; journalctl -u cdeb; find /run/firn",
	} {
		out := g.Run("/bin/sh", "-c", c)
		t.Logf("%s: %v (took %v)", c, out, out.Took)
	}
}
