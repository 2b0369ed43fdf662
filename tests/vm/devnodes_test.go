//go:build vm

package vm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Static nodes stand before their modules are loaded; opening one loads it.
func TestStaticNodesLoadOnDemand(t *testing.T) {
	eachLoader(t, func(t *testing.T, label Label, l loader) {
		g := Start(t, Machine{
			Kernel:  label,
			Modules: []string{"fuse", "snd_seq", "loop", "tun", "uinput", "overlay"},
			Files: append(l.files(t),
				File{Path: "/vm/nodes", Source: Build(t, "./nodes")},
				File{Path: "/etc/group", Text: "root:x:0:\naudio:x:29:\ndisk:x:6:\n"}),
		})
		g.Write("/proc/sys/kernel/modprobe", helper)
		g.Must("/vm/nodes")
		checkNodes(t, g)
		openNodes(t, g)
		if err := g.Open("/dev/absent"); err == nil || !strings.HasSuffix(err.Error(), "no such device") {
			t.Errorf("a node without a driver: %v", err)
		}
		g.Shell("mkdir /tmp/up /tmp/work && mount -t overlay -o lowerdir=/etc,upperdir=/tmp/up,workdir=/tmp/work none /mnt")
		if !g.Modules()["overlay"] {
			t.Error("mount did not load overlay")
		}
	})
}

func checkNodes(t *testing.T, g *Guest) {
	t.Helper()
	g.Shell("busybox mknod /dev/absent c 10 250; busybox mkdir /mnt")
	got := g.Must("busybox", "stat", "-c", "%n %A %u:%g %t:%T",
		"/dev/fuse", "/dev/snd/seq", "/dev/loop-control", "/dev/net/tun", "/dev/uinput", "/dev/snd")
	const want = `/dev/fuse crw-rw-rw- 0:0 a:e5
/dev/snd/seq crw-rw---- 0:29 74:1
/dev/loop-control crw-rw---- 0:6 a:ed
/dev/net/tun crw-rw-rw- 0:0 a:c8
/dev/uinput crw------- 0:0 a:df
/dev/snd drwxr-xr-x 0:0 0:0
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// openNodes opens nodes in turn and looks at what each has loaded.
func openNodes(t *testing.T, g *Guest) {
	t.Helper()
	builtin := g.Shell("cat /lib/modules/*/modules.builtin")
	for _, n := range []struct{ node, module string }{
		{"/dev/fuse", "fuse"}, {"/dev/snd/seq", "snd_seq"}, {"/dev/loop-control", "loop"},
		{"/dev/net/tun", "tun"}, {"/dev/uinput", "uinput"},
	} {
		if g.Run("busybox", "test", "-e", n.node).Status != 0 {
			continue // not among the machine's modules
		}
		if strings.Contains(builtin, "/"+n.module+".ko") {
			if err := g.Open(n.node); err != nil {
				t.Error(err)
			}
			continue
		}
		if g.Modules()[n.module] {
			t.Errorf("%s is loaded before %s is opened", n.module, n.node)
		}
		if err := g.Open(n.node); err != nil {
			t.Error(err)
		}
		if !g.Modules()[n.module] {
			t.Errorf("opening %s did not load %s", n.node, n.module)
		}
	}
}

// The package's own tests, as root on other kernels than the one that builds.
func TestDevnodesPackage(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, Machine{Kernel: label, Files: []File{
			BuildTest(t, "firn/devnodes"),
			{Path: "/vm/devnodes/testdata", Source: "../../devnodes/testdata"},
		}})
		out := g.Shell("cd /vm/devnodes && FIRN_REQUIRE=root /vm/devnodes.test -test.v")
		if !strings.Contains(out, "--- PASS: TestApplyUserNamespace") {
			t.Errorf("the tests have not run:\n%s", out)
		}
	})
}
