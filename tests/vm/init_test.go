//go:build vm

package vm

import (
	"strings"
	"testing"
	"time"

	"firn/tests/vm/wire"
)

// initMachine boots firn-init as the machine's first process, with the agent as
// its service. It is not called "init", since then its command would have to
// follow a "--", which the kernel keeps for itself.
func initMachine(t *testing.T, label Label) Machine {
	t.Helper()
	return Machine{
		Kernel:  label,
		Modules: []string{"dummy", "ifb", "tun", "uinput", "uhid", "fuse", "loop"},
		// firn-init logs to the kernel's log, which "quiet" keeps off the console.
		Cmdline: []string{"loglevel=8", "printk.devkmsg=on"},
		Init:    "/sbin/firn-init",
		Args:    []string{"--boot", "--log-level", "debug", "/vm/agent", "serve"},
		Files: []File{
			Binary(t, "firn-init", "/sbin/firn-init"),
			Binary(t, "firn-kmod", "/sbin/firn-kmod"),
			{Path: "/sbin/modprobe", Link: "firn-kmod"},
			{Path: "/etc/hostname", Text: "machine-of-firn\n"},
			{Path: "/etc/group", Text: "root:x:0:\naudio:x:29:\ndisk:x:6:\n"},
			{Path: "/etc/modules-load.d/nixos.conf", Text: "# good, missing, built in, blacklisted\ndummy\nno_such_module\ntcp_cubic\nuhid\n"},
			{Path: "/etc/modules-load.d/second.conf", Text: "ifb\n"},
			{Path: "/etc/modprobe.d/test.conf", Text: "blacklist uhid\noptions dummy numdummies=3\n"},
		},
	}
}

// firn-init as PID 1 of a machine: mounts, modules-load.d, static nodes, one
// service; an entry that cannot be loaded is a warning with its place.
func TestInitBootsMachine(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, initMachine(t, label))
		if g.Hello.PID == 1 {
			t.Error("the agent is PID 1, not firn-init's service")
		}
		if got := g.Must("busybox", "readlink", "/proc/1/exe"); got != "/sbin/firn-init\n" {
			t.Errorf("PID 1 is %s", got)
		}
		if got := g.Must("busybox", "hostname"); got != "machine-of-firn\n" {
			t.Errorf("host name %q", got)
		}
		loaded(t, g, "dummy ifb !uhid !tun")
		if n := strings.Count(g.Must("busybox", "ls", "/sys/class/net"), "dummy"); n != 3 {
			t.Errorf("%d dummy interfaces, options ask for 3", n)
		}
		console := g.Console()
		for _, want := range []string{
			"origin=/etc/modules-load.d/nixos.conf:3", // the missing one, with its place
			"origin=/etc/modules-load.d/nixos.conf:5", // the blacklisted one
			`step done step=service`,
		} {
			if !strings.Contains(console, want) {
				t.Errorf("no word of %q on the console", want)
			}
		}
		if strings.Contains(console, "firn-init: error:") {
			t.Error("the boot is not green: an error on the console")
		}
		for _, mount := range []string{" /proc proc ", " /sys sysfs ", " /dev devtmpfs ", " /dev/pts devpts ", " /dev/shm tmpfs ", " /run tmpfs ", " /sys/fs/cgroup cgroup2 "} {
			if !strings.Contains(g.Read("/proc/mounts"), mount) {
				t.Errorf("not mounted:%s", mount)
			}
		}
		openNodes(t, g)
		got := g.Must("busybox", "stat", "-c", "%n %A %u:%g", "/dev/fuse", "/dev/loop-control", "/dev/net/tun")
		const want = "/dev/fuse crw-rw-rw- 0:0\n/dev/loop-control crw-rw---- 0:6\n/dev/net/tun crw-rw-rw- 0:0\n"
		if got != want {
			t.Errorf("nodes:\n%swant:\n%s", got, want)
		}
	})
}

// PID 1's signals end a machine as systemd(1) says.
func TestInitEndsMachine(t *testing.T) {
	t.Parallel()
	for signal, want := range map[string]Ending{
		"37": Halted,     // SIGRTMIN+3
		"38": PoweredOff, // SIGRTMIN+4
		"39": Reset,      // SIGRTMIN+5
		"2":  Reset,      // SIGINT, Ctrl-Alt-Del
	} {
		t.Run(signal, func(t *testing.T) {
			t.Parallel()
			g := Start(t, initMachine(t, Linux612))
			// Less than a grace period: nothing here ignores a SIGTERM.
			if got := g.Finish(8*time.Second, "busybox", "kill", "-"+signal, "1"); got != want {
				t.Errorf("signal %s: %s, want %s", signal, got, want)
			}
		})
	}
}

// activation stands for NixOS's: it starts the agent besides, since a system's
// init that the kernel has started has no command to run.
const activation = `#!@sh@
export PATH=@path@/bin
mkdir -p /etc
ln -sfn @etc@/os-release /etc/os-release
echo "activating $systemConfig" >/activated
` + wire.Agent + ` serve </dev/null &
`

// The kernel starts a NixOS-shaped system's own init, with no arguments.
func TestInitOfSystem(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		nix, dir := nixStore(t)
		system, err := nix.SystemWith("machine", activation)
		if err != nil {
			t.Fatal(err)
		}
		g := Start(t, Machine{Kernel: label, Init: system + "/init", Files: []File{{Path: "/nix", Source: dir}}})
		for _, link := range []string{"/run/current-system", "/run/booted-system"} {
			if got := g.Must("busybox", "readlink", link); got != system+"\n" {
				t.Errorf("%s leads to %q, want %s", link, got, system)
			}
		}
		if got := g.Read("/activated"); got != "activating "+system+"\n" {
			t.Errorf("activation was told %q", got)
		}
		if got := g.Must("busybox", "cat", "/proc/1/comm"); got != "init\n" {
			t.Errorf("PID 1 is %q", got)
		}
		if got := g.Finish(8*time.Second, "busybox", "kill", "-38", "1"); got != PoweredOff {
			t.Errorf("SIGRTMIN+4: %s", got)
		}
	})
}
