// Command payload is what firn-init's root tests run inside their containers: first as the stage that lays out the
// container and becomes firn-init, then as the command below it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func main() {
	modes := map[string]func([]string) error{
		"stage": stage, "signals": signals, "orphans": orphans, "ignore": ignore, "descend": descend,
	}
	if err := modes[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "payload:", err)
		os.Exit(99)
	}
}

// Stage is what a test asks of its container; see container_linux_test.go, which holds its twin.
type Stage struct {
	Root     string
	Mounts   []Mount
	Cgroups  []string // directories to join; the cgroup namespace begins there
	Pending  []int    // signals to be pending at execve; they were blocked by the test
	Drop     []int    // capabilities
	Hostname string
	MakeDirs bool // make the targets of mounts
	Argv     []string
	Path     string
}

// Mount is one mount(2), below Root.
type Mount struct {
	Source, Target, Type string
	Flags                uintptr
	Data                 string
}

func stage([]string) error {
	runtime.LockOSThread()
	var s Stage
	if err := json.Unmarshal([]byte(os.Getenv("FIRN_STAGE")), &s); err != nil {
		return err
	}
	os.Unsetenv("FIRN_STAGE")
	for _, dir := range s.Cgroups {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0); err != nil {
			return err
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return err
	}
	if s.Hostname != "" {
		if err := unix.Sethostname([]byte(s.Hostname)); err != nil {
			return err
		}
	}
	for _, m := range s.Mounts {
		if s.MakeDirs {
			_ = os.MkdirAll(filepath.Join(s.Root, m.Target), 0o755)
		}
		if err := unix.Mount(m.Source, filepath.Join(s.Root, m.Target), m.Type, m.Flags, m.Data); err != nil {
			return fmt.Errorf("mount %+v: %w", m, err)
		}
	}
	if err := unix.Chroot(s.Root); err != nil {
		return err
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	for _, c := range s.Drop {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil {
			return err
		}
	}
	for _, sig := range s.Pending {
		if err := unix.Kill(os.Getpid(), unix.Signal(sig)); err != nil {
			return err
		}
	}
	return unix.Exec(s.Path, s.Argv, os.Environ())
}

// signals writes the name of each signal that comes, and ends at SIGTERM with 3.
func signals([]string) error {
	c := make(chan os.Signal, 256)
	for i := syscall.Signal(1); i < 65; i++ {
		if i != unix.SIGURG && i != unix.SIGCHLD {
			signal.Notify(c, i)
		}
	}
	fmt.Println("up")
	for sig := range c {
		fmt.Println("got", int(sig.(syscall.Signal)))
		if sig == unix.SIGTERM {
			os.Exit(3)
		}
	}
	return nil
}

// ignore pays no heed to SIGTERM, nor do its descendants.
func ignore([]string) error {
	signal.Ignore(unix.SIGTERM, unix.SIGHUP)
	fmt.Println("up")
	time.Sleep(time.Hour)
	return nil
}

// descend leaves sessions of sleeping processes behind that ignore SIGTERM if asked to, then sleeps.
func descend(args []string) error {
	for range 5 {
		cmd := exec.Command("/bin/payload", args...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	fmt.Println("up")
	time.Sleep(time.Hour)
	return nil
}

// orphans makes N of them while it counts the SIGUSR1 that a child of it sends to PID 1 to be forwarded, then looks
// for zombies.
func orphans(args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	got := make(chan os.Signal, 1024)
	signal.Notify(got, unix.SIGUSR1)
	script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do (: &); i=$((i+1)); done", n)
	burst := exec.Command("/bin/sh", "-c", script)
	burst.Stdin, burst.Stdout, burst.Stderr = os.Stdin, os.Stdout, os.Stderr // there may be no /dev/null
	began := time.Now()
	if err := burst.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- burst.Wait() }()
	sent, seen, slowest := 0, 0, time.Duration(0)
	for running := true; running; {
		sent++
		asked := time.Now()
		if err := unix.Kill(1, unix.SIGUSR1); err != nil {
			return err
		}
		select {
		case <-got:
			seen++
			slowest = max(slowest, time.Since(asked))
		case <-time.After(5 * time.Second):
			return fmt.Errorf("SIGUSR1 number %d was not forwarded within 5 s", sent)
		}
		select {
		case err := <-done:
			if err != nil {
				return err
			}
			running = false
		case <-time.After(2 * time.Millisecond):
		}
	}
	took := time.Since(began)
	left := -1
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && left != 0; time.Sleep(time.Millisecond) {
		if left, err = zombies(); err != nil {
			return err
		}
	}
	fmt.Printf("orphans=%d took=%s zombies=%d forwarded=%d/%d slowest=%s\n", n, took.Round(time.Millisecond), left, seen, sent, slowest)
	if left != 0 {
		return fmt.Errorf("%d zombies are left", left)
	}
	return nil
}

func zombies() (n int, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		text, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(string(text), ") "); ok && strings.HasPrefix(rest, "Z") {
			n++
		}
	}
	return n, nil
}
