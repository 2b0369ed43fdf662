package pidfd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// FD is an open pidfd (Linux 5.3). It refers to the same process for ever.
type FD struct {
	file *os.File
	ref  Ref
}

// Open returns a pidfd for exactly the process r names. The pidfd is opened
// before the start time is compared: in the other order the PID could be
// reused in between. The error wraps ErrGone if the process has ended.
func (r Ref) Open() (*FD, error) {
	fd, err := unix.PidfdOpen(r.PID, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) { // PIDFD_NONBLOCK came with Linux 5.10
		fd, err = unix.PidfdOpen(r.PID, 0)
	}
	if errors.Is(err, unix.ESRCH) {
		return nil, fmt.Errorf("PID %d: %w", r.PID, ErrGone)
	}
	if err != nil {
		return nil, fmt.Errorf("pidfd_open %d: %w", r.PID, err)
	}
	// SetNonblock lets the runtime's poller serve the descriptor.
	_ = unix.SetNonblock(fd, true)
	f := &FD{file: os.NewFile(uintptr(fd), "pidfd"), ref: r}
	if now, err := Of(r.PID); err != nil || now != r {
		f.Close()
		return nil, fmt.Errorf("PID %d: %w", r.PID, ErrGone)
	}
	return f, nil
}

// Ref names the process behind f.
func (f *FD) Ref() Ref { return f.ref }

// Close releases the descriptor.
func (f *FD) Close() error { return f.file.Close() }

// Signal sends sig to this process alone (pidfd_send_signal(2), Linux 5.1).
// The error wraps ErrGone if the process has ended.
func (f *FD) Signal(sig unix.Signal) error {
	raw, err := f.file.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) {
		sent = unix.PidfdSendSignal(int(fd), sig, nil, 0)
	}); err != nil {
		return err
	}
	if errors.Is(sent, unix.ESRCH) {
		return fmt.Errorf("PID %d: %w", f.ref.PID, ErrGone)
	}
	if sent != nil {
		return fmt.Errorf("pidfd_send_signal %s to %d: %w", unix.SignalName(sig), f.ref.PID, sent)
	}
	return nil
}

// Wait returns nil when the process has ended, or ctx's error. It sleeps in
// the runtime's poller and reaps nothing.
func (f *FD) Wait(ctx context.Context) error {
	raw, err := f.file.SyscallConn()
	if err != nil {
		return err
	}
	if err := f.file.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("poll pidfd: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = f.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err = raw.Read(func(fd uintptr) bool { return ended(int(fd)) })
	if err == nil || ended(f.number()) {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("wait for PID %d: %w", f.ref.PID, err)
}

// Ended tells whether the process has ended by now.
func (f *FD) Ended() bool { return ended(f.number()) }

func (f *FD) number() int {
	n := -1
	if raw, err := f.file.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { n = int(fd) })
	}
	return n
}

// ended asks poll(2): a pidfd becomes readable when its process ends.
func ended(fd int) bool {
	if fd < 0 {
		return true
	}
	set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(set, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return err == nil && n > 0
	}
}
