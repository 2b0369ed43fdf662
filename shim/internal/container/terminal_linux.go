package container

import (
	"fmt"
	"os"

	"github.com/opencontainers/runc/libcontainer/utils"
)

// socketpair makes the socket over which libcontainer sends the master of the
// console's pty, which it allocates inside the container.
func socketpair() (parent, child *os.File, err error) {
	return utils.NewSockPair("console")
}

// receiveConsole takes the master. libcontainer has sent it before Start
// returned, so this does not block.
func receiveConsole(socket *os.File) (*os.File, error) {
	master, err := utils.RecvFile(socket)
	if err != nil {
		return nil, fmt.Errorf("receive console: %w", err)
	}
	return master, nil
}
