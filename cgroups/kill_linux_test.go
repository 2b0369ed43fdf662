package cgroups

import (
	"syscall"
	"testing"
	"time"
)

// forkStorm makes processes faster than one listing after the other sees them.
const forkStorm = "while :; do (sleep 1000 &) ; (sleep 0.01; sleep 1000) & done"

func TestSystemKillForkStorm(t *testing.T) {
	noKill := func(string) error { return syscall.ENOENT }
	for _, how := range []string{"cgroup.kill", "freezer"} {
		t.Run(how, func(t *testing.T) {
			eachView(t, func(t *testing.T, h *Host, parent string) {
				if how == "freezer" {
					h.kill = noKill
					defer func() { h.kill = writeKill }()
				}
				path := parent + "/x.nspawn/system"
				ended := heldUntil(t, forkStorm, func(pid int) { join(t, h, path, pid) })
				within10s(t, "50 processes", func() bool {
					pids, err := h.Processes(parent)
					return err == nil && len(pids) > 50
				})
				start := time.Now()
				if err := h.Kill(parent + "/x.nspawn"); err != nil {
					t.Fatal(err)
				}
				t.Logf("killed in %v", time.Since(start).Round(time.Millisecond))
				if pids, err := h.Processes(parent); err != nil || len(pids) != 0 {
					t.Errorf("left: %v, %v", pids, err)
				}
				select {
				case <-ended:
				case <-time.After(5 * time.Second):
					t.Error("the storm's shell lives")
				}
			})
		})
	}
}

// A payload may leave v2, where the kernel kills a cgroup as a whole, and
// stay in v1.
func TestSystemKillInOneHierarchy(t *testing.T) {
	whole := discover(t)
	if whole.Mode != Hybrid {
		t.Skip("no host with v1 and v2")
	}
	for _, hr := range whole.Hierarchies {
		t.Run(hr.String(), func(t *testing.T) {
			parent := testParent(t, whole)
			if err := whole.Create(parent + "/a"); err != nil {
				t.Fatal(err)
			}
			pid, ended := spawn(t, nil, "sleep", "1000")
			if err := (place{dir: hr.Dir(parent + "/a")}).add(pid); err != nil {
				t.Fatal(err)
			}
			if err := whole.Kill(parent); err != nil {
				t.Fatal(err)
			}
			<-ended
		})
	}
}

func TestSystemKillFrozen(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		path := parent + "/a/b"
		pid, ended := spawn(t, nil, "sleep", "1000")
		join(t, h, path, pid)
		for _, p := range h.places(path) {
			if p.hierarchy.V2 {
				_ = writeValue(p.dir, "cgroup.freeze", "1")
			} else if p.hierarchy.Has("freezer") {
				_ = writeValue(p.dir, "freezer.state", "FROZEN")
			}
		}
		if err := h.Kill(parent); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil || err.Error() != "signal: killed" {
			t.Errorf("ended with %v, want signal: killed", err)
		}
	})
}
