package systemd

import (
	"context"
	"encoding/hex"
	"fmt"

	godbus "github.com/godbus/dbus/v5"
)

const (
	machinedName = "org.freedesktop.machine1"
	machinedPath = godbus.ObjectPath("/org/freedesktop/machine1")
)

// Machine is a registration with systemd-machined (org.freedesktop.machine1(5)),
// by which machinectl finds the container.
type Machine struct {
	conn *godbus.Conn
	name string
}

// Register makes the container known. Its PID 1 must stand in the unit that
// serves it: a scope or, with --keep-unit, a service.
func Register(ctx context.Context, name, uuid, root string, leader int) (*Machine, error) {
	id, err := hex.DecodeString(uuid)
	if err != nil || len(id) != 16 {
		return nil, fmt.Errorf("register with systemd-machined: machine id %q", uuid)
	}
	conn, err := godbus.ConnectSystemBus(godbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("register with systemd-machined: %w", err)
	}
	call := conn.Object(machinedName, machinedPath).CallWithContext(ctx, machinedName+".Manager.RegisterMachine", 0,
		name, id, "firn", "container", uint32(leader), root)
	if call.Err != nil {
		conn.Close()
		return nil, fmt.Errorf("register with systemd-machined: %w", call.Err)
	}
	return &Machine{conn: conn, name: name}, nil
}

// Unregister takes the registration back. machined does so itself when the
// unit ends; this is for the time in between, and for reboots.
func (m *Machine) Unregister() {
	if m == nil {
		return
	}
	m.conn.Object(machinedName, machinedPath).Call(machinedName+".Manager.UnregisterMachine", godbus.FlagNoReplyExpected, m.name)
	m.conn.Close()
}
