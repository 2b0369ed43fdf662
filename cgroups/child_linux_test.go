package cgroups

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newChild is a Child below the test's own cgroup, gone after the test.
func newChild(t *testing.T, h *Host, name string) *Child {
	t.Helper()
	c, err := h.Child(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Kill(), c.Remove(context.Background()), c.Close()); err != nil {
			t.Errorf("clean up: %v", err)
		}
		for _, p := range c.places {
			if isDir(p.dir) {
				t.Errorf("%s is left over", p.dir)
			}
		}
	})
	return c
}

// bornIn starts cat in the Child by way of os/exec, and returns what it saw
// of its cgroups. Cat never runs anywhere else, so this is where it was born.
func bornIn(t *testing.T, c *Child, noClone bool) []Membership {
	t.Helper()
	var out bytes.Buffer
	var cmd *exec.Cmd
	attempts := 0
	pid, err := c.Start(func(enter func(*syscall.SysProcAttr)) (int, error) {
		attempts++
		out.Reset()
		// Cat waits for its end of input: it is moved by then, if it must be.
		cmd = exec.Command("/bin/sh", "-c", "read x; exec cat /proc/self/cgroup")
		cmd.Stdout = &out
		cmd.SysProcAttr = &syscall.SysProcAttr{}
		enter(cmd.SysProcAttr)
		if noClone && cmd.SysProcAttr.UseCgroupFD {
			return 0, &os.PathError{Op: "fork/exec", Path: cmd.Path, Err: syscall.ENOSYS}
		}
		if !noClone {
			cmd.Args = []string{"cat", "/proc/self/cgroup"}
			cmd.Path = "/bin/cat"
			return startPID(cmd, nil)
		}
		in, err := cmd.StdinPipe()
		if err != nil {
			return 0, err
		}
		pid, err := startPID(cmd, nil)
		time.AfterFunc(50*time.Millisecond, func() { in.Close() })
		return pid, err
	})
	if err != nil || pid != cmd.Process.Pid {
		t.Fatalf("Start: %d, %v", pid, err)
	}
	if want := 2; noClone && c.v2 != nil && attempts != want {
		t.Errorf("%d attempts without clone3, want %d", attempts, want)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	memberships, err := ParseProcCgroup(&out)
	if err != nil {
		t.Fatal(err)
	}
	return memberships
}

func startPID(cmd *exec.Cmd, err error) (int, error) {
	if err := errors.Join(err, cmd.Start()); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

func TestSystemChild(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, _ string) {
		for _, noClone := range []bool{false, true} {
			t.Run(fmt.Sprintf("without clone3 %v", noClone), func(t *testing.T) {
				before := threadCgroups(t)
				name := fmt.Sprintf("firn-child-test-%d", os.Getpid())
				c := newChild(t, h, name)
				memberships := bornIn(t, c, noClone)
				if len(c.places) < len(h.Hierarchies) {
					t.Errorf("%d places in %d hierarchies", len(c.places), len(h.Hierarchies))
				}
				for _, p := range c.places {
					own, err := p.hierarchy.own(memberships)
					if err != nil || p.hierarchy.Dir(own) != p.dir {
						t.Errorf("%s: born in %s, %v, want %s", p.hierarchy, own, err, p.dir)
					}
				}
				after := threadCgroups(t)
				for where := range after {
					if !before[where] {
						t.Errorf("a thread stayed in %s", where)
					}
				}
			})
		}
	})
}

// PID 1's place in its own cgroup is that of the main thread.
func TestOffMainThread(t *testing.T) {
	t.Parallel()
	const count = 500
	onMain := make(chan bool)
	for range count {
		offMainThread(func() {
			onMain <- unix.Gettid() == unix.Getpid()
			runtime.UnlockOSThread()
		})
	}
	for range count {
		if <-onMain {
			t.Fatal("ran on the main thread")
		}
	}
}

// threadCgroups is the set of all cgroups that a thread of ours is in.
func threadCgroups(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	set := make(map[string]bool)
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil {
			set[string(text)] = true
		}
	}
	return set
}

func TestSystemChildConcurrently(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, _ string) {
		var c *Child
		// The parents are made with it, and are the test's to remove, later
		// than the Child itself.
		t.Cleanup(func() {
			for _, p := range c.places {
				for _, dir := range []string{filepath.Dir(p.dir), filepath.Dir(filepath.Dir(p.dir))} {
					if err := unix.Rmdir(dir); err != nil {
						t.Errorf("remove %s: %v", dir, err)
					}
				}
			}
		})
		c = newChild(t, h, fmt.Sprintf("firn-child-test-%d/a/b", os.Getpid()))
		const count = 20
		var wg sync.WaitGroup
		for range count {
			wg.Go(func() {
				var cmd *exec.Cmd
				_, err := c.Start(func(enter func(*syscall.SysProcAttr)) (int, error) {
					cmd = exec.Command("sleep", "1000")
					cmd.SysProcAttr = &syscall.SysProcAttr{}
					enter(cmd.SysProcAttr)
					return startPID(cmd, nil)
				})
				if err != nil {
					t.Error(err)
					return
				}
				wg.Go(func() { _ = cmd.Wait() }) // killed below
			})
		}
		within10s(t, "all processes", func() bool {
			pids, err := c.Processes()
			return err == nil && len(pids) == count
		})
		if err := c.Kill(); err != nil {
			t.Error(err)
		}
		wg.Wait()
	})
}

// Killing while processes are being started must stop neither side: the
// thread that starts one is in the cgroup that is frozen.
func TestSystemChildKillWhileStarting(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, _ string) {
		h.kill = func(string) error { return syscall.ENOENT } // the freezer's way
		defer func() { h.kill = writeKill }()
		c := newChild(t, h, fmt.Sprintf("firn-child-test-%d", os.Getpid()))
		var started sync.WaitGroup
		for range 4 {
			started.Go(func() {
				for range 15 {
					cmd := exec.Command("sleep", "1000")
					if _, err := c.Start(func(enter func(*syscall.SysProcAttr)) (int, error) {
						cmd.SysProcAttr = &syscall.SysProcAttr{}
						enter(cmd.SysProcAttr)
						return startPID(cmd, nil)
					}); err != nil {
						t.Error(err)
						return
					}
					started.Go(func() { _ = cmd.Wait() }) // killed
				}
			})
		}
		all := make(chan struct{})
		go func() { started.Wait(); close(all) }()
		for {
			runtime.GC()
			if err := c.Kill(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-all:
				return
			default:
			}
		}
	})
}

// startAndLook runs on a locked thread: it moves it to the cgroup at, starts a
// process and tells where the thread is then.
func startAndLook(c *Child, at place) string {
	runtime.LockOSThread() // once more: Start unlocks once
	if err := writeValue(at.dir, "tasks", "0"); err != nil {
		return err.Error()
	}
	if _, err := c.startHere(func(func(*syscall.SysProcAttr)) (int, error) { return 0, nil }); err != nil {
		return err.Error()
	}
	where, err := os.ReadFile("/proc/thread-self/cgroup")
	if err != nil {
		return err.Error()
	}
	for line := range strings.Lines(string(where)) {
		if strings.Contains(line, ":name=systemd:") {
			return line
		}
	}
	return "nowhere"
}

// What the old stop script sees: one line in tasks, though PID 1 is a program
// in Go with many threads.
func TestSystemMoveThreads(t *testing.T) {
	whole := discover(t)
	if os.Getenv("FIRN_TEST_SELF") == "" {
		if whole.Hierarchies[0].Named == "" {
			t.Skip("no named v1 hierarchy: v2's cgroup.procs lists no threads")
		}
		reexec(t, "TestSystemMoveThreads", 0, "FIRN_TEST_SELF=1")
		return
	}
	named := *whole
	named.Hierarchies = whole.Hierarchies[:1]
	hr := named.Hierarchies[0]
	memberships, err := named.memberships(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	home, err := hr.own(memberships)
	if err != nil {
		t.Fatal(err)
	}
	parent := testParent(t, &named)
	t.Cleanup(func() {
		if err := (place{dir: hr.Dir(home)}).add(os.Getpid()); err != nil {
			t.Errorf("move back: %v", err)
		}
	})
	l := Layout{Parent: parent, Name: "web"}
	if err := named.MoveSelf(l.Payload()); err != nil {
		t.Fatal(err)
	}
	threads, err := named.Child("threads")
	if err != nil {
		t.Fatal(err)
	}
	// Threads that sit in system calls, so that the runtime has many.
	var pipes []int
	for range 8 {
		var p [2]int
		if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		pipes = append(pipes, p[1])
		go func() { _, _ = unix.Read(p[0], make([]byte, 1)); unix.Close(p[0]) }()
	}
	defer func() {
		for _, fd := range pipes {
			unix.Close(fd)
		}
	}()
	tasks := func() []string {
		data, err := os.ReadFile(hr.Dir(l.Payload()) + "/tasks")
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(data))
	}
	within10s(t, "8 threads", func() bool { return len(tasks()) >= 8 })
	if err := threads.MoveThreads(); err != nil {
		t.Fatal(err)
	}
	within10s(t, "one line in tasks", func() bool {
		got := tasks()
		if len(got) == 1 && got[0] == fmt.Sprint(os.Getpid()) {
			return true
		}
		if err := threads.MoveThreads(); err != nil {
			t.Fatal(err)
		}
		return false
	})
	stays := make(chan string)
	offMainThread(func() {
		defer close(stays)
		stays <- startAndLook(threads, threads.places[0])
	})
	if where := <-stays; !strings.HasSuffix(where, "/threads\n") {
		t.Errorf("after a Start the thread is in %q, was in threads", where)
	}
	if pids, err := threads.Processes(); err != nil || len(pids) != 0 {
		t.Errorf("the threads made their process a member: %v, %v", pids, err)
	}
}
