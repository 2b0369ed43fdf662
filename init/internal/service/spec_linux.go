package service

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/init/internal/manager"
	"firn/init/internal/place"
	"firn/init/internal/program"
	"firn/init/internal/reap"
)

// Service starts what there is to run.
type Service struct {
	Kind   Kind
	Argv   []string // of a command
	Env    []string
	Place  place.Starter
	Reaper *reap.Reaper
}

// Choose says what to run.
func Choose(argv []string) Kind {
	if len(argv) > 0 {
		return Command
	}
	f, err := openConsole()
	if err != nil {
		return None
	}
	defer f.Close()
	if FindShell("") == "" {
		return None
	}
	return Shell
}

// openConsole opens the console if that is a terminal.
func openConsole() (*os.File, error) {
	// O_NONBLOCK: a serial line without a carrier would keep us.
	fd, err := unix.Open(Console, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", Console, err)
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open %s: no terminal: %w", Console, err)
	}
	// For the shell it must block.
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("open %s: %w", Console, err)
	}
	return os.NewFile(uintptr(fd), Console), nil
}

// Start starts it, each time anew.
func (s *Service) Start() (*reap.Process, error) {
	if s.Kind == Shell {
		return s.startShell()
	}
	path, err := program.Find(s.Argv[0], manager.Lookup(s.Env, "PATH"))
	if err != nil {
		return nil, err
	}
	return s.Reaper.Start(reap.Spec{
		Path: path, Args: s.Argv, Env: s.Env, Dir: "/",
		Files: []uintptr{0, 1, 2}, Attr: syscall.SysProcAttr{Setsid: true}, Place: s.Place,
	})
}

// startShell gives the shell a session with the console as its terminal, taken from whichever session had it: under
// firn that is PID 1's own (ioctl_tty(2), TIOCSCTTY with 1, which needs CAP_SYS_ADMIN). Where that is refused, the shell
// runs without job control.
func (s *Service) startShell() (*reap.Process, error) {
	console, err := openConsole()
	if err != nil {
		return nil, err
	}
	defer console.Close()
	shell := FindShell("")
	fd := console.Fd()
	home := manager.Lookup(s.Env, "HOME")
	if info, err := os.Stat(home); err != nil || !info.IsDir() {
		home = "/"
	}
	spec := reap.Spec{
		Path: shell, Args: []string{"-" + filepath.Base(shell)}, Env: append(s.Env[:len(s.Env):len(s.Env)], "SHELL="+shell),
		Dir: home, Files: []uintptr{fd, fd, fd}, Place: s.Place,
		Attr: syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0},
	}
	p, err := s.Reaper.Start(spec)
	if p == nil && err != nil {
		spec.Attr = syscall.SysProcAttr{Setsid: true}
		return s.Reaper.Start(spec)
	}
	return p, err
}
