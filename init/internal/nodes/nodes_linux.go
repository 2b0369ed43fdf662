// Package nodes makes the device nodes of a booting system with firn/devnodes: those of a /dev that was just mounted,
// and the static ones of modules.devname, which make the kernel ask for their module when opened. Two boot steps.
package nodes

import (
	"errors"
	"io/fs"
	"path/filepath"

	"firn/devnodes"
	"firn/kmod"
)

// Basic fills a /dev that nobody else has filled: of a machine, whose devtmpfs lacks the links, or of a container.
func Basic(dev string, machine bool) error {
	set := devnodes.Container()
	if machine {
		set = devnodes.Boot()
	}
	return devnodes.Apply(dev, set, options())
}

// Static makes the nodes that the trees of the running kernel name, and gives their number. On a machine those that the
// kernel has made itself, for drivers that are built in, get the modes and groups of udev's rules too: there is no udev.
func Static(dev string, machine bool) (int, error) {
	list, err := devnodes.Static(filepath.Join("/lib/modules", kmod.KernelRelease(), "modules.devname"))
	if machine {
		made, e := devnodes.Existing(dev)
		list, err = append(list, made...), errors.Join(err, e)
	}
	if len(list) == 0 {
		return 0, err
	}
	plan, e := devnodes.Plan(list)
	return len(plan), errors.Join(err, e, devnodes.Apply(dev, plan, options()))
}

// options names groups as the system does. One without /etc/group has the group 0 only.
func options() devnodes.Options {
	groups, err := devnodes.LoadGroups("/etc/group")
	if err != nil {
		return devnodes.Options{}
	}
	return devnodes.Options{Groups: groups}
}

// Denied reports whether nothing but the lack of CAP_MKNOD kept nodes from being made, as in a container: the manager
// has made there what it wants to be there.
func Denied(err error) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return errors.Is(err, fs.ErrPermission)
	}
	for _, e := range joined.Unwrap() {
		if !Denied(e) {
			return false
		}
	}
	return true
}
