package lifecycle

import (
	"bufio"
	"context"
	"errors"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/shim/internal/pidfd"
)

// payload runs a shell script and returns a pidfd of it once it has printed a
// line.
func payload(t *testing.T, script string) *pidfd.FD {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if !bufio.NewScanner(out).Scan() {
		t.Fatal("payload printed nothing")
	}
	ref, err := pidfd.Of(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := ref.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

func always(answer bool) func() bool { return func() bool { return answer } }

func TestHaltEnds(t *testing.T) {
	t.Parallel()
	fd := payload(t, `trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done`)
	if err := Halt(context.Background(), fd, unix.SIGTERM, always(true)); err != nil {
		t.Fatal(err)
	}
	if err := Halt(context.Background(), fd, unix.SIGTERM, always(true)); err != nil {
		t.Errorf("Halt of one that has ended = %v", err)
	}
}

// An init that has told READY=1 gets one signal; one that has not, and loses the
// first, is asked again.
func TestHaltAsksAgainUntilReady(t *testing.T) {
	t.Parallel()
	const losesTheFirst = `trap 'n=$((n+1)); [ $n = 2 ] && exit 0' TERM; echo up; while :; do sleep 0.01; done`
	if err := Halt(context.Background(), payload(t, losesTheFirst), unix.SIGTERM, always(false)); err != nil {
		t.Errorf("not ready: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := Halt(ctx, payload(t, losesTheFirst), unix.SIGTERM, always(true)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ready: %v, want deadline exceeded after one signal", err)
	}
}
