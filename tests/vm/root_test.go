//go:build vm

package vm

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firn/tests/require"
	"firn/tests/rootfs"
	"firn/tests/vm/wire"
)

// onUnified are the tests of rung 3 that a machine of pure cgroup v2 must pass as
// well. Those of many rounds are left to the host: emulation is 30 times slower.
const onUnified = "^Test(Seed|Debian|Exit|Killed|PowerOff|RebootInit|KeepUnit|Escape|BadInput|Twice|ContainerInterface|List|Start)$"

// Rung 3 on pure cgroup v2, with firn-init as the machine's PID 1.
func TestRootOnUnified(t *testing.T) {
	t.Parallel()
	cached, err := rootfs.DebianDir()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := diskHost(t, Linux612)
	m.DiskInit = []string{"/vm/firn-init", "--boot", wire.Agent, "serve"}
	m.Load = append(m.Load, "veth", "bridge")
	m.Files = append(m.Files, BuildTest(t, "firn/tests/root", "root"), File{Path: "/vm/disk/usr/bin/busybox", Source: require.Program(t, "busybox")})
	g := Start(t, m)
	layRoots(g)
	// The private host of these tests has its own /run, and makes layers in /tmp,
	// for which an overlay will not do.
	cache := "/mnt/roots/" + filepath.Base(cached)
	g.Shell("mount -t tmpfs tmpfs /tmp; mkdir -p " + cache + "; mount --bind /run/c/lower " + cache)
	res := g.Do(wire.Request{
		Op:    wire.Run,
		Argv:  []string{"/vm/root.test", "-test.v", "-test.run", onUnified},
		Env:   []string{"FIRN_BIN=/vm", "FIRN_CACHE=/mnt", "FIRN_REQUIRE=root,cgroup,file"},
		Limit: 10 * time.Minute,
	})
	if res.Err() != nil || res.Status != 0 || !strings.Contains(string(res.Stdout), "\nPASS\n") {
		t.Errorf("%v: status %d\n%s%s", res.Err(), res.Status, res.Stdout, res.Stderr)
	}
	t.Logf("took %v in the machine", res.Took)
}
