package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// events is what a session waits for: its ends, the end of its context and
// the signals of its terminal.
//
// The ends are watched edge-triggered. A pty whose other end is open nowhere
// reports POLLHUP for as long as that lasts; edge-triggered it does so once,
// and again when something changes.
type events struct {
	epoll, wake int
	ports       map[int32]*port

	cancelled atomic.Bool
	terminal  atomic.Bool // SIGWINCH or SIGCONT came

	quit chan struct{}
	done sync.WaitGroup
}

func newEvents(ctx context.Context) (*events, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, fmt.Errorf("make eventfd: %w", err)
	}
	e := &events{epoll: epoll, wake: wake, ports: make(map[int32]*port), quit: make(chan struct{})}
	if err := e.add(wake, unix.EPOLLIN, nil); err != nil {
		unix.Close(epoll)
		unix.Close(wake)
		return nil, err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGWINCH, syscall.SIGCONT)
	e.done.Go(func() {
		defer signal.Stop(signals)
		e.listen(ctx, signals)
	})
	return e, nil
}

// listen turns what Go tells by channels into the one descriptor that the
// loop waits on.
func (e *events) listen(ctx context.Context, signals <-chan os.Signal) {
	ended := ctx.Done()
	for {
		select {
		case <-e.quit:
			return
		case <-ended:
			e.cancelled.Store(true)
			ended = nil
		case <-signals:
			e.terminal.Store(true)
		}
		// Full (EAGAIN) means that it is readable already.
		_, _ = unix.Write(e.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

func (e *events) close() {
	close(e.quit)
	e.done.Wait()
	unix.Close(e.epoll)
	unix.Close(e.wake)
}

// add watches fd for port. What epoll refuses (a regular file, /dev/null) is
// always ready.
func (e *events) add(fd int, mask uint32, p *port) error {
	event := unix.EpollEvent{Events: mask, Fd: int32(fd)}
	err := unix.EpollCtl(e.epoll, unix.EPOLL_CTL_ADD, fd, &event)
	if errors.Is(err, unix.EPERM) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch descriptor: %w", err)
	}
	if p != nil {
		e.ports[int32(fd)] = p
	}
	return nil
}

// wait marks the ends that became ready. limit below 0 waits for ever. It
// tells whether anything came.
func (e *events) wait(limit time.Duration) (any bool, err error) {
	milliseconds := -1
	if limit >= 0 {
		milliseconds = int((limit + time.Millisecond - 1) / time.Millisecond)
	}
	var list [8]unix.EpollEvent
	n, err := unix.EpollWait(e.epoll, list[:], milliseconds)
	if errors.Is(err, unix.EINTR) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("wait for console: %w", err)
	}
	for _, ev := range list[:n] {
		p := e.ports[ev.Fd]
		if p == nil {
			var count [8]byte
			_, _ = unix.Read(e.wake, count[:]) // back to zero
			continue
		}
		p.ready, p.writable = true, true
	}
	return n > 0, nil
}
