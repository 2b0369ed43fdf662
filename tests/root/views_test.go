//go:build root

package root_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// A view is what a host shows of its cgroups. Every command in it runs in mounts
// of its own, after the setup.
type view struct {
	name     string
	setup    string // shell
	file     string // of PID 1, as this test sees it
	payloads []string
}

var views = []view{
	{"unified", "umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup", "unified/machine/%s.nspawn/system/cgroup.procs", []string{"init", "systemd"}},
	// No systemd here: it would mount the v2 hierarchy, which is there although the
	// host does not show it, and stand in the host's cgroup of it.
	{"legacy", "umount /sys/fs/cgroup/unified", "systemd/machine/%s.nspawn/system/tasks", []string{"init"}},
}

// in returns a command that runs in the view.
func (v view) in(command ...string) *exec.Cmd {
	return exec.Command("unshare", append([]string{"--mount", "--propagation", "private",
		"sh", "-ec", v.setup + `; exec "$@"`, "sh"}, command...)...)
}

// TestViews: on a host that shows cgroup v2 alone, and on one with v1 alone, a NixOS-shaped system and a Debian start, stand where they should, are
// entered and halt.
func TestViews(t *testing.T) {
	for _, v := range views {
		if _, err := os.Stat("/sys/fs/cgroup/unified"); err != nil {
			if v.name == "legacy" {
				continue // nothing of v1 is here to be shown
			}
			v.file = strings.TrimPrefix(v.file, "unified/")
		}
		for _, payload := range v.payloads {
			t.Run(v.name+"-"+payload, func(t *testing.T) {
				host.Watch(t)
				name, firn := v.name+"-"+payload, program(t, "firn")
				args := []string{firn, "nspawn", "-q", "-M", name, "--notify-ready=yes"}
				if payload == "init" {
					args = append(args, "-D", t.TempDir(), "--bind-ro=/nix", profile(t, name)+"/init")
				} else {
					args = append(args, "-D", rootfs.Debian(t), "-b")
				}
				c := launch(t, name, v.in(args...))
				c.ready()
				v.standsAlone(t, name)
				see := func(command ...string) result {
					r, err := execute(v.in(append([]string{firn, "exec", name}, command...)...), startLimit)
					if err != nil {
						t.Fatal(err)
					}
					return r
				}
				if r := see("/bin/sh", "-c", "PATH=/run/current-system/sw/bin:$PATH; cat /proc/self/cgroup"); r.code != 0 || strings.Contains(r.stdout, ".nspawn") {
					t.Errorf("a command inside: %v", r)
				}
				if payload == "systemd" {
					if r := see("systemctl", "is-system-running", "--wait"); r.stdout != "running\n" {
						t.Errorf("systemctl is-system-running: %v", r)
					}
				}
				r, err := execute(v.in(firn, "stop", name, "--timeout", "60s"), stopLimit)
				if err != nil || r.code != 0 {
					t.Errorf("firn stop: %v, %v", err, r)
				}
				if code := c.wait(stopLimit); code != 0 {
					t.Errorf("exit code %d, want 0", code)
				}
			})
		}
	}
}

// standsAlone wants PID 1, and nothing else, in its cgroup or in systemd's
// init.scope below it. firn-init's threads leave it shortly after its start.
func (v view) standsAlone(t *testing.T, name string) {
	t.Helper()
	file := filepath.Join("/sys/fs/cgroup", fmt.Sprintf(v.file, name))
	scope := filepath.Join(filepath.Dir(file), "init.scope", filepath.Base(file))
	var pids []int
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if pids = append(numbersIn(file), numbersIn(scope)...); len(pids) == 1 && isFirst(pids[0]) {
			return
		}
	}
	t.Errorf("%s and %s hold %v, want PID 1 alone", file, scope, pids)
}
