package cgroups

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/require"
)

// limitChild is a Child over directories of plain files, as far as limits go.
func limitChild(t *testing.T, hierarchies ...Hierarchy) (*Child, string) {
	t.Helper()
	top := t.TempDir()
	c := &Child{own: make(map[string]string)}
	for i, hr := range hierarchies {
		own := filepath.Join(top, fmt.Sprint(i))
		dir := filepath.Join(own, "system.slice/x")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{own, filepath.Dir(dir), dir} {
			for _, f := range []string{"cgroup.subtree_control", "memory.max", "memory.limit_in_bytes", "pids.max", "cpu.max", "cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us", "io.weight"} {
				if err := os.WriteFile(filepath.Join(d, f), nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
		c.places = append(c.places, place{hierarchy: hr, dir: dir})
		c.own[dir] = own
	}
	return c, top
}

func ptr(v uint64) *uint64 { return &v }

func TestLimitFiles(t *testing.T) {
	t.Parallel()
	l := Limits{NoLimit: 1<<64 - 1, MemoryMax: ptr(1 << 20), PIDs: ptr(1<<64 - 1), CPUQuota: 50_000, CPUWeight: ptr(200)}
	v1, top := limitChild(t, Hierarchy{Controllers: []string{"memory"}}, Hierarchy{Controllers: []string{"cpu", "cpuacct"}}, Hierarchy{Controllers: []string{"pids"}})
	if err := v1.Limit(l); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"0/system.slice/x/memory.limit_in_bytes": "1048576", "1/system.slice/x/cpu.cfs_quota_us": "50000",
		"1/system.slice/x/cpu.cfs_period_us": "100000", "1/system.slice/x/cpu.shares": "2048", "2/system.slice/x/pids.max": "max",
	} {
		if got, err := os.ReadFile(filepath.Join(top, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", file, got, err, want)
		}
	}
	v2, top := limitChild(t, Hierarchy{V2: true})
	l.CPUWeight = nil
	if err := v2.Limit(l); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"0/system.slice/x/memory.max": "1048576", "0/system.slice/x/cpu.max": "50000 100000", "0/system.slice/x/pids.max": "max",
		// The last of the three; a plain file keeps the end of what was longer.
		"0/cgroup.subtree_control": "+cpusry", "0/system.slice/cgroup.subtree_control": "+cpusry", "0/system.slice/x/cgroup.subtree_control": "",
	} {
		if got, err := os.ReadFile(filepath.Join(top, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", file, got, err, want)
		}
	}
}

func TestLimitRefused(t *testing.T) {
	t.Parallel()
	c, top := limitChild(t, Hierarchy{Named: "systemd"}, Hierarchy{Controllers: []string{"memory"}})
	err := c.Limit(Limits{MemoryHigh: ptr(1), MemoryMax: ptr(4096), PIDs: ptr(3)})
	if !errors.Is(err, ErrNoController) || !strings.Contains(err.Error(), "pids.max") || !strings.Contains(err.Error(), "memory.high") {
		t.Errorf("error %v", err)
	}
	if got, err := os.ReadFile(filepath.Join(top, "1/system.slice/x/memory.limit_in_bytes")); err != nil || string(got) != "4096" {
		t.Errorf("the limit that can be set: %q, %v", got, err)
	}
}

// TestLimitKernel: the kernel takes what is written.
func TestLimitKernel(t *testing.T) {
	require.Root(t)
	h, err := Discover()
	if err != nil {
		require.Missing(t, require.CapCgroup, "cgroups")
	}
	c, err := h.Child(fmt.Sprintf("firn-limits-test-%d", os.Getpid()))
	if err != nil {
		require.Missing(t, require.CapCgroup, "a cgroup tree that can be written")
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Remove(context.Background()), c.Close()); err != nil {
			t.Error(err)
		}
	})
	err = c.Limit(Limits{NoLimit: 1<<64 - 1, MemoryMax: ptr(64 << 20), PIDs: ptr(7), CPUQuota: 20_000})
	if errors.Is(err, ErrNoController) {
		require.Missing(t, require.CapCgroup, "the controllers memory, pids and cpu")
	}
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range c.places {
		for file, want := range map[string]string{"pids.max": "7", "memory.limit_in_bytes": "67108864", "memory.max": "67108864", "cpu.cfs_quota_us": "20000"} {
			if got, err := readValue(p.dir, file); err == nil && got == want {
				found++
			}
		}
	}
	if found < 2 {
		t.Errorf("%d limits are in the kernel's files", found)
	}
}
