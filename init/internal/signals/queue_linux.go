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
//
// Two signals cannot be had in Go, whose runtime keeps them: SIGRTMIN+0, never blocked and without a handler, which the
// kernel therefore drops for PID 1; and SIGPROF.
func Listen() *Queue {
	q := &Queue{Child: make(chan os.Signal, 1), End: make(chan os.Signal, 8), Other: make(chan os.Signal, 64)}
	var other []os.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch {
		case sig == unix.SIGKILL, sig == unix.SIGSTOP, sig == 32, sig == 33, sig == RTMin, sig == unix.SIGPROF:
		case sig == unix.SIGCHLD:
			signal.Notify(q.Child, sig)
		case EndsSystem(sig):
			signal.Notify(q.End, sig)
		default:
			other = append(other, sig)
		}
	}
	signal.Notify(q.Other, other...)
	HearIgnored()
	return q
}

// EndsSystem reports whether a signal belongs to Queue.End.
func EndsSystem(sig syscall.Signal) bool {
	_, ends := EndsCommand(sig)
	return ends
}

// CleanMask unblocks all signals on the calling thread, which must be locked to its goroutine. A fork from it gives
// the child an empty mask. Nothing is lost by it: every signal has a handler since Listen.
func CleanMask() {
	var none unix.Sigset_t
	// rt_sigprocmask(2) refuses only a bad address or a bad how.
	_ = unix.PthreadSigmask(unix.SIG_SETMASK, &none, nil)
}

// threadSignals are those below SIGRTMIN that libcs keep for threads. The Go runtime leaves them as inherited, and make(1)
// for one starts programs with both ignored.
var threadSignals = []syscall.Signal{32, 33}

// disposition is struct sigaction as rt_sigaction(2) takes it on x86-64 and arm64; all zero it is SIG_DFL.
type disposition struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// HearIgnored sets the default for the signals that this process was started with as ignored and that no handler of Go's
// has replaced, so that what it starts inherits nothing.
func HearIgnored() {
	for _, sig := range threadSignals {
		var none disposition
		_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&none)), 0, unsafe.Sizeof(none.mask), 0, 0)
	}
}
