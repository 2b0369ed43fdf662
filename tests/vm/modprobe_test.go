//go:build vm

package vm

import (
	"strings"
	"testing"
)

const modprobeConf = `options loop max_loop=3
install nlmon /bin/busybox touch /tmp/nlmon-installed
remove nlmon /bin/busybox touch /tmp/nlmon-removed
softdep tun pre: ifb post: veth
blacklist uhid
alias my-device dummy
`

// What modprobe.d and the kernel's command line say takes effect.
func TestModprobeConfiguration(t *testing.T) {
	eachLoader(t, func(t *testing.T, label Label, l loader) {
		g := Start(t, Machine{
			Kernel:  label,
			Modules: []string{"loop", "nlmon", "tun", "ifb", "veth", "uhid", "dummy", "uinput"},
			Files:   append(l.files(t), File{Path: "/etc/modprobe.d/test.conf", Text: modprobeConf}),
			Cmdline: []string{"loop.max_part=7", "modprobe.blacklist=uinput"},
		})
		g.Write("/proc/sys/kernel/modprobe", helper)

		call{argv: "modprobe loop hw_queue_depth=64"}.check(t, g)
		for parameter, want := range map[string]string{"max_loop": "3\n", "max_part": "7\n"} {
			if got := g.Read("/sys/module/loop/parameters/" + parameter); got != want {
				t.Errorf("loop's %s is %q, want %q", parameter, got, want)
			}
		}
		if label == Linux612 { // 6.1 has the parameter too, but not readable as given
			if got := g.Read("/sys/module/loop/parameters/hw_queue_depth"); got != "64\n" {
				t.Errorf("loop's hw_queue_depth is %q", got)
			}
		}

		call{argv: "modprobe nlmon"}.check(t, g)
		loaded(t, g, "!nlmon")
		g.Must("busybox", "test", "-e", "/tmp/nlmon-installed")
		call{argv: "modprobe --ignore-install nlmon"}.check(t, g)
		loaded(t, g, "nlmon")
		call{argv: "modprobe -r nlmon"}.check(t, g)
		loaded(t, g, "nlmon")
		g.Must("busybox", "test", "-e", "/tmp/nlmon-removed")
		call{argv: "modprobe -r --ignore-remove nlmon"}.check(t, g)
		loaded(t, g, "!nlmon")

		call{argv: "modprobe my-device"}.check(t, g)
		loaded(t, g, "dummy")
		checkSoftdep(t, g)
		checkBlacklist(t, g)
	})
}

// checkSoftdep looks at the order of loading: /proc/modules has the newest first.
func checkSoftdep(t *testing.T, g *Guest) {
	t.Helper()
	call{argv: "modprobe tun"}.check(t, g)
	var order []string
	for line := range strings.Lines(g.Read("/proc/modules")) {
		switch name, _, _ := strings.Cut(line, " "); name {
		case "veth", "tun", "ifb":
			order = append(order, name)
		}
	}
	if got := strings.Join(order, " "); got != "veth tun ifb" {
		t.Errorf("loaded, newest first: %s; want veth tun ifb", got)
	}
}

// checkBlacklist: a blacklist stops aliases and, with -b, names; the kernel's own
// request comes by an alias.
func checkBlacklist(t *testing.T, g *Guest) {
	t.Helper()
	g.Shell("busybox mknod /dev/uhid c 10 239")
	if err := g.Open("/dev/uhid"); err == nil {
		t.Error("/dev/uhid opens although its module is blacklisted")
	}
	call{argv: "modprobe -b uhid"}.check(t, g)
	call{argv: "modprobe -b uinput"}.check(t, g)
	call{argv: "modprobe devname:uinput"}.check(t, g)
	loaded(t, g, "!uhid !uinput")
	call{argv: "modprobe uhid"}.check(t, g)
	loaded(t, g, "uhid !uinput")
}

// Loading and removing tell kmod's users what they are used to.
func TestModprobeMessages(t *testing.T) {
	eachLoader(t, func(t *testing.T, label Label, l loader) {
		g := Start(t, Machine{
			Kernel:  label,
			Modules: []string{"snd_seq", "overlay", "dummy"},
			Files:   l.files(t),
		})
		version := g.Hello.Kernel
		for _, c := range []call{
			{"modprobe nothing", 1, "", "modprobe: FATAL: Module nothing not found in directory /lib/modules/" + version + "\n"},
			{"modprobe -q nothing", 1, "", ""},
			{"modprobe -r nothing", 1, "", "modprobe: FATAL: Module nothing not found.\n"},
			{"modprobe -r dummy", 0, "", ""},
			{"rmmod nothing", 1, "", "rmmod: ERROR: Module nothing is not currently loaded\n"},
			{"insmod /none.ko", 1, "", "insmod: ERROR: could not load module /none.ko: No such file or directory\n"},
			{"modprobe dummy nonsense=1", 0, "", ""}, // the kernel only warns
			{"modprobe dummy", 0, "", ""},
			{"modprobe --first-time dummy", 1, "", "modprobe: ERROR: could not insert 'dummy': Module already in kernel\n"},
			{"modprobe snd_seq", 0, "", ""},
			{"rmmod snd_seq_device", 1, "", "rmmod: ERROR: Module snd_seq_device is in use by: snd_seq\n"},
			{"modprobe -r snd_seq_device", 1, "", "modprobe: FATAL: Module snd_seq_device is in use.\n"},
			{"modprobe -r snd_seq", 0, "", ""},
		} {
			c.check(t, g)
		}
		loaded(t, g, "dummy !snd_seq !snd_seq_device")
		g.Must("modprobe", "overlay")
		g.Shell("mkdir /mnt /tmp/u /tmp/w; mount -t overlay -o lowerdir=/etc,upperdir=/tmp/u,workdir=/tmp/w o /mnt")
		call{"rmmod overlay", 1, "", "rmmod: ERROR: Module overlay is in use\n"}.check(t, g)
		call{"modprobe -r overlay", 1, "", "modprobe: FATAL: Module overlay is in use.\n"}.check(t, g)
		g.Must("busybox", "umount", "/mnt")
		call{argv: "modprobe -r overlay"}.check(t, g)
		loaded(t, g, "!overlay")
	})
}
