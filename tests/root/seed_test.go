//go:build root

package root_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// TestSeed: the command line and the shell script with which NixOS's containers
// began, character for character but for the program's path, start and halt a
// NixOS-shaped system in an empty directory with firn-init as PID 1.
func TestSeed(t *testing.T) {
	host.Watch(t)
	const name = "seed"
	system, root, bin := profile(t, name), filepath.Join(t.TempDir(), "root"), t.TempDir()
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program(t, "firn"), filepath.Join(bin, "systemd-nspawn")); err != nil {
		t.Fatal(err)
	}

	line := strings.Fields(rootfs.SeedExecStart(bin, name, root, system))
	c := launch(t, name, exec.Command(line[0], line[1:]...))
	c.ready()
	// The unit counts as started here; the rest is for a system that has booted.
	c.await(startLimit, "the state ready", func() bool {
		all := list(t)
		return len(all) == 1 && all[0].State == "ready"
	})

	pid := leader(name)
	if pid == 0 {
		t.Fatalf("no PID 1 in any of %v", leaderFiles(name))
	}
	c.alone()
	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); string(comm) != "init\n" {
		t.Errorf("PID 1 is %q (%v), want init", comm, err)
	}
	if _, err := os.Lstat(filepath.Join(root, "etc/os-release")); err != nil {
		t.Errorf("the root was not made usable: %v", err)
	}

	script, changed := rootfs.SeedPreStop(name)
	if changed {
		t.Log("no cgroup v1 name=systemd here: the script reads cgroup.procs of v2")
	}
	r, err := execute(exec.CommandContext(withTimeout(t, stopLimit), "bash", "-e", "-c", script), stopLimit)
	if err != nil || r.code != 0 {
		t.Fatalf("preStop: %v, %v", err, r)
	}
	if want := fmt.Sprintf("killing container systemd, PID = %d\n", pid); r.stdout != want {
		t.Errorf("preStop says %q, want %q", r.stdout, want)
	}
	if code := c.wait(stopLimit); code != 0 {
		t.Errorf("exit code %d after the halt, want 0", code)
	}
}
