package require

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Cgroup needs a mounted cgroup tree in which this process may make cgroups.
func Cgroup(tb testing.TB) {
	tb.Helper()
	for _, dir := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"} {
		var stat unix.Statfs_t
		if err := unix.Statfs(dir, &stat); err != nil || !isCgroup(stat.Type) {
			continue
		}
		probe, err := os.MkdirTemp(dir, "firn-probe-")
		if err != nil {
			continue
		}
		if err := os.Remove(probe); err != nil {
			tb.Errorf("remove cgroup probe: %v", err)
		}
		return
	}
	Missing(tb, CapCgroup, "a writable cgroup tree in /sys/fs/cgroup")
}

func isCgroup(magic int64) bool {
	return magic == unix.CGROUP_SUPER_MAGIC || magic == unix.CGROUP2_SUPER_MAGIC
}
