package reap

import (
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// One Reaper for all tests of the package: it waits for every child that there is.
var reaper = New()

func TestMain(m *testing.M) {
	child := make(chan os.Signal, 1)
	signal.Notify(child, unix.SIGCHLD)
	go reaper.Run(child, nil)
	os.Exit(m.Run())
}

func shell(script string) Spec {
	return Spec{Path: "/bin/sh", Args: []string{"sh", "-c", script}, Files: []uintptr{0, 1, 2}}
}

func ended(t *testing.T, p *Process) unix.WaitStatus {
	t.Helper()
	select {
	case <-p.Done():
		return p.Status()
	case <-time.After(20 * time.Second):
		t.Fatalf("process %d was not reaped", p.PID)
		return 0
	}
}

// TestEveryEndIsKnown: children that end the moment they are born, from several starters at once.
func TestEveryEndIsKnown(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 50 {
				code := (worker*50 + i) % 256
				p, err := reaper.Start(shell("exit " + strconv.Itoa(code)))
				if err != nil {
					t.Error(err)
					return
				}
				if s := ended(t, p); ExitCode(s) != code {
					t.Errorf("process %d ended with %v, want %d", p.PID, s, code)
				}
				if err := p.Signal(unix.SIGKILL); !errors.Is(err, ErrEnded) {
					t.Errorf("signal after the end: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for sig, want := range map[unix.Signal]string{unix.SIGTERM: "killed by SIGTERM", unix.SIGKILL: "killed by SIGKILL"} {
		p, err := reaper.Start(shell("exec sleep 100"))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if s := ended(t, p); Describe(s) != want || ExitCode(s) != 128+int(sig) {
			t.Errorf("%s, %d", Describe(s), ExitCode(s))
		}
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	p, err := reaper.Start(Spec{Path: "/nonexistent", Args: []string{"x"}})
	if p != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestOrphans: a grandchild that outlives its parent is taken in and counted, not confused with a child.
func TestOrphans(t *testing.T) {
	t.Parallel()
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	before := reaper.Orphans()
	p, err := reaper.Start(shell("(sleep 0.05; exit 9) & exit 4"))
	if err != nil {
		t.Fatal(err)
	}
	if s := ended(t, p); ExitCode(s) != 4 {
		t.Errorf("ended with %d", ExitCode(s))
	}
	for deadline := time.Now().Add(20 * time.Second); reaper.Orphans() == before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the orphan was not reaped")
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	r := New()
	r.Close()
	if p, err := r.Start(shell("true")); p != nil || !errors.Is(err, ErrClosed) {
		t.Errorf("%v, %v", p, err)
	}
}
