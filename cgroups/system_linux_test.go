package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/tests/require"
)

// These tests need root and real cgroups. Each works below a parent of its
// own and runs on every view of this host that can be had: as it is, its v1
// part, its v2 part; TestUnifiedMount runs them again where v2 alone is mounted.

func discover(t *testing.T) *Host {
	t.Helper()
	require.Root(t)
	require.Cgroup(t)
	h, err := Discover()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// eachView runs test on this host, and on what it would be with v1 or v2 alone.
func eachView(t *testing.T, test func(t *testing.T, h *Host, parent string)) {
	t.Helper()
	whole := discover(t)
	views := map[string]*Host{whole.Mode.String(): whole}
	if whole.Mode == Hybrid {
		v1, v2 := *whole, *whole
		v1.Mode, v2.Mode = Legacy, Unified
		v1.Hierarchies = slices.DeleteFunc(slices.Clone(whole.Hierarchies), func(hr Hierarchy) bool { return hr.V2 })
		v2.Hierarchies = slices.DeleteFunc(slices.Clone(whole.Hierarchies), func(hr Hierarchy) bool { return !hr.V2 })
		views["v1 of hybrid"], views["v2 of hybrid"] = &v1, &v2
	}
	for name, h := range views {
		t.Run(name, func(t *testing.T) { test(t, h, testParent(t, whole)) })
	}
}

var parents int

// testParent is a cgroup path that is removed with all in it, on every path
// out of the test.
func testParent(t *testing.T, whole *Host) string {
	t.Helper()
	parents++
	parent := fmt.Sprintf("/firn-cgroups-test-%d-%d", os.Getpid(), parents)
	t.Cleanup(func() {
		if err := whole.Kill(parent); err != nil {
			t.Errorf("clean up: %v", err)
		}
		if err := whole.Remove(context.Background(), parent); err != nil {
			t.Errorf("clean up: %v", err)
		}
		if whole.Exists(parent) {
			t.Errorf("%s is left over", parent)
		}
	})
	return parent
}

// spawn starts a program and reaps it when it ends.
func spawn(t *testing.T, attr *syscall.SysProcAttr, argv ...string) (pid int, ended <-chan error) {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // gone already, mostly
	})
	return cmd.Process.Pid, done
}

// heldUntil starts a shell that begins with the script only when ready has
// returned: what it does before counts for the cgroup that it comes from.
func heldUntil(t *testing.T, script string, ready func(pid int)) (ended <-chan error) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "read x; "+script)
	release, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready(cmd.Process.Pid)
	if _, err := io.WriteString(release, "go\n"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return done
}

func join(t *testing.T, h *Host, path string, pid int) {
	t.Helper()
	if err := h.Join(path, pid); err != nil {
		t.Fatal(err)
	}
}

// within10s waits for what the kernel tells nobody of.
func within10s(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("not within 10 s: %s", what)
}

func TestSystemLeader(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		l := Layout{Parent: parent, Name: "web"}
		if _, err := h.Leader(l); !errors.Is(err, ErrNoLeader) {
			t.Errorf("before the start: %v, want ErrNoLeader", err)
		}
		// PID 1 of a namespace, and a child in the same cgroup.
		pid, ended := spawn(t, &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS},
			"/bin/sh", "-c", "while :; do sleep 1000; done")
		join(t, h, l.Payload(), pid)
		stray, _ := spawn(t, nil, "sleep", "1000")
		join(t, h, l.Payload(), stray)
		if got, err := h.Leader(l); err != nil || got != pid {
			t.Errorf("in system: %d, %v, want %d", got, err, pid)
		}
		join(t, h, l.Payload()+"/init.scope", pid)
		if got, err := h.Leader(l); err != nil || got != pid {
			t.Errorf("in init.scope: %d, %v, want %d", got, err, pid)
		}
		if names, err := h.Containers(parent); err != nil || !slices.Equal(names, []string{"web"}) {
			t.Errorf("Containers: %q, %v", names, err)
		}
		if pids, err := h.Processes(l.Container()); err != nil || !slices.Contains(pids, pid) || !slices.Contains(pids, stray) {
			t.Errorf("Processes: %v, %v, want %d and %d in it", pids, err, pid, stray)
		}
		if err := h.Kill(l.Container()); err != nil {
			t.Fatal(err)
		}
		<-ended
		if _, err := h.Leader(l); !errors.Is(err, ErrNoLeader) {
			t.Errorf("after the end: %v, want ErrNoLeader", err)
		}
	})
}

func TestSystemKillSparesCaller(t *testing.T) {
	if os.Getenv("FIRN_TEST_SELF") == "" {
		discover(t)
		// In a process of its own, since it moves itself.
		reexec(t, "TestSystemKillSparesCaller", 0, "FIRN_TEST_SELF=1")
		return
	}
	h := discover(t)
	memberships, err := h.memberships(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	parent := testParent(t, h)
	// Back out before testParent's clean-up looks at what is left.
	t.Cleanup(func() {
		for _, hr := range h.Hierarchies {
			own, err := hr.own(memberships)
			if err != nil {
				continue
			}
			if err := (place{dir: hr.Dir(own)}).add(os.Getpid()); err != nil {
				t.Errorf("move back: %v", err)
			}
		}
	})
	l := Layout{Parent: parent, Name: "web"}
	if err := h.MoveSelf(l.Supervisor()); err != nil {
		t.Fatal(err)
	}
	if own, err := h.Own(os.Getpid()); err != nil || own != l.Supervisor() {
		t.Errorf("Own: %q, %v, want %s", own, err, l.Supervisor())
	}
	pid, ended := spawn(t, nil, "sleep", "1000")
	join(t, h, l.Payload(), pid)
	if err := h.Kill(parent); !errors.Is(err, ErrSelf) {
		t.Errorf("Kill of our own cgroup: %v, want ErrSelf", err)
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("a refused Kill killed: %v", err)
	}
	if err := h.Kill(l.Container()); err != nil {
		t.Error(err)
	}
	<-ended
}

func TestSystemStats(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		path := parent + "/x.nspawn/system"
		var busy int
		heldUntil(t, "x=$(head -c 8000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; exec sleep 1000",
			func(pid int) { busy = pid; join(t, h, path, pid) })
		within10s(t, "the loop's end", func() bool {
			comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", busy))
			return err == nil && string(comm) == "sleep\n"
		})
		s, err := h.Stats(parent)
		if err != nil {
			t.Fatal(err)
		}
		if s.CPU.Usage == nil || *s.CPU.Usage <= 0 {
			t.Errorf("CPU usage %v of a busy process", s.CPU.Usage)
		}
		for _, f := range []struct {
			controller, v1, v2 string
			got                *uint64
		}{
			{"memory", "memory.usage_in_bytes", "memory.current", s.Memory.Current},
			{"memory", "memory.max_usage_in_bytes", "memory.peak", s.Memory.Peak},
			{"pids", "pids.current", "pids.current", s.PIDs.Current},
		} {
			hr, ok := h.carrier(f.controller)
			if !ok {
				t.Fatalf("no hierarchy for %s", f.controller)
			}
			name := f.v1
			if hr.V2 {
				name = f.v2
			}
			data, err := os.ReadFile(filepath.Join(hr.Dir(parent), name))
			if os.IsNotExist(err) != (f.got == nil) {
				t.Errorf("%s: %v, but the file: %v", name, f.got, err)
			}
			if err != nil || f.got == nil {
				continue
			}
			// The process sleeps; the kernel may still settle its batches.
			want, err := strconv.ParseUint(strings.TrimSpace(string(data)), 10, 64)
			if diff := int64(*f.got) - int64(want); err != nil || diff > 1<<20 || -diff > 1<<20 {
				t.Errorf("%s: %d, the file: %d, %v", name, *f.got, want, err)
			}
			if *f.got == 0 {
				t.Errorf("%s: 0 with a process in it", name)
			}
		}
	})
}

func TestSystemEnableControllers(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		path := parent + "/x.nspawn/system"
		if err := h.Create(path); err != nil {
			t.Fatal(err)
		}
		have, err := h.EnableControllers(parent, path)
		hr, ok := h.v2()
		if !ok {
			if have != nil || err != nil {
				t.Errorf("without v2: %q, %v", have, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := readValue(hr.Dir(parent), "cgroup.controllers")
		if err != nil || strings.Join(have, " ") != want {
			t.Errorf("controllers %q, %v, want those of the parent %q", have, err, want)
		}
		var bad *PathError
		if _, err := h.EnableControllers(path, parent); !errors.As(err, &bad) {
			t.Errorf("path above top: %v, want a PathError", err)
		}
	})
}

// reexec runs one test of this binary again in a process of its own.
func reexec(t *testing.T, test string, flags uintptr, env ...string) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^("+test+")$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: flags}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s in a process of its own: %v\n%s", test, err, out)
	}
	if !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%s ran nothing:\n%s", test, out)
	}
}

// TestUnifiedMount runs the tests above where cgroup2 alone is mounted, at
// the place where a v2 host has it.
func TestUnifiedMount(t *testing.T) {
	h := discover(t)
	if h.Mode == Unified {
		t.Log("this host is unified: the tests above ran so")
		return
	}
	reexec(t, "TestInUnifiedMount|TestSystem.*", unix.CLONE_NEWNS, "FIRN_TEST_UNIFIED=1")
}

func TestMain(m *testing.M) {
	if os.Getenv("FIRN_TEST_UNIFIED") != "" && os.Getenv("FIRN_TEST_SELF") == "" {
		if err := mountUnified(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// mountUnified leaves v2 alone below /sys/fs/cgroup, in the private mount
// namespace that the parent made.
func mountUnified() error {
	// Lazily and with all below, as another test may have files open there.
	if err := unix.Unmount(cgroupDir, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount %s: %w", cgroupDir, err)
	}
	if err := unix.Mount("cgroup2", cgroupDir, "cgroup2", 0, ""); err != nil {
		return fmt.Errorf("mount cgroup2: %w", err)
	}
	return nil
}

func TestInUnifiedMount(t *testing.T) {
	if os.Getenv("FIRN_TEST_UNIFIED") == "" {
		t.Skip("runs below TestUnifiedMount")
	}
	h := discover(t)
	if h.Mode != Unified || len(h.Hierarchies) != 1 || h.Hierarchies[0].MountPoint != cgroupDir {
		t.Errorf("mode %v, hierarchies %+v, want v2 alone at %s", h.Mode, h.Hierarchies, cgroupDir)
	}
}
