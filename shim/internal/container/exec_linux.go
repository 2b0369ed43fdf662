package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"runtime"
	"strings"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/console"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/seccomp"
)

// Command is a program to run in a running container.
type Command struct {
	Args  []string
	Env   []string // assignments that replace or extend the usual environment
	User  string   // of the container's database; empty is root
	Dir   string   // absolute, in the container; empty is "/"
	TTY   bool     // on a pseudo terminal, forwarded to Stdio
	Stdio [3]*os.File
}

// execPath also finds a NixOS system's programs.
const execPath = "/run/wrappers/bin:/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Exec runs the command and returns its exit code, 128+N if signal N ended
// it. The command stands in a cgroup of its own below PID 1's, so that limits
// hold and the stop script still finds PID 1 alone.
func (h *Handle) Exec(ctx context.Context, c Command) (int, error) {
	container, err := libcontainer.Load(h.dir.State(), h.Record.Name)
	if err != nil {
		return 1, fmt.Errorf("load container %q: %w", h.Record.Name, err)
	}
	process, err := h.process(c)
	if err != nil {
		return 1, err
	}
	if err := h.host.Create(h.layout.Exec()); err != nil {
		return 1, fmt.Errorf("make cgroup: %w", err)
	}
	defer h.removeExec()
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)
	finish, err := runProcess(ctx, container, process, c)
	if err != nil {
		return 1, fmt.Errorf("execute %s: %w", c.Args[0], err)
	}
	defer finish()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case sig := <-signals:
				_ = process.Signal(sig)
			case <-done:
				return
			}
		}
	}()
	status := wait(&launched{process: process})
	if status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return status.ExitStatus(), nil
}

// process describes the command to libcontainer.
func (h *Handle) process(c Command) (*libcontainer.Process, error) {
	root, err := rootfs.Open(fmt.Sprintf("/proc/%d/root/", h.Record.Leader.PID))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	account, err := payloadUser(root, config.Value[string]{V: c.User, Set: c.User != "", From: config.Origin{Option: "--user"}})
	if err != nil {
		return nil, err
	}
	env := []string{
		"PATH=" + execPath, "container=firn", "HOME=" + account.Home, "USER=" + account.Name, "LOGNAME=" + account.Name,
	}
	if term := os.Getenv("TERM"); term != "" && c.TTY {
		env = append(env, "TERM="+term)
	}
	groups := make([]int, len(account.Groups))
	for i, g := range account.Groups {
		groups[i] = int(g)
	}
	dir := c.Dir
	if dir == "" {
		dir = "/"
	}
	return &libcontainer.Process{
		Args: c.Args, Env: append(env, c.Env...), Cwd: dir,
		UID: int(account.UID), GID: int(account.GID), AdditionalGroups: groups,
		SubCgroupPaths: map[string]string{"": path.Base(h.layout.Exec())},
	}, nil
}

// runProcess starts the process with the caller's descriptors or on a pty.
func runProcess(ctx context.Context, container *libcontainer.Container, process *libcontainer.Process, c Command) (finish func(), err error) {
	if !c.TTY {
		process.Stdin, process.Stdout, process.Stderr = reader(c.Stdio[0]), writer(c.Stdio[1]), writer(c.Stdio[2])
		return func() {}, runFiltered(container, process)
	}
	parent, child, err := socketpair()
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	defer child.Close()
	process.ConsoleSocket = child
	if err := runFiltered(container, process); err != nil {
		return nil, err
	}
	master, err := receiveConsole(parent)
	if err != nil {
		return nil, err
	}
	session := &console.Session{Master: master, In: c.Stdio[0], Out: c.Stdio[1], Mode: console.Interactive}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if how, _ := session.Run(ctx); how == console.ByEscape {
			_ = process.Signal(unix.SIGKILL)
		}
	}()
	return func() { cancel(); <-ended; master.Close() }, nil
}

// runFiltered starts the process from a thread with the filter that PID 1 has,
// and which ends with it.
func runFiltered(container *libcontainer.Container, process *libcontainer.Process) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := seccomp.RefuseHandles()
		if err == nil {
			err = container.Run(process)
		}
		done <- err
	}()
	return <-done
}

// removeExec takes the commands' cgroup away when the last has ended.
func (h *Handle) removeExec() {
	if pids, err := h.host.Processes(h.layout.Exec()); err == nil && len(pids) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
		defer cancel()
		_ = h.host.Remove(ctx, h.layout.Exec()) // another command has just entered it
	}
}

// reader and writer keep a nil *os.File from becoming a non-nil interface.
func reader(f *os.File) io.Reader {
	if f == nil {
		return nil
	}
	return f
}

func writer(f *os.File) io.Writer {
	if f == nil {
		return nil
	}
	return f
}

// loginPrograms are where login(1) stands, on NixOS and elsewhere.
var loginPrograms = []string{"/run/current-system/sw/bin/login", "/bin/login", "/usr/bin/login"}

// ErrNoLogin says that the container has no login program.
var ErrNoLogin = errors.New("no login program in the container (looked for " + strings.Join(loginPrograms, " ") + ")")

// LoginCommand finds the container's login program.
func (h *Handle) LoginCommand() ([]string, error) {
	root, err := rootfs.Open(fmt.Sprintf("/proc/%d/root/", h.Record.Leader.PID))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	for _, p := range loginPrograms {
		if root.Exists(p) {
			return []string{p}, nil
		}
	}
	return nil, ErrNoLogin
}
