//go:build root

package root_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// earlyRounds is how many containers are stopped as soon as they are started,
// for each kind of payload; workers of them run at a time.
const (
	earlyRounds  = 200
	earlyWorkers = 4
	earlyLimit   = 30 * time.Second
)

// TestEarlyStop: a container that is told to halt 0 to 50 ms after its start ends
// by itself. PID 1 has no handler at that time: a signal that is not kept pending
// for it would be lost, and the stop end by its timeout.
func TestEarlyStop(t *testing.T) {
	for _, payload := range []struct {
		name string
		args func(t *testing.T, name string) []string
	}{
		{"init", func(t *testing.T, name string) []string {
			return []string{"-D", t.TempDir(), "--bind-ro=/nix", profile(t, name) + "/init"}
		}},
		{"systemd", func(t *testing.T, _ string) []string {
			return []string{"-D", rootfs.Debian(t), "-b"}
		}},
	} {
		t.Run(payload.name, func(t *testing.T) {
			host.Watch(t)
			var work sync.WaitGroup
			var next, bad atomic.Int64
			for worker := range earlyWorkers {
				name := fmt.Sprintf("early-%s-%d", payload.name, worker)
				args := payload.args(t, name)
				work.Go(func() {
					for round := next.Add(1); round <= earlyRounds && bad.Load() == 0; round = next.Add(1) {
						if problem := earlyRound(t, name, args, round%2 == 0); problem != nil {
							bad.Add(1)
							t.Errorf("round %d: %v", round, problem)
						}
					}
				})
			}
			work.Wait()
		})
	}
}

// earlyRound starts a container, stops it after a random time, by `firn stop` or,
// as a service manager does, by SIGTERM to the supervisor, and says what went
// wrong. It may run beside others.
func earlyRound(t *testing.T, name string, args []string, term bool) error {
	c := &container{tb: t, name: name, output: &output{}, ended: make(chan struct{})}
	c.cmd = command(t, "firn", append([]string{"nspawn", "-q", "-M", name}, args...)...)
	c.cmd.Stdout, c.cmd.Stderr = c.output, c.output
	if err := c.cmd.Start(); err != nil {
		return err
	}
	go func() { _ = c.cmd.Wait(); close(c.ended) }()
	defer func() {
		select {
		case <-c.ended:
		default:
			c.kill()
		}
	}()

	delay := time.Duration(rand.Int64N(int64(50 * time.Millisecond)))
	if !term {
		// `firn stop` knows a container from when its PID 1 is there.
		for leader(name) == 0 {
			select {
			case <-c.ended:
				return fmt.Errorf("ended before it started: %s", c.output)
			case <-time.After(time.Millisecond):
			}
		}
	}
	time.Sleep(delay)
	if term {
		if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			<-c.ended
			return fmt.Errorf("SIGTERM after %v: %w: it ended with %v\n%s", delay, err, c.cmd.ProcessState, c.output)
		}
	} else {
		r, err := execute(command(t, "firn", "stop", name, "--timeout", earlyLimit.String()), 2*earlyLimit)
		if err != nil || r.code != 0 {
			return fmt.Errorf("firn stop after %v: %w: %v\n%s", delay, err, r, c.output)
		}
	}
	select {
	case <-c.ended:
	case <-time.After(earlyLimit):
		return fmt.Errorf("no end within %v of a stop after %v (SIGTERM: %v)\n%s", earlyLimit, delay, term, c.output)
	}
	// A signal that comes before firn's first instruction kills it; then there is
	// no container.
	unborn := term && c.cmd.ProcessState.ExitCode() == -1 && leader(name) == 0
	if code := c.cmd.ProcessState.ExitCode(); code != 0 && !unborn {
		return fmt.Errorf("exit code %d, want 0, after %v (SIGTERM: %v)\n%s", code, delay, term, c.output)
	}
	// Another worker's firn may just be looking whether there is something to sweep.
	for deadline := time.Now().Add(time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat("/run/firn/" + name); err != nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("/run/firn/%s is left behind", name)
		}
	}
}
