// Package boot is boot mode: the steps that bring a system up, the loop that keeps it, and the way to its halt. Its
// input is what main found on the command line, the environment and the signal queue; its output is a running system,
// and at its end an exit code where reboot(2) does not come first. It holds the other packages below init/internal
// together; each of them is one step.
package boot

import "context"

// step is one thing to do at boot. Its error ends the boot if it is required, and is a warning if not.
type step struct {
	name     string
	required bool
	run      func(*System, context.Context) error
	// unit is told to the manager as active once this step is done (sd_notify, X_SYSTEMD_UNIT_ACTIVE).
	unit string
}

// steps are in order. Activation comes early since a NixOS system has no /etc before its first: the host name, the
// lists of modules and the groups of nodes are made by it. The kernel's own order, modules before all, is only for
// what the root file system needs, which is an initrd's work.
var steps = []step{
	{name: "mounts", required: true, run: (*System).mountMissing},
	{name: "device nodes", run: (*System).basicNodes},
	{name: "log", run: (*System).chooseLog},
	{name: "cgroups", run: (*System).findPlace},
	{name: "loopback", run: (*System).loopback},
	{name: "activation", required: true, run: (*System).activate},
	{name: "host name", run: (*System).hostname},
	{name: "machine id", run: (*System).machineID},
	{name: "modules", run: (*System).modules},
	{name: "static nodes", run: (*System).staticNodes, unit: "sysinit.target"},
	{name: "container marker", run: (*System).marker, unit: "basic.target"},
	{name: "service", required: true, run: (*System).startService},
}
