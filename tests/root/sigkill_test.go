//go:build root

package root_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"firn/tests/host"

	"golang.org/x/sys/unix"
)

const killRounds = 100

// notRunning is firn's exit code for a container that does not run.
const notRunning = 3

// TestSIGKILL: the supervisor is killed at a random time of start, run or stop.
// If there is a container it lives on, and list, status and stop serve it;
// in the end nothing is left.
func TestSIGKILL(t *testing.T) {
	host.Watch(t)
	const name = "killed"
	root, system := t.TempDir(), profile(t, name)+"/init"
	lived := 0
	for round := range killRounds {
		cmd := command(t, "firn", "nspawn", "-q", "-M", name, "-D", root, "--bind-ro=/nix", system)
		out := &output{}
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stopping := round%3 == 2
		if stopping { // let it run, and kill the supervisor while it stops
			for deadline := time.Now().Add(startLimit); leader(name) == 0 && time.Now().Before(deadline); {
				time.Sleep(time.Millisecond)
			}
			_ = signalLeader(name, sigrtmin+3) // it may have ended with an error, which shows below
			time.Sleep(time.Duration(rand.Int64N(int64(10 * time.Millisecond))))
		} else {
			time.Sleep(time.Duration(rand.Int64N(int64(60 * time.Millisecond))))
		}
		_ = cmd.Process.Kill() // ended already: the round is a plain one
		_ = cmd.Wait()
		if served(t, name, round, out) {
			lived++
		}
	}
	t.Logf("%d of %d containers outlived their supervisor", lived, killRounds)
	if lived == 0 {
		t.Error("no container outlived its supervisor: was any killed while it ran?")
	}
	if listed := list(t); len(listed) != 0 {
		t.Errorf("firn list in the end: %+v", listed)
	}
}

// served looks whether the container outlived its supervisor and, if so, that
// firn still serves it, and ends it.
func served(t *testing.T, name string, round int, out *output) bool {
	t.Helper()
	pid := leader(name)
	all := list(t)
	if len(all) == 0 {
		// Gone, or never there: PID 1 must not run unseen.
		if pid = leader(name); pid != 0 {
			t.Fatalf("round %d: PID 1 %d runs, but firn list knows of nothing\n%s", round, pid, out)
		}
		return false
	}
	if r := firn(t, "status", name); r.code != 0 && leader(name) != 0 {
		t.Errorf("round %d: firn status: %v", round, r)
	}
	// It may end between two looks; then there is nothing to stop.
	if r := firn(t, "stop", name, "--timeout", "30s"); r.code != 0 && !(r.code == notRunning && leader(name) == 0) {
		t.Errorf("round %d: firn stop: %v\n%s", round, r, out)
	}
	if pid := leader(name); pid != 0 {
		t.Fatalf("round %d: PID 1 %d still runs after firn stop", round, pid)
	}
	return pid != 0
}

// TestStartOfSurvivor: a container that outlived its supervisor keeps its name
// and all that serves it, whoever tries to start another.
func TestStartOfSurvivor(t *testing.T) {
	host.Watch(t)
	const name = "survivor"
	args := []string{"nspawn", "-q", "-M", name, "-D", busyboxRoot(t), "/usr/bin/busybox", "sleep", "60"}
	cmd := command(t, "firn", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(startLimit); len(list(t)) == 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	must(t, "exec", name, "/usr/bin/busybox", "true") // it runs
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	oneError(t, firn(t, args...), "already running")
	must(t, "exec", name, "/usr/bin/busybox", "true")
	must(t, "stop", name)
}

// TestFullDisk: a state directory that is full or read-only is one clear error,
// and nothing is left.
func TestFullDisk(t *testing.T) {
	for _, c := range []struct {
		name, options string
		flags         uintptr
		fill          bool
		want          string
	}{
		{"full", "size=64k,nr_inodes=64", 0, true, "no space left on device"},
		{"read-only", "size=64k", unix.MS_RDONLY, false, "read-only file system"},
	} {
		t.Run(c.name, func(t *testing.T) {
			host.Watch(t)
			const dir = "/run/firn"
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unix.Mount("tmpfs", dir, "tmpfs", c.flags, c.options); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := unix.Unmount(dir, 0); err != nil {
					t.Error(err)
				}
			})
			if c.fill {
				fill(t, dir)
			}
			name := "disk-" + c.name
			r := firn(t, "nspawn", "-q", "-M", name, "-D", t.TempDir(), "--bind-ro=/nix", profile(t, name)+"/init")
			oneError(t, r, c.want)
			if c.fill {
				_ = os.Remove(dir + "/fill")
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left in %s: %v", dir, left)
			}
		})
	}
}

// fill writes to a file in dir until the disk is full.
func fill(t *testing.T, dir string) {
	t.Helper()
	file, err := os.Create(dir + "/fill")
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = fmt.Fprintf(file, "%4096d", 0)
	}
	if closeErr := file.Close(); closeErr != nil {
		t.Fatal(closeErr)
	}
}
