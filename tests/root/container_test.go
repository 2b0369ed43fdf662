//go:build root

package root_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limits of patience. They are no measure of speed: a busy machine may be slow,
// a container that hangs must not hang the tests.
const (
	startLimit = 60 * time.Second
	stopLimit  = 60 * time.Second
)

// A result is how one run of firn ended.
type result struct {
	stdout, stderr string
	code           int
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s", r.code, r.stdout, r.stderr)
}

// command is a built program with arguments.
func command(tb testing.TB, name string, args ...string) *exec.Cmd {
	tb.Helper()
	return exec.Command(program(tb, name), args...)
}

// firn runs bin/firn to its end.
func firn(tb testing.TB, args ...string) result {
	tb.Helper()
	r, err := execute(command(tb, "firn", args...), 200*time.Second)
	if err != nil {
		tb.Fatalf("firn %s: %v", strings.Join(args, " "), err)
	}
	return r
}

// must runs bin/firn and fails the test if it does not exit with 0.
func must(tb testing.TB, args ...string) string {
	tb.Helper()
	r := firn(tb, args...)
	if r.code != 0 {
		tb.Fatalf("firn %s: %v", strings.Join(args, " "), r)
	}
	return r.stdout
}

// execute runs a command to its end, which must come within the limit.
func execute(cmd *exec.Cmd, limit time.Duration) (result, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	late := false
	timer := time.AfterFunc(limit, func() { late = true; _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if late {
		return r, fmt.Errorf("no end after %v: %v", limit, r)
	}
	return r, nil
}

// A container is one that a test started in the foreground, as a unit would.
type container struct {
	tb     testing.TB
	name   string
	cmd    *exec.Cmd
	output *output
	notify *notifySocket
	ended  chan struct{} // closed when firn has ended
}

// start starts `firn nspawn -M NAME ARGS` and has its end waited for. The test's
// end kills what is left of it, which is an error of its own.
func start(tb testing.TB, name string, args ...string) *container {
	tb.Helper()
	return launch(tb, name, command(tb, "firn", append([]string{"nspawn", "-M", name}, args...)...))
}

// launch is start with a command line of the caller's.
func launch(tb testing.TB, name string, cmd *exec.Cmd) *container {
	tb.Helper()
	c := &container{tb: tb, name: name, cmd: cmd, output: &output{}, notify: listenNotify(tb), ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout, cmd.Stderr = c.output, c.output
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+c.notify.path)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() { _ = cmd.Wait(); close(c.ended) }()
	tb.Cleanup(func() {
		if tb.Failed() {
			tb.Logf("%s printed, in the end:\n%s", name, c.output.tail(15))
		}
		select {
		case <-c.ended:
		default:
			tb.Errorf("container %s still runs when its test is over", name)
			c.kill()
		}
	})
	return c
}

// kill ends the container by force, as well as it can: what it cannot shows as
// left behind.
func (c *container) kill() {
	_, _ = execute(command(c.tb, "firn", "stop", c.name, "--timeout", "1s", "--force"), startLimit)
	_ = signalLeader(c.name, syscall.SIGKILL)
	select {
	case <-c.ended:
	case <-time.After(5 * time.Second):
		_ = c.cmd.Process.Kill()
		<-c.ended
	}
}

// ready waits for READY=1 from the container's supervisor.
func (c *container) ready() {
	c.tb.Helper()
	c.await(startLimit, "READY=1", func() bool { return c.notify.has("READY=1") })
}

// await waits until what comes true, or the container ends, which is an error.
func (c *container) await(limit time.Duration, what string, done func() bool) {
	c.tb.Helper()
	deadline := time.Now().Add(limit)
	for !done() {
		select {
		case <-c.ended:
			c.tb.Fatalf("%s ended with %d before %s", c.name, c.cmd.ProcessState.ExitCode(), what)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			c.tb.Fatalf("%s: no %s after %v", c.name, what, limit)
		}
	}
}

// wait waits for firn to end and returns its exit code.
func (c *container) wait(limit time.Duration) int {
	c.tb.Helper()
	select {
	case <-c.ended:
	case <-time.After(limit):
		c.tb.Fatalf("%s has not ended after %v", c.name, limit)
	}
	return c.cmd.ProcessState.ExitCode()
}

// stop stops the container by `firn stop`, which must say that it worked, and
// returns the exit code of the foreground process.
func (c *container) stop() int {
	c.tb.Helper()
	must(c.tb, "stop", c.name, "--timeout", "60s")
	return c.wait(stopLimit)
}

// leaderFiles are the places where PID 1 of a container stands, on cgroup v1,
// hybrid and v2; systemd moves itself to init.scope.
func leaderFiles(name string) []string {
	at := "machine/" + name + ".nspawn/system"
	return []string{
		"/sys/fs/cgroup/systemd/" + at + "/tasks",
		"/sys/fs/cgroup/systemd/" + at + "/init.scope/tasks",
		"/sys/fs/cgroup/" + at + "/cgroup.procs",
		"/sys/fs/cgroup/" + at + "/init.scope/cgroup.procs",
	}
}

// leader finds PID 1 of a container by the cgroup layout alone, or 0.
func leader(name string) int {
	for _, file := range leaderFiles(name) {
		for _, pid := range numbersIn(file) {
			if isFirst(pid) {
				return pid
			}
		}
	}
	return 0
}

// isFirst reports whether a process is PID 1 of a namespace below ours.
func isFirst(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false // ended meanwhile
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "NSpid:"); ok {
			numbers := strings.Fields(value)
			return len(numbers) > 1 && numbers[len(numbers)-1] == "1"
		}
	}
	return false
}

// signalLeader sends a signal to PID 1 of a container, if there is one.
func signalLeader(name string, signal syscall.Signal) error {
	pid := leader(name)
	if pid == 0 { // which would be this process's own group
		return syscall.ESRCH
	}
	return syscall.Kill(pid, signal)
}

// alone wants PID 1 of a container to stand in its cgroup without any other.
func (c *container) alone() {
	c.tb.Helper()
	for _, file := range leaderFiles(c.name) {
		if pids := numbersIn(file); len(pids) > 0 && (len(pids) > 1 || !isFirst(pids[0])) {
			c.tb.Errorf("%s holds %v, want PID 1 alone", file, pids)
		}
	}
}

// numbersIn reads a file of numbers; a missing file holds none.
func numbersIn(file string) []int {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var numbers []int
	for _, field := range strings.Fields(string(text)) {
		if number, err := strconv.Atoi(field); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// output collects what a process prints.
type output struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.buffer.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.buffer.String()
}

// tail returns the last lines.
func (o *output) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(o.String()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// A notifySocket collects what a service says by sd_notify(3).
type notifySocket struct {
	path  string
	mutex sync.Mutex
	lines []string
}

func listenNotify(tb testing.TB) *notifySocket {
	tb.Helper()
	n := &notifySocket{path: filepath.Join(tb.TempDir(), "notify")}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: n.path, Net: "unixgram"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			size, err := conn.Read(buffer)
			if err != nil {
				return
			}
			n.mutex.Lock()
			n.lines = append(n.lines, strings.Split(string(buffer[:size]), "\n")...)
			n.mutex.Unlock()
		}
	}()
	return n
}

func (n *notifySocket) has(line string) bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return slices.Contains(n.lines, line)
}

// withTimeout bounds a test step that has no limit of its own.
func withTimeout(tb testing.TB, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	tb.Cleanup(cancel)
	return ctx
}

// mountTmpfs mounts a tmpfs for the time of a test.
func mountTmpfs(tb testing.TB, dir string) {
	tb.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, ""); err != nil {
		tb.Fatalf("mount tmpfs on %s: %v", dir, err)
	}
	tb.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			tb.Errorf("unmount %s: %v", dir, err)
		}
	})
}
