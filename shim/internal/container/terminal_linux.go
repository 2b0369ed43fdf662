package container

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// socketpair makes the socket over which libcontainer sends the master of the
// console's pty, which it allocates inside the container.
func socketpair() (parent, child *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(fds[0]), "console"), os.NewFile(uintptr(fds[1]), "console"), nil
}

// receiveConsole takes the master: one descriptor, beside a name that does not
// matter. libcontainer has sent it before Start returned, so this does not
// block.
func receiveConsole(socket *os.File) (*os.File, error) {
	name, rights := make([]byte, unix.PathMax), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(socket.Fd()), name, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("receive console: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:n])
	if err != nil {
		return nil, fmt.Errorf("receive console: %w", err)
	}
	if len(messages) != 1 {
		return nil, fmt.Errorf("receive console: %d control messages", len(messages))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("receive console: no descriptor (%v)", err)
	}
	return os.NewFile(uintptr(fds[0]), "console"), nil
}
