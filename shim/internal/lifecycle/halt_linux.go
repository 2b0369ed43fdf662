package lifecycle

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"firn/shim/internal/pidfd"
)

// Halt asks a container's PID 1 to end and waits until it has, or until ctx
// ends. The signal goes to PID 1 alone, never to the whole cgroup.
//
//	state      event                       next
//	asked      pidfd readable              ended: nil
//	asked      resend falls due, not ready asked, signal sent again
//	asked      ctx ends                    ctx's error; the caller may force
//
// An init that firn starts has its halt signal blocked until it reads it, so
// one is enough; see container's launch. An init that was handed its start by
// another program may have lost it, which the second signal mends: until
// READY=1 it is repeated with growing pauses. systemd and firn-init take a
// repeated SIGRTMIN+3 for the same order.
func Halt(ctx context.Context, leader *pidfd.FD, sig unix.Signal, ready func() bool) error {
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		if err := leader.Signal(sig); err != nil {
			if errors.Is(err, pidfd.ErrGone) {
				return nil
			}
			return err
		}
		wait, cancel := ctx, context.CancelFunc(func() {})
		if !ready() {
			wait, cancel = context.WithTimeout(ctx, pause)
		}
		err := leader.Wait(wait)
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}
