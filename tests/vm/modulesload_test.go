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

// A long list is loaded in less time than systemd-modules-load takes, in the same
// machine. The lesser of two runs counts on either side.
func TestModulesLoadSpeed(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		m, _ := diskHost(t, label)
		m.Modules = strings.Fields(listed)
		m.Files = append(m.Files, File{Path: "/vm/list.conf", Text: strings.ReplaceAll(listed, " ", "\n") + "\n"})
		g := Start(t, m)
		least := func(argv ...string) time.Duration {
			var best time.Duration
			for range 2 {
				unload(g)
				out := g.Run(argv...)
				if out.Status != 0 {
					t.Fatalf("%v: %v", argv, out)
				}
				if best == 0 || out.Took < best {
					best = out.Took
				}
			}
			return best
		}
		theirs := least("/lib/systemd/systemd-modules-load", "/vm/list.conf")
		count := len(g.Modules())
		ours := least("/vm/firn-kmod", "modules-load", "/vm/list.conf")
		if got := len(g.Modules()); got != count {
			t.Errorf("%d modules are loaded, systemd-modules-load loads %d", got, count)
		}
		t.Logf("%d modules: firn-kmod %v, systemd-modules-load %v, ratio %.2f", count, ours, theirs, float64(ours)/float64(theirs))
		if ours > theirs {
			t.Errorf("firn-kmod takes %v, systemd-modules-load %v", ours, theirs)
		}
	})
}

// unload removes every module that nothing uses, until none goes any more.
func unload(g *Guest) {
	g.tb.Helper()
	g.Shell(`while left=$(awk '$3 == 0 {print $1}' /proc/modules | grep -v -x -e overlay -e autofs4 -e ext4 -e virtio_blk)
		[ -n "$left" ] && [ "$left" != "$before" ]
		do before=$left; /vm/firn-kmod rmmod $left 2>/dev/null; done; true`)
}
