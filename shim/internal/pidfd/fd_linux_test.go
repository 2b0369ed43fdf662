package pidfd

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func startSleep(t *testing.T) (*exec.Cmd, Ref) {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ref, err := Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, ref
}

func TestWaitSeesTheEnd(t *testing.T) {
	t.Parallel()
	_, ref := startSleep(t)
	fd, err := ref.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := fd.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Wait on a running process = %v, want deadline exceeded", err)
	}
	if fd.Ended() {
		t.Fatal("Ended() = true while it runs")
	}
	if err := fd.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := fd.Wait(context.Background()); err != nil {
		t.Fatalf("Wait after SIGKILL = %v", err)
	}
	if ref.Alive() {
		t.Error("Alive() = true for a zombie")
	}
}

func TestOpenRefusesAnotherStartTime(t *testing.T) {
	t.Parallel()
	_, ref := startSleep(t)
	ref.Start++
	if _, err := ref.Open(); !errors.Is(err, ErrGone) {
		t.Fatalf("Open = %v, want ErrGone", err)
	}
}

func TestSignalAfterReaping(t *testing.T) {
	t.Parallel()
	cmd, ref := startSleep(t)
	fd, err := ref.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer fd.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := fd.Signal(unix.SIGTERM); !errors.Is(err, ErrGone) {
		t.Fatalf("Signal = %v, want ErrGone", err)
	}
	if _, err := ref.Open(); !errors.Is(err, ErrGone) {
		t.Fatalf("Open = %v, want ErrGone", err)
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	self, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		stat  string
		start uint64
		ok    bool
	}{
		"spaces and parentheses": {"7 (a ) b) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0", 4711, true},
		"short":                  {"7 (a) S 1 7", 0, false},
		"no name":                {"7 S", 0, false},
		"not a number":           {"7 (a) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 x 0 0", 0, false},
	} {
		state, start, err := parseStat([]byte(tc.stat))
		if (err == nil) != tc.ok || start != tc.start || tc.ok && state != 'S' {
			t.Errorf("%s: parseStat = %c, %d, %v", name, state, start, err)
		}
	}
	if _, start, err := parseStat(self); err != nil || start == 0 {
		t.Errorf("own stat: start %d, %v", start, err)
	}
}
