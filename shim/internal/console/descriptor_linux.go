package console

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// descriptor is an end's file, read and written without blocking. It is
// the session's own: a duplicate of the caller's descriptor, or a file of its
// own on the same terminal or pipe. Only the latter can be made non-blocking:
// O_NONBLOCK on the caller's would hold for the shell that shares it, and after
// we are gone. A duplicate is asked by poll first, and written in pieces.
type descriptor struct {
	fd     int
	shared bool
	pty    bool // the master: EIO is a hangup, not an end
}

// sharedPiece is what POLLOUT promises of a pipe: PIPE_BUF, pipe(7).
const sharedPiece = 4096

// own makes the session's descriptor of a user's file; flags is O_RDONLY or
// O_WRONLY. Regular files keep the caller's: a new one would begin at offset
// 0; other devices may have a meaning to being opened.
func own(f *os.File, flags int) (*descriptor, error) {
	fd := int(f.Fd())
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if terminal := err == nil; terminal || stat.Mode&unix.S_IFMT == unix.S_IFIFO {
		link := fmt.Sprintf("/proc/self/fd/%d", fd)
		fresh, err := unix.Open(link, flags|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
		if err == nil {
			return &descriptor{fd: fresh}, nil
		}
		// No permission after a change of user, a terminal that hung up, no /proc.
	}
	fresh, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate %s: %w", f.Name(), err)
	}
	return &descriptor{fd: fresh, shared: true}, nil
}

// ownMaster makes the pty non-blocking: it is shared with nobody.
func ownMaster(f *os.File) (*descriptor, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate pty: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make pty non-blocking: %w", err)
	}
	return &descriptor{fd: fd, pty: true}, nil
}

func (d *descriptor) Read(p []byte) (int, error) {
	if d.shared && !d.polls(unix.POLLIN) {
		return 0, errAgain
	}
	n, err := retry(func() (int, error) { return unix.Read(d.fd, p) })
	if err != nil {
		return 0, d.classify(err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d *descriptor) Write(p []byte) (int, error) {
	if d.shared {
		if !d.polls(unix.POLLOUT) {
			return 0, errAgain
		}
		p = p[:min(len(p), sharedPiece)]
	}
	n, err := retry(func() (int, error) { return unix.Write(d.fd, p) })
	if err != nil {
		return 0, d.classify(err)
	}
	return n, nil
}

func (d *descriptor) classify(err error) error {
	switch {
	case errors.Is(err, unix.EAGAIN):
		return errAgain
	case d.pty && errors.Is(err, unix.EIO):
		return errHangup
	}
	return err
}

// polls asks whether it can be read or written now. Anything else that poll
// tells (POLLHUP, POLLERR) is found out by the call itself.
func (d *descriptor) polls(events int16) bool {
	set := []unix.PollFd{{Fd: int32(d.fd), Events: events}}
	n, err := retry(func() (int, error) { return unix.Poll(set, 0) })
	return err != nil || n > 0
}

func (d *descriptor) close() { unix.Close(d.fd) }

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
