package sysctl

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/cgroups"
	"firn/tests/require"
)

// A shell in the guarded cgroup reads a parameter and may not write it, through
// whatever procfs; one outside may.
func TestGuard(t *testing.T) {
	require.Root(t)
	host, err := cgroups.Discover()
	if err != nil {
		t.Fatal(err)
	}
	var v2 string
	for _, h := range host.Hierarchies {
		if h.V2 {
			v2 = h.MountPoint
		}
	}
	if v2 == "" {
		t.Skip("no cgroup v2 on this host")
	}
	dir, err := os.MkdirTemp(v2, "firn-guard-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := Guard(dir); err != nil {
		t.Fatal(err)
	}
	// The value is written back as it was: nothing changes should it succeed.
	script := `echo 0 > "$1/cgroup.procs" 2>/dev/null; cat /proc/sys/kernel/printk_ratelimit &&
		mount -t proc proc "$2" && cat "$2/sys/kernel/printk_ratelimit" > "$2/sys/kernel/printk_ratelimit"`
	for _, tc := range []struct {
		cgroup  string
		refused bool
	}{{dir, true}, {filepath.Join(v2, "none"), false}} {
		out, err := exec.Command("unshare", "-m", "sh", "-c", script, "sh", tc.cgroup, t.TempDir()).CombinedOutput()
		refused := strings.Contains(string(out), "Operation not permitted")
		if refused != tc.refused || (err != nil) != tc.refused {
			t.Errorf("in %s: %v\n%s", tc.cgroup, err, out)
		}
	}
}
