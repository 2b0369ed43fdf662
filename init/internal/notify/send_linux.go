package notify

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Send sends one message of NAME, value, NAME, value. A manager that does not read holds PID 1 for a second at most.
func (n *Notifier) Send(pairs ...string) error {
	if n.path == "" {
		return nil
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("notify the manager: %w", err)
	}
	defer unix.Close(fd)
	_ = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: 1})
	// A name that begins with @ is taken for one in the abstract namespace by x/sys too.
	to := &unix.SockaddrUnix{Name: n.path}
	if err := unix.Sendto(fd, []byte(Assign(pairs...)), unix.MSG_NOSIGNAL, to); err != nil {
		return fmt.Errorf("notify the manager at %s: %w", n.path, err)
	}
	return nil
}
