//go:build vm

package vm

import (
	"strings"
	"testing"
	"time"
)

// listed are twenty names of a long modules-load.d, some 40 modules with what
// they need.
const listed = "btrfs dm_mod dm_crypt snd_seq loop tun bonding veth bridge vxlan wireguard nbd xfs nfs cifs overlay squashfs ip_tables nf_nat kvm"

// A list with good, missing, built in and blacklisted entries, CRLF and comments:
// the good ones are loaded, and nothing else is a failure.
func TestModulesLoad(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, Machine{
			Kernel:  label,
			Modules: []string{"dummy", "ifb", "tun", "uhid", "snd_seq", "nlmon"},
			Files: append(firnKmod(t),
				File{Path: "/etc/modules-load.d/a.conf", Text: "# comment\r\ndummy\r\n\r\n; another\r\nno_such_module\r\ntcp_cubic\r\nuhid\r\n"},
				File{Path: "/etc/modules-load.d/b.conf", Text: "ifb"},
				File{Path: "/etc/modules-load.d/masked.conf", Link: "/dev/null"},
				File{Path: "/usr/lib/modules-load.d/masked.conf", Text: "nlmon\n"},
				File{Path: "/etc/modprobe.d/test.conf", Text: "blacklist uhid\n"}),
			Cmdline: []string{"modules_load=tun,snd-seq"},
		})
		out := g.Run("firn-kmod", "modules-load", "-v")
		if out.Status != 0 {
			t.Errorf("modules-load: %v", out)
		}
		loaded(t, g, "dummy ifb tun snd_seq !uhid !nlmon")
		for _, want := range []string{
			"/etc/modules-load.d/a.conf:2: dummy: loaded\n",
			"/etc/modules-load.d/a.conf:5: no_such_module: missing\n",
			"/etc/modules-load.d/a.conf:6: tcp_cubic: built in\n",
			"/etc/modules-load.d/a.conf:7: uhid: blacklisted\n",
		} {
			if !strings.Contains(out.Stdout, want) {
				t.Errorf("no word of %q in:\n%s", want, out.Stdout)
			}
		}
		if out := g.Run("firn-kmod", "modules-load"); out.Status != 0 {
			t.Errorf("once more: %v", out)
		}
		if out := g.Run("firn-kmod", "modules-load", "/etc/none.conf"); out.Status != 1 || !strings.Contains(out.Stderr, "/etc/none.conf") {
			t.Errorf("an explicit file that is not there: %v", out)
		}
	})
}

// A long list is loaded in about the time that systemd-modules-load takes, in the same
// machine; the lesser of two runs counts on either side. The ratio is for reading:
// under emulation, on a busy machine, it swings by half, so what fails is a tool
// that has become another kind of slow.
func TestModulesLoadSpeed(t *testing.T) {
	const allowed = 2
	for _, label := range Kernels {
		t.Run(string(label), func(t *testing.T) {
			m, _ := diskHost(t, label)
			m.Modules = strings.Fields(listed)
			m.Files = append(m.Files, File{Path: "/vm/list.conf", Text: strings.ReplaceAll(listed, " ", "\n") + "\n"})
			g := Start(t, m)
			tools := [][]string{
				{"/lib/systemd/systemd-modules-load", "/vm/list.conf"},
				{"/vm/firn-kmod", "modules-load", "/vm/list.conf"},
			}
			var least [2]time.Duration
			var count [2]int
			for range 2 {
				for i, tool := range tools {
					unload(g)
					out := g.Run(tool...)
					if out.Status != 0 {
						t.Fatalf("%v: %v", tool, out)
					}
					if count[i] = len(g.Modules()); least[i] == 0 || out.Took < least[i] {
						least[i] = out.Took
					}
				}
			}
			ratio := float64(least[1]) / float64(least[0])
			t.Logf("%d modules: systemd-modules-load %v, firn-kmod %v, ratio %.2f", count[0], least[0], least[1], ratio)
			if count[0] != count[1] {
				t.Errorf("systemd-modules-load has loaded %d modules, firn-kmod %d", count[0], count[1])
			}
			if ratio > allowed {
				t.Errorf("firn-kmod takes %.2f of systemd-modules-load's time", ratio)
			}
		})
	}
}

// unload removes every module that nothing uses, until none goes any more.
func unload(g *Guest) {
	g.tb.Helper()
	g.Shell(`while left=$(awk '$3 == 0 {print $1}' /proc/modules | grep -v -x -e overlay -e autofs4 -e ext4 -e virtio_blk)
		[ -n "$left" ] && [ "$left" != "$before" ]
		do before=$left; /vm/firn-kmod rmmod $left 2>/dev/null; done; true`)
}
