//go:build root

package root_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// settings writes a settings file for a container; the test's end removes it.
func settings(t *testing.T, name, text string) {
	t.Helper()
	const dir = "/etc/systemd/nspawn"
	if _, err := os.Stat(dir); err != nil {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Remove(dir) })
	}
	file := filepath.Join(dir, name+".nspawn")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(file) })
}

// forgetLogs removes the console logs that the test makes; firn keeps them.
func forgetLogs(t *testing.T) {
	t.Helper()
	const dir = "/var/log/firn"
	before, err := os.ReadDir(dir)
	fresh := err != nil
	t.Cleanup(func() {
		after, _ := os.ReadDir(dir)
		for _, entry := range after {
			if !slices.ContainsFunc(before, func(old os.DirEntry) bool { return old.Name() == entry.Name() }) {
				_ = os.Remove(filepath.Join(dir, entry.Name()))
			}
		}
		if fresh {
			_ = os.Remove(dir)
		}
	})
}

// forceStop ends a container that a test which failed leaves in the background.
func forceStop(t *testing.T, name string) {
	t.Cleanup(func() {
		if leader(name) != 0 {
			t.Errorf("container %s still runs when its test is over", name)
			firn(t, "stop", name, "--timeout", "1s", "--force")
		}
	})
}

// TestStart: on a host without systemd a container is started in the background
// from its settings, is ready when start returns, can be restarted, entered,
// read and stopped.
func TestStart(t *testing.T) {
	for _, c := range []struct{ name, settings string }{
		{"started-systemd", "[Exec]\nBoot=yes\n[Firn]\nRoot=" + "%s\n"},
		{"started-init", "[Exec]\nBoot=yes\n[Files]\nBindReadOnly=/nix\n[Firn]\nRoot=%s\nSystemPath=%s\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			host.Watch(t)
			forgetLogs(t)
			if c.name == "started-systemd" {
				settings(t, c.name, fmt.Sprintf(c.settings, rootfs.Debian(t)))
			} else {
				settings(t, c.name, fmt.Sprintf(c.settings, t.TempDir(), profile(t, c.name)))
			}
			forceStop(t, c.name)

			must(t, "start", c.name)
			if all := list(t); len(all) != 1 || all[0].State != "ready" {
				t.Errorf("after firn start: %+v, want it ready", all)
			}
			if again := firn(t, "start", c.name); again.code != 1 || !strings.Contains(again.stderr, "already") {
				t.Errorf("firn start of what runs: %v", again)
			}
			for _, args := range [][]string{{"exec", c.name, "/bin/sh", "-c", "echo from inside"}, {"exec", c.name, "--", "/bin/sh", "-c", "echo from inside"}} {
				if r := firn(t, args...); r.stdout != "from inside\n" || r.code != 0 {
					t.Errorf("firn %v: %v", args, r)
				}
			}
			if r := inside(t, c.name, "/bin/sh", "-c", "echo to stderr >&2; exit 9"); r.code != 9 || r.stderr != "to stderr\n" {
				t.Errorf("firn exec passes on: %v", r)
			}
			if logs := must(t, "logs", c.name); logs == "" {
				t.Error("firn logs shows nothing")
			}
			first := leader(c.name)
			must(t, "restart", c.name)
			if second := leader(c.name); second == 0 || second == first {
				t.Errorf("PID 1 is %d after firn restart, was %d", second, first)
			}
			must(t, "stop", c.name, "--timeout", "60s")
			if all := list(t); len(all) != 0 {
				t.Errorf("after firn stop: %+v", all)
			}
		})
	}
}

// TestStartFails: what goes wrong in the background is told in the foreground.
func TestStartFails(t *testing.T) {
	host.Watch(t)
	forgetLogs(t)
	for _, c := range []struct{ name, settings, want string }{
		{"no-root", "[Firn]\nRoot=/no/such/root\n", "/no/such/root"},
		{"no-program", "[Exec]\nParameters=/bin/no-such-program\n[Firn]\nRoot=" + rootfs.Debian(t) + "\n", "/bin/no-such-program"},
		{"bad-key", "[Exec]\nBoott=yes\n", "bad-key.nspawn:2"},
		{"not-ready", "[Exec]\nBoot=yes\n[Firn]\nRoot=" + brokenInit(t) + "\n", "not-ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			settings(t, c.name, c.settings)
			forceStop(t, c.name)
			oneError(t, firn(t, "start", c.name), c.want)
		})
	}
}

// brokenInit makes a root whose init ends at once.
func brokenInit(t *testing.T) string {
	t.Helper()
	root := rootfs.Debian(t)
	init := filepath.Join(root, "sbin/init")
	if err := os.Remove(init); err != nil {
		t.Fatal(err)
	}
	for _, systemd := range []string{"usr/lib/systemd/systemd", "lib/systemd/systemd"} {
		_ = os.Remove(filepath.Join(root, systemd)) // one is the other
	}
	if err := os.WriteFile(init, []byte("#!/bin/sh\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// TestStopTimeout: a container that does not halt is reported, and killed only
// when that is asked for.
func TestStopTimeout(t *testing.T) {
	host.Watch(t)
	const name = "stubborn"
	c := start(t, name, "-q", "-D", rootfs.Debian(t), "--kill-signal=SIGRTMIN+3",
		"/bin/sh", "-c", `trap "" TERM 37; echo ready; while :; do sleep 1; done`)
	c.await(startLimit, "its first line", func() bool { return c.says("ready") })
	begin := time.Now()
	r := firn(t, "stop", name, "--timeout", "300ms")
	if r.code != 4 || !strings.Contains(r.stderr, name) {
		t.Errorf("firn stop of what does not halt: %v, want exit code 4", r)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("firn stop --timeout 300ms took %v", took)
	}
	if leader(name) == 0 {
		t.Error("it was killed although that was not asked for")
	}
	if r := firn(t, "stop", name, "--timeout", "300ms", "--force"); r.code != 0 {
		t.Errorf("firn stop --force: %v", r)
	}
	if code := c.wait(stopLimit); code != 1 {
		t.Errorf("exit code %d of a container that was killed, want 1", code)
	}
}
