package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
	"firn/init/internal/signals"
	"firn/tests/require"
)

// TestAlone: on v1 the tasks file of PID 1's cgroup, and everywhere its cgroup.procs, holds PID 1 alone while its
// service runs; in command mode under firn too.
func TestAlone(t *testing.T) {
	t.Parallel()
	require.Root(t)
	require.Cgroup(t)
	for name, argv := range map[string][]string{"boot": bootLine(stay...), "command": append([]string{"firn-init"}, stay[1:]...)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			shim := newShim(t, root)
			dirs := newCgroups(t)
			mounts := append(cgroupMounts(dirs), shim.mount)
			c := start(t, root, config{stage: stage{Mounts: mounts, Cgroups: dirs, MakeDirs: true}}, argv...)
			shim.accept(c)
			shim.until(handoff.Ready)
			c.says("service up")
			for range 20 { // while it works
				c.signal(unix.SIGWINCH)
				time.Sleep(5 * time.Millisecond)
				alone(t, dirs, c.cmd.Process.Pid)
			}
			c.signal(signals.RTMin + 13)
			c.wait()
		})
	}
}

// cgroupMounts are those of a container that sees the hierarchies of dirs.
func cgroupMounts(dirs []string) []stageMount {
	mounts := []stageMount{proc, {Source: "sysfs", Target: "sys", Type: "sysfs"}, {Source: "tmpfs", Target: "sys/fs/cgroup", Type: "tmpfs"}}
	for _, dir := range dirs {
		if filepath.Base(filepath.Dir(dir)) == "systemd" {
			mounts = append(mounts, stageMount{Source: "cgroup", Target: "sys/fs/cgroup/systemd", Type: "cgroup", Data: "none,name=systemd"})
			continue
		}
		mounts = append(mounts, stageMount{Source: "cgroup2", Target: "sys/fs/cgroup/unified", Type: "cgroup2"})
	}
	return mounts
}

func alone(t *testing.T, dirs []string, pid int) {
	t.Helper()
	for _, dir := range dirs {
		for _, file := range []string{"tasks", "cgroup.procs"} {
			text, err := os.ReadFile(filepath.Join(dir, file))
			if os.IsNotExist(err) && file == "tasks" {
				continue // v2
			}
			if want := fmt.Sprintf("%d\n", pid); err != nil || string(text) != want {
				t.Fatalf("%s/%s holds %q, %v, want %q", dir, file, text, err, want)
			}
		}
	}
}
