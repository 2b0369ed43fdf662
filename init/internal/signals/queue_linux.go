package signals

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Queue is where signals arrive, in three channels so that a flood of one kind cannot push out another: os/signal
// drops what a full channel cannot take.
type Queue struct {
	// Child holds at most one: children are waiting to be reaped, however many.
	Child chan os.Signal
	// End holds the real-time signals that end the system.
	End chan os.Signal
	// Other holds all others.
	Other chan os.Signal
}

// Listen takes in every signal there is, and is to be called before anything else. A manager that starts firn-init
// with signals blocked loses none: they stay pending across execve(2), the Go runtime keeps an inherited mask on its
// threads, and it unblocks a signal, on a thread of its own, only once Listen has asked for it. (signalfd(2) would
// need the signals blocked on every thread, and the runtime's threads come and go with the mask they inherited.)
// SIGRTMIN+0 alone, which means nothing so early, may get lost before: the runtime unblocks it always.
func Listen() *Queue {
	q := &Queue{Child: make(chan os.Signal, 1), End: make(chan os.Signal, 8), Other: make(chan os.Signal, 64)}
	var other []os.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch {
		case sig == unix.SIGKILL, sig == unix.SIGSTOP, sig == 32, sig == 33:
		case sig == unix.SIGCHLD:
			signal.Notify(q.Child, sig)
		case EndsSystem(sig):
			signal.Notify(q.End, sig)
		default:
			other = append(other, sig)
		}
	}
	signal.Notify(q.Other, other...)
	adoptRTMin()
	return q
}

// EndsSystem reports whether a signal belongs to Queue.End.
func EndsSystem(sig syscall.Signal) bool {
	_, ends := EndsCommand(sig)
	return ends
}

// adoptRTMin gives SIGRTMIN+0 the handler that the runtime has for other signals. The runtime installs none for 34,
// which musl uses for itself in C programs; but it does queue one that arrives, as for any signal that was asked for.
func adoptRTMin() {
	// struct kernel_sigaction is four words at most on every 64-bit Linux.
	var action [8]uintptr
	const size = 8 // of the kernel's sigset_t
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGUSR1), 0, uintptr(unsafe.Pointer(&action)), size, 0, 0)
	if errno == 0 {
		unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(RTMin), uintptr(unsafe.Pointer(&action)), 0, size, 0, 0)
	}
}

// CleanMask unblocks all signals on the calling thread, which must be locked to its goroutine. A fork from it gives
// the child an empty mask. Nothing is lost by it: every signal has a handler since Listen.
func CleanMask() {
	var none unix.Sigset_t
	// rt_sigprocmask(2) refuses only a bad address or a bad how.
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
}
