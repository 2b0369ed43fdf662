package vm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"firn/tests/require"
)

// Descriptors that QEMU inherits: listening sockets.
const (
	monitorFD = 3 // QMP
	controlFD = 4 // the guest's second serial port
)

// qemu is the arguments for a machine.
func (m Machine) qemu(vmlinux, initrd string) []string {
	cmdline := []string{"console=ttyS0", "quiet", "panic=-1", "cryptomgr.notests"}
	if m.Init != "" {
		cmdline = append(cmdline, "rdinit="+m.Init)
	}
	cmdline = append(cmdline, m.Cmdline...)
	if len(m.Args) > 0 {
		cmdline = append(append(cmdline, "--"), m.Args...)
	}
	args := []string{
		// One thread for all CPUs: with one for each, a kernel that patches its own
		// code sometimes runs into its breakpoint on another CPU ("Oops: int3").
		"-machine", "q35", "-accel", "tcg,thread=single", "-cpu", "max",
		"-smp", strconv.Itoa(m.CPUs), "-m", strconv.Itoa(m.Memory),
		"-nodefaults", "-display", "none", "-no-reboot",
		"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
		"-chardev", fmt.Sprintf("socket,id=control,fd=%d,server=on,wait=off", controlFD), "-serial", "chardev:control",
		"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d,server=on,wait=off", monitorFD), "-mon", "chardev=monitor,mode=control",
		"-kernel", vmlinux, "-initrd", initrd, "-append", strings.Join(cmdline, " "),
	}
	if m.Disk != "" {
		args = append(args,
			"-drive", "file="+m.Disk+",if=none,id=root,format=raw,snapshot=on,cache=unsafe",
			"-device", "virtio-blk-pci,drive=root")
	}
	return append(args, m.Devices...)
}

// process is a running QEMU.
type process struct {
	console lockedBuffer
	control net.Conn
	monitor net.Conn
	killing sync.Once
	kill    chan struct{} // closed to kill it

	ended  chan struct{} // closed when QEMU has ended
	reason string        // of SHUTDOWN; valid once ended
	killed bool          // valid once ended
	err    error         // why QEMU itself went wrong; valid once ended
}

// launch packs and starts the machine.
func (m Machine) launch(tb testing.TB) (*process, error) {
	program := require.Program(tb, "qemu-system-x86_64")
	k := openKernel(tb, m.Kernel)
	vmlinux, err := k.vmlinux()
	if err != nil {
		return nil, err
	}
	packed, err := m.initramfs(tb, k)
	if err != nil {
		return nil, fmt.Errorf("pack initramfs: %w", err)
	}
	initrd := filepath.Join(tb.TempDir(), "initramfs")
	if err := os.WriteFile(initrd, packed, 0o600); err != nil {
		return nil, err
	}
	p := &process{kill: make(chan struct{}), ended: make(chan struct{})}
	cmd := exec.Command(program, m.qemu(vmlinux, initrd)...)
	cmd.Stdout, cmd.Stderr = &p.console, &p.console
	// QEMU dies with the test, so that an interrupted one leaves no machine.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	for _, end := range []*net.Conn{&p.monitor, &p.control} {
		far, near, err := channel()
		if err != nil {
			return nil, err
		}
		defer far.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, far)
		*end = near
	}
	return p, p.start(cmd)
}

// channel makes a listening socket for QEMU and connects to it at once: the
// connection waits in the backlog until QEMU accepts it.
func channel() (far *os.File, near net.Conn, err error) {
	dir, err := os.MkdirTemp("", "firn-vm-") // a socket's path is 107 bytes at most
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir) // the name is not needed once connected
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unix"})
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	if far, err = listener.File(); err != nil {
		return nil, nil, err
	}
	if near, err = net.Dial("unix", filepath.Join(dir, "s")); err != nil {
		return nil, nil, errors.Join(err, far.Close())
	}
	return far, near, nil
}

// start starts QEMU and watches it until it ends.
func (p *process) start(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		// The death signal follows the thread that started the child
		// (prctl(2), PR_SET_PDEATHSIG), which has to live as long as it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.supervise(cmd)
		}
	}()
	return <-started
}

func (p *process) supervise(cmd *exec.Cmd) {
	defer close(p.ended)
	killed := p.kill
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.reason, p.err = watch(p.monitor)
	}()
	waited := make(chan error, 1)
	go func() { waited <- cmd.Wait() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for alive := true; alive; {
		select {
		case err := <-waited:
			if err != nil && !p.killed {
				p.err = errors.Join(p.err, fmt.Errorf("qemu: %w", err))
			}
			alive = false
		case <-killed:
			p.killed, killed = true, nil
			_ = cmd.Process.Kill() // it has ended already: as well
		case <-tick.C:
			// A halted machine runs on for ever; only the console tells.
			if !p.killed && p.console.contains(haltLine) {
				p.killed = true
				_ = cmd.Process.Kill()
			}
		}
	}
	<-watched
	_ = p.monitor.Close()
	_ = p.control.Close()
}

// end kills the machine if it still runs, and waits for its end.
func (p *process) end() {
	p.killing.Do(func() { close(p.kill) })
	<-p.ended
}

// lockedBuffer collects the console while others look at it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *lockedBuffer) contains(s string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Contains(b.buf.Bytes(), []byte(s))
}
