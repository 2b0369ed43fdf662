//go:build vm

package vm

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"firn/tests/rootfs"
	"firn/tests/vm/wire"
)

// diskHost is a machine with Debian's root, on cgroup v2, with firn on it and a
// NixOS-shaped system in /vm/nix, whose profile is returned.
func diskHost(t *testing.T, label Label) (m Machine, profile string) {
	t.Helper()
	firnInit := Binary(t, "firn-init", "/vm/firn-init")
	nix, dir := nixStore(t)
	system, err := nix.System("demo")
	if err != nil {
		t.Fatal(err)
	}
	profile, err = nix.Profile("demo", system)
	if err != nil {
		t.Fatal(err)
	}
	return Machine{
		Kernel: label,
		Memory: 2048,
		Disk:   DebianDisk(t),
		Load:   []string{"autofs4", "loop"},
		Files: []File{
			Binary(t, "firn", "/vm/firn"), firnInit, {Path: "/vm/nix", Source: dir},
			// systemd's own units call kmod by this name.
			Binary(t, "firn-kmod", "/vm/firn-kmod"), {Path: "/vm/disk/usr/bin/kmod", Link: "/vm/firn-kmod"},
		},
		Cmdline: []string{
			"systemd.mask=serial-getty@ttyS0.service", // its terminal is the test's console
			"systemd.show_status=false",
		},
		BootLimit: 2 * time.Minute,
	}, profile
}

// layRoots makes /nix and a Debian root for containers on the machine.
func layRoots(g *Guest) {
	g.tb.Helper()
	g.Shell(`set -e
		mkdir -p /nix /run/c /var/lib/containers/deb /var/lib/containers/demo
		mount --bind /vm/nix /nix
		mount -t tmpfs -o mode=755 tmpfs /run/c
		mkdir /run/c/lower /run/c/upper /run/c/work
		mount -o ro /dev/vda /run/c/lower
		mount -t overlay -o lowerdir=/run/c/lower,upperdir=/run/c/upper,workdir=/run/c/work overlay /var/lib/containers/deb`)
}

// A container is one of firn on a machine of cgroup v2.
type container struct {
	t    *testing.T
	g    *Guest
	name string
	// parent is the cgroup that machine/NAME.nspawn's "machine" stands for.
	parent string
}

// entry is what firn list --json says of a container.
type entry struct {
	Name, State, Cgroup string
	Leader              int
}

// entries lists the running containers.
func (c container) entries() []entry {
	c.t.Helper()
	var all []entry
	text := c.g.Must("/vm/firn", "list", "--json")
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		c.t.Fatalf("firn list: %v\n%s", err, text)
	}
	return all
}

// log is where a container's own firn writes.
func (c container) log() string { return "/tmp/" + c.name + ".log" }

// start starts firn with a container, and leaves it running.
func (c container) start(argv ...string) {
	c.t.Helper()
	script := strings.Join(argv, " ") + " >" + c.log() + " 2>&1; echo ended with $? >>" + c.log()
	c.g.Do(wire.Request{Op: wire.Spawn, Argv: []string{"/bin/sh", "-c", script}})
}

// ready waits until the container is, and returns its PID 1.
func (c container) ready() int {
	c.t.Helper()
	var all []entry
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		all = c.entries()
		if len(all) == 1 && all[0].State == "ready" {
			if want := c.parent + "/" + c.name + ".nspawn"; all[0].Cgroup != want {
				c.t.Errorf("%s stands at %s, want %s", c.name, all[0].Cgroup, want)
			}
			return all[0].Leader
		}
	}
	c.t.Fatalf("%s is not ready: %+v\n%s", c.name, all, c.g.Shell("cat "+c.log()+" || true"))
	return 0
}

// stop halts the container and looks for what it has left.
func (c container) stop() {
	c.t.Helper()
	if out := c.g.Run("/vm/firn", "stop", c.name); out.Status != 0 {
		c.t.Errorf("firn stop: %v", out)
	}
	if all := c.entries(); len(all) != 0 {
		c.t.Errorf("still listed: %+v", all)
	}
	left := c.g.Shell(`find /sys/fs/cgroup -name "*` + c.name + `.nspawn*" -o -name "machine-` + c.name + `.scope"
		find /run/firn -mindepth 1 2>/dev/null
		grep "firn" /proc/mounts || true`)
	if left != "" {
		c.t.Errorf("left behind:\n%s", left)
	}
}

// ended checks how the program that start has started ended. A host without
// systemd-machined is worth its warning; any other is a fault.
func (c container) ended() {
	c.t.Helper()
	var log string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if log = c.g.Read(c.log()); strings.Contains(log, "ended with ") {
			break
		}
	}
	if !strings.HasSuffix(log, "ended with 0\n") {
		c.t.Errorf("firn has not ended well:\n%s", log)
	}
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "firn: ") && !strings.Contains(line, "systemd-machined") {
			c.t.Errorf("firn complains: %s", line)
		}
	}
}

// alone checks the place of PID 1: system/cgroup.procs, or what systemd as
// payload makes of it.
func (c container) alone(leader int, below string) {
	c.t.Helper()
	dir := "/sys/fs/cgroup" + c.parent + "/" + c.name + ".nspawn/"
	if got := strings.Fields(c.g.Read(dir + below + "/cgroup.procs")); len(got) != 1 || got[0] != strconv.Itoa(leader) {
		c.t.Errorf("%s/cgroup.procs holds %v, want %d alone", below, got, leader)
	}
	if got := c.g.Read(dir + "cgroup.procs"); got != "" {
		c.t.Errorf("an inner cgroup holds processes: %q", got)
	}
	for _, controller := range []string{"memory", "pids", "cpu"} {
		if !strings.Contains(c.g.Read(dir+"cgroup.controllers"), controller) {
			c.t.Errorf("the container has no %s controller", controller)
		}
	}
}

// A Debian and a NixOS-shaped system on a host with systemd: firn asks systemd
// for a scope, or stays in the unit that it was started in.
func TestFirnOnSystemd(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		m, profile := diskHost(t, label)
		g := Start(t, m)
		layRoots(g)
		if got := g.Run("systemctl", "is-system-running", "--wait"); strings.TrimSpace(got.Stdout) != "running" {
			t.Errorf("the host is %s\n%s", got.Stdout, g.Must("systemctl", "--failed"))
		}
		if got := g.Must("stat", "-fc", "%T", "/sys/fs/cgroup"); got != "cgroup2fs\n" {
			t.Errorf("/sys/fs/cgroup is a %s", got)
		}

		if got := g.Read("/run/tmpfiles.d/static-nodes.conf"); !strings.Contains(got, "c! /dev/loop-control 0600 - - - 10:237\n") {
			t.Errorf("kmod-static-nodes.service with firn-kmod has written %q", got)
		}

		deb := container{t, g, "deb", "/machine.slice/machine-deb.scope"}
		deb.start("/vm/firn nspawn -M deb -b --console=passive")
		deb.alone(deb.ready(), "system/init.scope")
		if got := g.Run("/vm/firn", "exec", "deb", "systemctl", "is-system-running", "--wait"); got.Stdout != "running\n" {
			t.Errorf("the container is: %v", got)
		}
		deb.stop()
		deb.ended()

		demo := container{t, g, "demo", "/machine.slice/machine-demo.scope"}
		demo.start(strings.Replace(rootfs.SeedExecStart("/vm", "demo", "/var/lib/containers/demo", profile), "systemd-nspawn", "firn nspawn", 1))
		demo.alone(demo.ready(), "system")
		demo.stop()
		demo.ended()

		keepUnit(t, g)
		throughUnit(t, g)
	})
}

// throughUnit has firn start and stop a container that a unit of the host runs.
func throughUnit(t *testing.T, g *Guest) {
	t.Helper()
	g.Shell(`cat >/run/systemd/system/container-deb.service <<'UNIT'
[Service]
Type=notify
Delegate=yes
KillMode=mixed
ExecStart=/vm/firn nspawn -M deb -b --keep-unit --notify-ready=yes --console=passive
UNIT
systemctl daemon-reload`)
	if out := g.Run("/vm/firn", "start", "deb"); out.Status != 0 {
		t.Fatalf("firn start: %v\n%s", out, g.Must("journalctl", "-u", "container-deb"))
	}
	if got := g.Run("systemctl", "is-active", "container-deb").Stdout; got != "active\n" {
		t.Errorf("after firn start the unit is %s", got)
	}
	deb := container{t, g, "deb", "/system.slice/container-deb.service"}
	deb.alone(deb.ready(), "system/init.scope")
	deb.stop()
	// firn stop returns when the container is gone; its supervisor ends just after.
	got := g.Shell(`for n in $(seq 100); do
		state=$(systemctl show -P ActiveState container-deb); [ "$state" != inactive ] || break; sleep 0.1
		done; echo $state`)
	if got != "inactive\n" {
		t.Errorf("after firn stop the unit is %s", got)
	}
}

// keepUnit runs a container inside of a service, as NixOS's units do, and has
// systemd stop the service.
func keepUnit(t *testing.T, g *Guest) {
	t.Helper()
	g.Must("systemd-run", "--quiet", "--unit=unit", "-p", "Delegate=yes", "-p", "Type=notify", "-p", "KillMode=mixed",
		"/vm/firn", "nspawn", "-M", "deb", "-b", "--keep-unit", "--console=passive")
	deb := container{t, g, "deb", "/system.slice/unit.service"}
	deb.alone(deb.ready(), "system/init.scope")
	g.Must("systemctl", "stop", "unit")
	if got := g.Must("systemctl", "show", "-P", "Result", "unit"); got != "success\n" {
		t.Errorf("the unit's result is %s\n%s", got, g.Must("journalctl", "-u", "unit"))
	}
	if all := deb.entries(); len(all) != 0 {
		t.Errorf("still listed: %+v", all)
	}
}

// A host whose PID 1 is firn-init and which has no systemd: the container stands
// where the seed's script looks for it.
func TestFirnOnFirnInit(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		m, profile := diskHost(t, label)
		m.DiskInit = []string{"/vm/firn-init", "--boot", wire.Agent, "serve"}
		g := Start(t, m)
		layRoots(g)
		demo := container{t, g, "demo", "/machine"}
		demo.start(strings.Replace(rootfs.SeedExecStart("/vm", "demo", "/var/lib/containers/demo", profile), "systemd-nspawn", "firn nspawn", 1))
		demo.alone(demo.ready(), "system")
		demo.stop()
		demo.ended()

		deb := container{t, g, "deb", "/machine"}
		deb.start("/vm/firn nspawn -M deb -b --console=passive")
		deb.alone(deb.ready(), "system/init.scope")
		deb.stop()
		deb.ended()
	})
}
