package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"firn/tests/vm/wire"

	"golang.org/x/sys/unix"
)

// serve answers requests until the machine ends.
func serve() error {
	port, err := openPort()
	if err != nil {
		return err
	}
	defer port.Close()
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	out := json.NewEncoder(port)
	hello := wire.Hello{PID: os.Getpid(), Kernel: unix.ByteSliceToString(name.Release[:])}
	if err := out.Encode(hello); err != nil {
		return err
	}
	in := json.NewDecoder(bufio.NewReader(port))
	for {
		var req wire.Request
		if err := in.Decode(&req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read request: %w", err)
		}
		if err := out.Encode(answer(req)); err != nil {
			return fmt.Errorf("write response: %w", err)
		}
	}
}

// openPort opens the serial port as a plain byte stream.
func openPort() (*os.File, error) {
	fd, err := unix.Open(wire.Port, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", wire.Port, err)
	}
	port, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("get terminal attributes: %w", err)
	}
	port.Iflag, port.Oflag, port.Lflag = 0, 0, 0
	port.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
	port.Cc[unix.VMIN], port.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, port); err != nil {
		return nil, fmt.Errorf("set terminal attributes: %w", err)
	}
	return os.NewFile(uintptr(fd), wire.Port), nil
}

func answer(req wire.Request) wire.Response {
	var res wire.Response
	var err error
	start := time.Now()
	switch req.Op {
	case wire.Run:
		res, err = runCommand(req)
	case wire.Spawn:
		res.Status, err = spawn(req)
	case wire.Open:
		err = openAndClose(req.Path)
	case wire.Read:
		res.Stdout, err = os.ReadFile(req.Path)
	case wire.Write:
		err = os.WriteFile(req.Path, req.Data, 0o644)
	case wire.End:
		err = end(req.Path)
	default:
		err = fmt.Errorf("unknown request %q", req.Op)
	}
	res.Took = time.Since(start)
	if err != nil {
		res.Problem = err.Error()
	}
	return res
}

// environment is a login's, since PID 1's may be empty.
func environment(req wire.Request) []string {
	base := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/vm", "HOME=/root", "TERM=dumb"}
	return append(append(base, os.Environ()...), req.Env...)
}

func command(ctx context.Context, req wire.Request) (*exec.Cmd, error) {
	if len(req.Argv) == 0 {
		return nil, errors.New("no command")
	}
	path, err := lookPath(req.Argv[0])
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, req.Argv[1:]...)
	cmd.Args[0] = req.Argv[0] // a multi-call binary goes by its name
	cmd.Env = environment(req)
	return cmd, nil
}

// lookPath is exec.LookPath with the environment that the command will have.
func lookPath(name string) (string, error) {
	if os.Getenv("PATH") == "" || os.Getpid() == 1 {
		if err := os.Setenv("PATH", environment(wire.Request{})[0][len("PATH="):]); err != nil {
			return "", err
		}
	}
	return exec.LookPath(name)
}

func runCommand(req wire.Request) (wire.Response, error) {
	ctx := context.Background()
	if req.Limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, req.Limit)
		defer cancel()
	}
	cmd, err := command(ctx, req)
	if err != nil {
		return wire.Response{}, err
	}
	// Files and not pipes: a daemon that the command leaves behind keeps its
	// output open, and must not keep the test waiting.
	stdout, stderr, err := outputs()
	if err != nil {
		return wire.Response{}, err
	}
	defer stdout.Close()
	defer stderr.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(req.Data), stdout, stderr
	err = cmd.Run()
	var res wire.Response
	res.Stdout, res.Stderr = contentOf(stdout), contentOf(stderr)
	if ctx.Err() != nil {
		return res, fmt.Errorf("no end within %v", req.Limit)
	}
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		status := ended.Sys().(syscall.WaitStatus)
		res.Status = status.ExitStatus()
		if status.Signaled() {
			res.Status = 128 + int(status.Signal())
		}
		return res, nil
	}
	return res, err
}

func outputs() (stdout, stderr *os.File, err error) {
	for _, f := range []**os.File{&stdout, &stderr} {
		fd, memErr := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if memErr != nil {
			return nil, nil, fmt.Errorf("memfd_create: %w", memErr)
		}
		*f = os.NewFile(uintptr(fd), "output")
	}
	return stdout, stderr, nil
}

func contentOf(f *os.File) []byte {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return nil
	}
	content := make([]byte, size)
	n, _ := f.ReadAt(content, 0)
	return content[:n]
}

// spawn starts a process in a session of its own and leaves it running, its
// output on the console.
func spawn(req wire.Request) (int, error) {
	cmd, err := command(context.Background(), req)
	if err != nil {
		return 0, err
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	go func() { _ = cmd.Wait() }() // how it ends is the test's to look at
	return cmd.Process.Pid, nil
}

func openAndClose(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// end ends the machine, at once and below every service.
func end(how string) error {
	unix.Sync()
	command, ok := map[string]int{
		"poweroff": unix.LINUX_REBOOT_CMD_POWER_OFF,
		"reboot":   unix.LINUX_REBOOT_CMD_RESTART,
		"halt":     unix.LINUX_REBOOT_CMD_HALT,
	}[how]
	if !ok {
		return fmt.Errorf("unknown end %s", strconv.Quote(how))
	}
	return unix.Reboot(command)
}
