package lifecycle

import (
	"fmt"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is the host's service manager as sd_notify(3) reaches it. Without
// $NOTIFY_SOCKET it is told nothing.
type Manager struct {
	wait bool // READY=1 waits for the container's own (--notify-ready)
}

// NewManager takes the socket's name from the environment at each message, so
// it must be made before the environment changes.
func NewManager(notifyReady bool) *Manager { return &Manager{wait: notifyReady} }

// Started tells that PID 1 runs, and ready unless the container says so itself.
func (m *Manager) Started(leader int) {
	state := fmt.Sprintf("STATUS=Container running.\nX_NSPAWN_LEADER_PID=%d", leader)
	if !m.wait {
		state += "\nREADY=1"
	}
	m.send(state)
}

// Ready tells that the container is ready.
func (m *Manager) Ready() {
	if m.wait {
		m.send("READY=1\nSTATUS=Container running, ready.")
	}
}

// Status passes on what the container is doing; the text must be printable.
func (m *Manager) Status(text string) { m.send("STATUS=Container running: " + text) }

// send ignores errors: a manager that does not listen must not end a container.
func (m *Manager) send(state string) { _, _ = daemon.SdNotify(false, state) }
