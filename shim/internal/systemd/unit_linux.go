// Package systemd asks a host's systemd, where there is one, for what it is
// the authority on: units and scopes.
//
// Role: beside the stages "container" and "cli". Input: a container's name;
// output: unit names and the results of their jobs, over D-Bus.
package systemd

import (
	"context"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/dbus"
)

// Running tells whether systemd is the host's PID 1 (sd_booted(3)).
func Running() bool {
	info, err := os.Lstat("/run/systemd/system")
	return err == nil && info.IsDir()
}

// unitNames are the units a container may be run by: the origin's, NixOS's
// template for imperative containers, and systemd's own template.
func unitNames(name string) []string {
	return []string{"container-" + name + ".service", "container@" + name + ".service", "systemd-nspawn@" + name + ".service"}
}

// UnitOf returns the unit that runs the container called name. ok is false on
// a host without systemd, and where no such unit exists: an instance of a mere
// template counts only if it is enabled or running.
func UnitOf(ctx context.Context, name string) (unit string, ok bool) {
	if !Running() {
		return "", false
	}
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return "", false
	}
	defer conn.Close()
	for i, unit := range unitNames(name) {
		state, err := conn.GetUnitPropertyContext(ctx, unit, "LoadState")
		if err != nil || state.Value.Value() != "loaded" {
			continue
		}
		if i == 0 || established(ctx, conn, unit) {
			return unit, true
		}
	}
	return "", false
}

func established(ctx context.Context, conn *dbus.Conn, unit string) bool {
	for property, wants := range map[string][]string{
		"UnitFileState": {"enabled", "enabled-runtime"}, "ActiveState": {"active", "activating", "reloading"},
	} {
		value, err := conn.GetUnitPropertyContext(ctx, unit, property)
		if err != nil {
			continue
		}
		for _, want := range wants {
			if value.Value.Value() == want {
				return true
			}
		}
	}
	return false
}

// StartUnit starts the unit and, unless noBlock, waits for its job.
func StartUnit(ctx context.Context, unit string, noBlock bool) error {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return fmt.Errorf("connect to systemd: %w", err)
	}
	defer conn.Close()
	result := make(chan string, 1)
	if noBlock {
		result = nil
	}
	if _, err := conn.StartUnitContext(ctx, unit, "replace", result); err != nil {
		return fmt.Errorf("start %s: %w", unit, err)
	}
	if noBlock {
		return nil
	}
	select {
	case how := <-result:
		if how != "done" {
			return fmt.Errorf("start %s: job ended as %q, see systemctl status %s", unit, how, unit)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
