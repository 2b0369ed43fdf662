package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
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

	"firn/tests/require"
)

// These tests run the real program as PID 1 of real namespaces. A test makes a root, a container of it, signals it and
// looks at what it says and how it ends.

// built holds the programs, made once.
var built struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

func programs(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "firn-init-test-"); built.err != nil {
			return
		}
		for name, pkg := range map[string]string{"firn-init": ".", "payload": "./testdata/payload"} {
			cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(built.dir, name), pkg)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				built.err = fmt.Errorf("build %s: %w\n%s", name, err, out)
				return
			}
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

// The twins of testdata/payload's.
type stage struct {
	Root     string
	Mounts   []stageMount
	Cgroups  []string
	Pending  []int
	Drop     []int
	Hostname string
	MakeDirs bool
	Argv     []string
	Path     string
}

type stageMount struct {
	Source, Target, Type string
	Flags                uintptr
	Data                 string
}

// newRoot makes a root with busybox, firn-init, the payload and nothing mounted.
func newRoot(t *testing.T) string {
	t.Helper()
	require.Root(t)
	busybox := require.Program(t, "busybox")
	dir := programs(t)
	root := t.TempDir()
	for _, d := range []string{"bin", "etc", "proc", "sys", "dev", "run", "tmp", "root"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, busybox, filepath.Join(root, "bin/busybox"))
	copyFile(t, filepath.Join(dir, "firn-init"), filepath.Join(root, "bin/firn-init"))
	copyFile(t, filepath.Join(dir, "payload"), filepath.Join(root, "bin/payload"))
	for _, applet := range []string{"sh", "cat", "ls", "sleep", "hostname", "mkdir", "ln", "kill", "stat", "env", "grep", "true", "false", "readlink", "mount", "cut", "touch"} {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", applet)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if os.Link(from, to) == nil {
		return
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// container is a running firn-init.
type container struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *output
	waited bool
}

// output collects what a container says and lets a test wait for words.
type output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	more chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// config says how a container differs from the simplest.
type config struct {
	stage
	env     []string
	blocked []syscall.Signal
	stdin   *os.File
	extra   []*os.File // from descriptor 3 on
	out     *os.File   // instead of what the test sees
	tty     bool       // stdin is a terminal, and the container's controlling one
	keepNet bool
}

// start starts firn-init as PID 1 with argv in the root. $container is "test" unless env says otherwise.
func start(t *testing.T, root string, c config, argv ...string) *container {
	t.Helper()
	c.Root, c.Argv = root, argv
	if c.Path == "" {
		c.Path = "/bin/firn-init"
	}
	if c.Cgroups == nil {
		c.Cgroups = newCgroups(t)
	}
	text, err := json.Marshal(c.stage)
	if err != nil {
		t.Fatal(err)
	}
	out := &output{more: make(chan struct{}, 1)}
	cmd := exec.Command(filepath.Join(programs(t), "payload"), "stage")
	cmd.Env = append([]string{"PATH=/bin", "container=test", "FIRN_STAGE=" + string(text)}, c.env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = c.extra
	if c.out != nil {
		cmd.Stdout, cmd.Stderr = c.out, c.out
	}
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	// The mount namespace is unshared rather than cloned, since package syscall then makes all mounts private.
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Unshareflags: unix.CLONE_NEWNS,
		Setsid:       true,
	}
	if c.tty {
		cmd.SysProcAttr.Setctty = true
	}
	if !c.keepNet {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWNET
	}
	withBlocked(t, c.blocked, func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	ct := &container{t: t, cmd: cmd, out: out}
	t.Cleanup(func() {
		if !ct.waited {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if t.Failed() {
			t.Logf("the container said:\n%s", out)
		}
	})
	return ct
}

// withBlocked runs f on a thread with signals blocked, which a child then inherits.
func withBlocked(t *testing.T, blocked []syscall.Signal, f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var set, old unix.Sigset_t
	for _, sig := range blocked {
		set.Val[(sig-1)/64] |= 1 << ((sig - 1) % 64)
	}
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil) }()
	f()
}

// newCgroups makes a cgroup for one container in each hierarchy that keeps track of processes.
func newCgroups(t *testing.T) (dirs []string) {
	t.Helper()
	for _, top := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"} {
		if _, err := os.Stat(filepath.Join(top, "cgroup.procs")); err != nil {
			continue
		}
		dir, err := os.MkdirTemp(top, "firn-init-test-")
		if err != nil {
			continue
		}
		dirs = append(dirs, dir)
		t.Cleanup(func() { removeCgroup(t, dir) })
	}
	return dirs
}

func removeCgroup(t *testing.T, dir string) {
	var all []string
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			all = append(all, path)
		}
		return nil
	})
	for i := len(all) - 1; i >= 0; i-- {
		var err error
		for range 500 { // the kernel lets go of a dead process's cgroup a moment after its parent could wait for it
			if err = unix.Rmdir(all[i]); err != unix.EBUSY {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err != nil {
			t.Errorf("remove cgroup %s: %v", all[i], err)
		}
	}
}

const patience = 20 * time.Second

// says waits until the container has said something.
func (c *container) says(words string) {
	c.t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(c.out.String(), words) {
		select {
		case <-c.out.more:
		case <-deadline:
			c.t.Fatalf("%q was not said within %s", words, patience)
		}
	}
}

func (c *container) signal(sig syscall.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(sig); err != nil {
		c.t.Fatalf("signal %d: %v", sig, err)
	}
}

// wait waits for the end of PID 1, and with it of all processes of its namespace.
func (c *container) wait() syscall.WaitStatus {
	c.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- c.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		_ = c.cmd.Process.Kill()
		<-ended
		c.waited = true
		c.t.Fatalf("the container did not end within %s", patience)
	}
	c.waited = true
	return c.cmd.ProcessState.Sys().(syscall.WaitStatus)
}

func (c *container) exits(code int) {
	c.t.Helper()
	if s := c.wait(); !s.Exited() || s.ExitStatus() != code {
		c.t.Errorf("ended with %s, want exit code %d", describe(s), code)
	}
}

func (c *container) endsBy(sig syscall.Signal) {
	c.t.Helper()
	if s := c.wait(); !s.Signaled() || s.Signal() != sig {
		c.t.Errorf("ended with %s, want signal %d", describe(s), sig)
	}
}

func describe(s syscall.WaitStatus) string {
	if s.Signaled() {
		return fmt.Sprintf("signal %d", s.Signal())
	}
	return fmt.Sprintf("exit code %d", s.ExitStatus())
}
