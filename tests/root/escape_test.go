//go:build root

package root_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"firn/tests/host"
	"firn/tests/require"
	"firn/tests/rootfs"

	"golang.org/x/sys/unix"
)

// An escape is something that root inside a container, with every capability it
// has, must not be able to do. The script exits with 0 if it could.
type escape struct{ name, script string }

// escapes are tried with busybox's or Debian's sh; /tmp is writable. Files of the
// kernel are opened for writing, and that is all: the machine is not changed by an
// escape that works.
var escapes = []escape{
	{"remount /nix", `mount -o remount,rw,bind /nix && echo >/nix/store/firn-probe`},
	{"remount a submount of /nix", `mount -o remount,rw,bind /nix/store/submount && echo >/nix/store/submount/firn-probe`},
	{"bind /nix elsewhere", `mkdir -p /tmp/n && mount --bind /nix /tmp/n && mount -o remount,rw,bind /tmp/n && echo >/tmp/n/store/firn-probe`},
	{"bind below /nix elsewhere", `mkdir -p /tmp/s && mount --bind /nix/store /tmp/s && mount -o remount,rw,bind /tmp/s && echo >/tmp/s/firn-probe`},
	{"remount /nix as super block", `mount -o remount,rw /nix && echo >/nix/store/firn-probe`},
	{"mount_setattr /nix", `FIRN_PROBE=mount-setattr /probe`},
	{"write /nix", `echo >/nix/store/firn-probe`},
	{"write sysctl", `true >/proc/sys/kernel/domainname`},
	{"write core_pattern", `true >/proc/sys/kernel/core_pattern`},
	{"remount /proc/sys", `mount -o remount,rw,bind /proc/sys && ` + rewrite("/proc/sys/kernel/core_pattern")},
	{"another procfs", `mkdir -p /tmp/p && mount -t proc proc /tmp/p && ` + rewrite("/tmp/p/sys/kernel/core_pattern")},
	{"sysrq-trigger", `true >/proc/sysrq-trigger`},
	{"write sysfs", `true >/sys/kernel/profiling`},
	{"remount sysfs", `mount -o remount,rw /sys && true >/sys/kernel/profiling`},
	{"uevent helper", `mount -o remount,rw,bind /sys && true >/sys/kernel/uevent_helper`},
	{"host's block devices", readBlockDevices},
	{"kernel memory", `rm -f /tmp/mem; mknod /tmp/mem c 1 1 && dd if=/tmp/mem of=/dev/null bs=1 count=1 2>/dev/null`},
	{"kernel log device", `rm -f /tmp/kmsg; mknod /tmp/kmsg c 1 11 && true >/tmp/kmsg`},
	{"host's root through /proc/1/root", `[ -e /proc/1/root/` + hostMarker + ` ]`},
	{"host's root through /proc/1/cwd", `[ -e /proc/1/cwd/../../../../` + hostMarker + ` ]`},
	{"host's root through a descriptor", `for fd in /proc/1/fd/* /proc/self/fd/*; do [ -e $fd/../../../../` + hostMarker + ` ] && exit 0; done; exit 1`},
	{"host's root by handle", `FIRN_PROBE=open-by-handle /probe`},
	{"host's processes", `[ "$(readlink /proc/1/ns/pid)" != "$(readlink /proc/self/ns/pid)" ] || ls -d /proc/` + "@hostpid@" + ` 2>/dev/null`},
	{"release agent", `FIRN_PROBE=release-agent /probe`},
	{"cgroups above", `FIRN_PROBE=mount-cgroup-up /probe`},
	{"cgroup mounts that show the host's", `awk '$0 ~ / - cgroup2? / && $4 ~ /\.\./ { found = 1 } END { exit !found }' /proc/self/mountinfo`},
	{"devices that its cgroup denies", `
		mkdir -p /tmp/d; mount -t cgroup -o devices c /tmp/d || mount --bind /sys/fs/cgroup/devices /tmp/d
		mount -o remount,rw,bind /tmp/d
		for f in $(find /tmp/d -name devices.allow); do echo a >$f; done
		` + readBlockDevices},

	// Last, since they change what the others would meet.
	{"unmount /proc/sys", `umount -l /proc/sys && ` + rewrite("/proc/sys/kernel/core_pattern")},
	{"unmount /nix", `umount -l /nix && echo >/nix/firn-probe && ls /nix/store`},
}

// rewrite writes a kernel parameter's own value back: opening one for writing
// shows nothing, since the kernel decides at the write.
func rewrite(path string) string { return `v=$(cat ` + path + `) && echo "$v" >` + path }

// readBlockDevices makes a node for each block device and reads from it.
const readBlockDevices = `
	while read -r major minor rest; do
		case $major in [0-9]*) ;; *) continue ;; esac
		rm -f /tmp/blk; mknod /tmp/blk b $major $minor || continue
		dd if=/tmp/blk of=/dev/null bs=512 count=1 2>/dev/null && exit 0
	done </proc/partitions
	exit 1`

// onlyUserNamespace are what no rule of the kernel takes from root in a container
// that shares the host's user namespace, under no manager: files of procfs that
// are no kernel parameters, where the mount that shows them read-only is the
// container's own to change. ARCHITECTURE.md names them. They are tried so that
// the list is known to be right, and undone: one that is refused belongs to escapes.
var onlyUserNamespace = []escape{
	{"remount sysrq-trigger", `mount -o remount,rw,bind /proc/sysrq-trigger && (true >/proc/sysrq-trigger); r=$?; mount -o remount,ro,bind /proc/sysrq-trigger; exit $r`},
	{"sysrq-trigger of another procfs", `mkdir -p /tmp/q && mount -t proc proc /tmp/q && (true >/tmp/q/sysrq-trigger); r=$?; umount /tmp/q; exit $r`},
}

// hostMarker is a file in the host's root that no container has.
const hostMarker = ".firn-host-marker"

// TestProbe: the probe by handle can work, where the machine's own file system is
// one of those it knows; else a refusal inside a container would say nothing.
func TestProbe(t *testing.T) {
	host.Watch(t)
	var stat unix.Statfs_t
	if err := unix.Statfs("/usr", &stat); err != nil {
		t.Fatal(err)
	}
	switch uint32(stat.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
	default:
		require.Missing(t, require.CapKernel, "ext4, xfs or btrfs at /usr")
	}
	if r, err := execute(probeCommand("open-by-handle"), startLimit); err != nil || r.code != 0 {
		t.Errorf("the probe reaches nothing from outside of a container: %v, %v", err, r)
	}
}

// TestEscape: each escape is refused, with firn-init and with systemd as PID 1.
func TestEscape(t *testing.T) {
	for _, payload := range []string{"init", "systemd"} {
		t.Run(payload, func(t *testing.T) {
			host.Watch(t)
			mark(t)
			submount(t)
			name, shell := "escape-"+payload, "/bin/sh"
			var c *container
			if payload == "init" {
				root := t.TempDir()
				installProbe(t, root)
				c = start(t, name, "-D", root, "--bind-ro=/nix", "--notify-ready=yes", profile(t, name)+"/init")
			} else {
				root := rootfs.Debian(t)
				installProbe(t, root)
				store(t)
				c = start(t, name, "-D", root, "--bind-ro=/nix", "--notify-ready=yes", "-b")
			}
			c.ready()
			if works := inside(t, name, shell, "-c", "mkdir -p /tmp/a && mount -t tmpfs t /tmp/a && echo >/tmp/a/b && umount /tmp/a"); works.code != 0 {
				t.Errorf("root inside cannot even mount a tmpfs, so that refusals mean little: %v", works)
			}
			command := []string{shell, "-c"}
			if payload == "systemd" { // what runs inside by itself, not by firn's hand
				command = append([]string{"systemd-run", "--quiet", "--wait", "--pipe"}, command...)
			}
			for _, e := range onlyUserNamespace {
				if _, err := os.Stat("/proc/sysrq-trigger"); err != nil {
					t.Logf("%s: this kernel has no sysrq-trigger", e.name)
				} else if r := inside(t, name, append(command, "export PATH=/run/current-system/sw/bin:$PATH\n"+e.script)...); r.code != 0 {
					t.Errorf("refused, so it belongs to escapes: %s\n%v", e.name, r)
				}
			}
			for _, e := range escapes {
				t.Run(e.name, func(t *testing.T) {
					script := strings.ReplaceAll(e.script, "@hostpid@", strconv.Itoa(os.Getpid()))
					r := inside(t, name, append(command, "export PATH=/run/current-system/sw/bin:$PATH\n"+script)...)
					switch r.code {
					case 0:
						t.Errorf("done from inside: %s\n%v", e.name, r)
					case 126, 127: // the shell's, for a program that cannot be run
						t.Errorf("not tried: %s\n%v", e.name, r)
					default:
						t.Logf("refused: %v", r)
					}
				})
			}
			if written, _ := filepath.Glob("/nix/store/firn-probe"); len(written) > 0 {
				t.Error("the host's store was written to")
				_ = os.Remove(written[0])
			}
			for _, problem := range strayDescriptors(t, leader(name)) {
				t.Error(problem)
			}
			if code := c.stop(); code != 0 {
				t.Errorf("exit code %d, want 0", code)
			}
		})
	}
}

// mark puts a file into the host's root by which it is known.
func mark(t *testing.T) {
	t.Helper()
	if err := os.WriteFile("/"+hostMarker, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove("/" + hostMarker) })
}

// submount mounts something below /nix.
func submount(t *testing.T) {
	t.Helper()
	store(t)
	const dir = "/nix/store/submount"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Error(err)
		}
	})
	mountTmpfs(t, dir)
}

// strayDescriptors lists the open files of a container's PID 1 that stand on no
// mount of its own mount namespace.
func strayDescriptors(t *testing.T, pid int) []string {
	t.Helper()
	if pid == 0 {
		return []string{"no PID 1 to look at"}
	}
	own := mountNumbers(t, pid)
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var stray []string
	for _, entry := range entries {
		link, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		number := mountNumber(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, entry.Name()))
		anonymous := !strings.HasPrefix(link, "/") // pipe:[1], socket:[1], anon_inode:...
		if !anonymous && !slices.Contains(own, number) {
			stray = append(stray, fmt.Sprintf("descriptor %s of PID 1 leads outside: %s", entry.Name(), link))
		}
	}
	return stray
}

func mountNumbers(t *testing.T, pid int) []string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		t.Fatal(err)
	}
	var numbers []string
	for line := range strings.Lines(string(text)) {
		number, _, _ := strings.Cut(line, " ")
		numbers = append(numbers, number)
	}
	return numbers
}

func mountNumber(fdinfo string) string {
	text, _ := os.ReadFile(fdinfo)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "mnt_id:"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
