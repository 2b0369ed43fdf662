package vm

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// Ending is how a machine has ended.
type Ending string

const (
	PoweredOff Ending = "powered off"
	Reset      Ending = "reset"
	Panicked   Ending = "kernel panic"
	Halted     Ending = "halted"
	Killed     Ending = "killed by the test"
	Crashed    Ending = "QEMU ended by itself"
)

// What the kernel says on the console at its end. Halt leaves QEMU running, and
// with panic=-1 a panic is a reset to it.
const (
	panicLine = "Kernel panic - not syncing"
	haltLine  = "reboot: System halted"
)

// ending decides from the reason in QMP's SHUTDOWN event (qapi/run-state.json,
// ShutdownCause), the console, and whether the test has killed the machine.
func ending(reason, console string, killed bool) Ending {
	switch {
	case strings.Contains(console, panicLine):
		return Panicked
	case strings.Contains(console, haltLine):
		return Halted
	case reason == "guest-shutdown":
		return PoweredOff
	case reason == "guest-reset":
		return Reset
	case killed:
		return Killed
	}
	return Crashed
}

// watch enters QMP's command mode, in which events are told, and returns the
// reason of SHUTDOWN, or "" if QEMU ends without one.
func watch(monitor net.Conn) (string, error) {
	if _, err := io.WriteString(monitor, `{"execute":"qmp_capabilities"}`+"\n"); err != nil {
		return "", fmt.Errorf("write to monitor: %w", err)
	}
	in := json.NewDecoder(monitor)
	for {
		var message struct {
			Event string
			Data  struct{ Reason string }
			Error *struct{ Desc string }
		}
		err := in.Decode(&message)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return "", nil
		case err != nil:
			return "", fmt.Errorf("read from monitor: %w", err)
		case message.Error != nil:
			return "", fmt.Errorf("monitor: %s", message.Error.Desc)
		case message.Event == "SHUTDOWN":
			return message.Data.Reason, nil
		}
	}
}
