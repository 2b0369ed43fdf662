package systemd

import (
	"context"
	"fmt"
	"os"

	"github.com/coreos/go-systemd/v22/dbus"
	"github.com/coreos/go-systemd/v22/unit"
	godbus "github.com/godbus/dbus/v5"
)

// DefaultSlice holds containers, as systemd-nspawn(1), --slice=, says.
const DefaultSlice = "machine.slice"

// ScopeName is the scope that systemd-machined and systemd-nspawn would make
// for the container.
func ScopeName(name string) string { return "machine-" + unit.UnitNameEscape(name) + ".scope" }

// EnterScope moves this process into a transient scope of its own, with its
// cgroup delegated, below the slice. The scope ends with its last process.
func EnterScope(ctx context.Context, name, slice string) (scope string, err error) {
	conn, err := dbus.NewSystemdConnectionContext(ctx)
	if err != nil {
		return "", fmt.Errorf("connect to systemd: %w", err)
	}
	defer conn.Close()
	scope = ScopeName(name)
	result := make(chan string, 1)
	_, err = conn.StartTransientUnitContext(ctx, scope, "fail", []dbus.Property{
		dbus.PropDescription("Container " + name),
		dbus.PropSlice(slice),
		dbus.PropPids(uint32(os.Getpid())),
		{Name: "Delegate", Value: godbus.MakeVariant(true)},
		{Name: "CollectMode", Value: godbus.MakeVariant("inactive-or-failed")},
		// Stopping the scope is a stop like any other: PID 1 is asked first,
		// by the supervisor, to whom the signal goes.
		{Name: "KillMode", Value: godbus.MakeVariant("mixed")},
	}, result)
	if err != nil {
		return "", fmt.Errorf("make scope %s: %w", scope, err)
	}
	select {
	case how := <-result:
		if how != "done" {
			return "", fmt.Errorf("make scope %s: job ended as %q", scope, how)
		}
	case <-ctx.Done():
		return "", ctx.Err()
	}
	return scope, nil
}
