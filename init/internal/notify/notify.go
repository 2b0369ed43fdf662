// Package notify tells the container manager what happens, by sd_notify(3)'s protocol and systemd(1)'s additions for
// the PID 1 of a container (READINESS PROTOCOL). Its input are events of boot and halt, its output datagrams on
// $NOTIFY_SOCKET.
//
//	X_SYSTEMD_SIGNALS_LEVEL=2                      signals are handled from now on
//	X_SYSTEMD_MACHINE_ID=ID  X_SYSTEMD_HOSTNAME=N  once known
//	X_SYSTEMD_UNIT_ACTIVE=sysinit.target           mounts, nodes, activation and modules are done
//	X_SYSTEMD_UNIT_ACTIVE=basic.target             services may start
//	READY=1 STATUS=Ready.                          the service is started
//	X_SYSTEMD_UNIT_ACTIVE=multi-user.target
//	X_SYSTEMD_UNIT_INACTIVE=multi-user.target      a halt has begun
//	X_SYSTEMD_UNIT_ACTIVE=shutdown.target
//	EXIT_STATUS=N X_SYSTEMD_SHUTDOWN=VERB          last words; VERB is halt, poweroff, reboot or kexec
package notify

import "strings"

// Notifier sends to one socket; the zero Notifier sends nothing.
type Notifier struct {
	path string
}

// New makes a Notifier for the value of $NOTIFY_SOCKET: a path, or "@" and a name in the abstract namespace. The error
// tells of an address of another kind, such as a virtual machine's vsock, which is not supported.
func New(address string) (*Notifier, error) {
	if address == "" {
		return &Notifier{}, nil
	}
	if address[0] != '/' && address[0] != '@' {
		return &Notifier{}, errAddress(address)
	}
	return &Notifier{path: address}, nil
}

type errAddress string

func (e errAddress) Error() string {
	return "use $NOTIFY_SOCKET: address " + string(e) + " is neither a path nor @name"
}

// Assign joins assignments to a message. Line ends in values would be assignments of their own: they become blanks.
func Assign(pairs ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(pairs[i+1], "\n", " "))
	}
	return b.String()
}
