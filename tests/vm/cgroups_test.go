//go:build vm

package vm

import (
	"strings"
	"testing"
)

// The package's own tests on pure cgroup v2 with real controllers.
func TestCgroupsPackage(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, Machine{Kernel: label, Files: []File{
			BuildTest(t, "firn/cgroups"),
			{Path: "/vm/cgroups/testdata", Source: "../../cgroups/testdata"},
		}})
		g.Shell("busybox --install -s /bin; mount -t cgroup2 cgroup2 /sys/fs/cgroup")
		out := g.Run("/bin/sh", "-c", "cd /vm/cgroups && FIRN_REQUIRE=root,cgroup /vm/cgroups.test -test.v")
		if out.Status != 0 || !strings.Contains(out.Stdout, "\nPASS\n") {
			t.Errorf("%v", out)
		}
	})
}
