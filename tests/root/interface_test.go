//go:build root

package root_test

import (
	"strings"
	"testing"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// A point is one thing that the Container Interface (systemd.io) asks of the one
// who makes a container. The script runs in a booted one and exits with 0 if the
// point is kept.
type point struct{ text, script string }

var interfacePoints = []point{
	// File systems that are there before PID 1 runs.
	{"/proc is mounted", `grep -q ' /proc .* - proc ' /proc/self/mountinfo`},
	{"/proc/sys is read-only", `grep -q ' /proc/sys ro[, ]' /proc/self/mountinfo`},
	{"/sys is mounted and read-only", `grep -qE ' /sys ro[, ]' /proc/self/mountinfo`},
	{"/dev is a tmpfs of its own", `[ "$(stat -f -c %T /dev)" = tmpfs ]`},
	{"/dev/shm is a tmpfs for all", `[ "$(stat -f -c %T /dev/shm)" = tmpfs ] && [ "$(stat -c %a /dev/shm)" = 1777 ]`},
	{"/dev/pts is an instance of its own", `[ "$(readlink /dev/ptmx)" = pts/ptmx ] && [ "$(stat -c %a /dev/pts/ptmx)" = 666 ]`},
	{"/run is a tmpfs", `[ "$(stat -f -c %T /run)" = tmpfs ]`},

	// Device nodes: these, and no others but what was asked for.
	{"nodes", `for n in null zero full random urandom tty; do [ -c /dev/$n ] || exit 1; done`},
	{"links", `[ "$(readlink /dev/fd)" = /proc/self/fd ] && [ "$(readlink /dev/stdin)" = /proc/self/fd/0 ] && [ "$(readlink /dev/stdout)" = /proc/self/fd/1 ] && [ "$(readlink /dev/stderr)" = /proc/self/fd/2 ]`},
	{"no nodes of the host's devices", `[ -z "$(find /dev -type b)" ] && [ ! -e /dev/mem ] && { [ ! -e /dev/kmsg ] || [ "$(stat -c %t:%T /dev/kmsg)" = 1:3 ]; }`},
	{"/dev/console is a pty", `[ -c /dev/console ] && [ "$(stat -c %t /dev/console)" = 88 ]`},
	{"/dev/console is a mount, not a link", `grep -q ' /dev/console ' /proc/self/mountinfo`},
	{"no virtual terminals", `[ ! -e /dev/tty1 ]`},
	{"no devices of the host through the device cgroup", `! mknod /tmp/forbidden c 1 1 2>/dev/null || ! head -c 1 /tmp/forbidden >/dev/null 2>&1`},

	// Kernel interfaces that are not namespaced.
	{"/proc/kmsg gives nothing of the host's", `! timeout 1 head -c 1 /proc/kmsg 2>/dev/null | grep -q .`},
	{"a boot id of its own", `[ "$(cat /proc/sys/kernel/random/boot_id)" != "@boot-id@" ]`},

	// Environment of PID 1.
	{"$container names the manager", `tr '\0' '\n' </proc/1/environ | grep -qE '^container=[a-z-]+$'`},
	{"$container_uuid is the machine id", `[ "$(tr '\0' '\n' </proc/1/environ | sed -n 's/^container_uuid=//p' | tr -d -)" = "$(cat /etc/machine-id)" ]`},
	{"$container_host_id tells the host's system", `tr '\0' '\n' </proc/1/environ | grep -q '^container_host_id='`},
	{"$NOTIFY_SOCKET leads to the manager", `s=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^NOTIFY_SOCKET=//p'); [ -S "$s" ]`},
	{"$TERM is set", `tr '\0' '\n' </proc/1/environ | grep -q '^TERM='`},
	{"no $LISTEN_FDS without sockets", `! tr '\0' '\n' </proc/1/environ | grep -q '^LISTEN_FDS='`},
	{"no variables of the host's session", `! tr '\0' '\n' </proc/1/environ | grep -qE '^(SUDO_|SSH_|XDG_|GO|FIRN_)'`},

	// /run/host, from the manager to the payload.
	{"/run/host is read-only to the payload", `! touch /run/host/x 2>/dev/null`},
	{"/run/host/container-manager", `[ "$(cat /run/host/container-manager)" = "$(tr '\0' '\n' </proc/1/environ | sed -n 's/^container=//p')" ]`},
	{"/run/host/container-uuid", `[ "$(tr -d - </run/host/container-uuid)" = "$(cat /etc/machine-id)" ]`},
	{"/run/host/os-release is the host's", `[ -s /run/host/os-release ] && [ ! -L /run/host/os-release ]`},
	{"/run/host/inaccessible", `for n in reg dir fifo sock; do [ -e /run/host/inaccessible/$n ] || exit 1; done; [ "$(stat -c %a /run/host/inaccessible/reg)" = 0 ]`},

	// Control groups.
	{"a hierarchy that it may write to", `for d in /sys/fs/cgroup/systemd /sys/fs/cgroup/unified /sys/fs/cgroup; do mkdir $d/probe 2>/dev/null && rmdir $d/probe && exit 0; done; exit 1`},
	{"its own subtree only", `! grep -q '/\.\.' /proc/self/cgroup && ! grep -qE ' /\.\.[^ ]* /sys/fs/cgroup' /proc/self/mountinfo`},

	// What it may do.
	{"PID 1 has no file descriptors besides its own", `! ls -l /proc/1/fd | grep -E -- '-> /(home|root|tmp|work|var/lib/containers)'`},
	{"mounts inside can be propagated", `mkdir -p /tmp/shared && mount -t tmpfs t /tmp/shared && mount --make-shared /tmp/shared && umount /tmp/shared`},
	{"hostname can be changed", `hostname other && [ "$(hostname)" = other ] && hostname @name@`},
	{"systemd sees a container", `systemd-detect-virt --container >/dev/null`},
	{"nothing failed", `[ -z "$(systemctl --failed --no-legend --plain)" ]`},
}

// TestContainerInterface goes through what the Container Interface asks, point by
// point, in a booted Debian.
func TestContainerInterface(t *testing.T) {
	host.Watch(t)
	const name = "interface"
	c := start(t, name, "-q", "-D", rootfs.Debian(t), "--notify-ready=yes", "-b")
	c.ready()
	words := strings.NewReplacer("@boot-id@", readLine(t, "/proc/sys/kernel/random/boot_id"), "@name@", name)
	for _, p := range interfacePoints {
		t.Run(p.text, func(t *testing.T) {
			if r := inside(t, name, "/bin/sh", "-c", words.Replace(p.script)); r.code != 0 {
				t.Errorf("not kept: %s\n%v", p.text, r)
			}
		})
	}
	// SIGRTMIN+4 is systemd's power-off, as SIGRTMIN+3 is its halt.
	if err := signalLeader(name, sigrtmin+4); err != nil {
		t.Fatal(err)
	}
	if code := c.wait(stopLimit); code != 0 {
		t.Errorf("exit code %d after SIGRTMIN+4, want 0", code)
	}
}
