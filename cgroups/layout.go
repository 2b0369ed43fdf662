package cgroups

import (
	"path"
	"strings"
)

// The names below the hierarchy's mount point, for a container "web":
//
//	/machine                       Parent; under --keep-unit the unit's own cgroup
//	├── supervisor                 only under --keep-unit: the shim itself
//	└── web.nspawn                 Container: all of it; killed and removed as one
//	    └── system                 Payload: PID 1, alone; limits are set here
//	        ├── init.scope         where a systemd moves itself to
//	        ├── exec               Exec: processes of "firn exec"
//	        └── ...                the payload's own
//
// The 2013 NixOS module fixed machine/NAME.nspawn/system, and the stop
// scripts that came with it read its tasks file.
const (
	DefaultParent = "/machine"

	containerSuffix = ".nspawn"
	payloadName     = "system"
	initScope       = "init.scope"
	execName        = "exec"
	supervisorName  = "supervisor"
)

// Layout places one container in the cgroup tree. It is pure: it makes and
// reads nothing.
type Layout struct {
	Parent string // DefaultParent when empty
	Name   string // the machine's name
}

// Check tells whether the paths of l are safe to make and to remove.
// The error is a *PathError.
func (l Layout) Check() error {
	if l.Name == "" || strings.ContainsAny(l.Name, "/\n\x00") {
		return &PathError{Path: l.Name, Reason: "not a name for one cgroup"}
	}
	if l.Parent == "" || l.Parent == "/" {
		return nil
	}
	return checkPath(l.Parent)
}

func (l Layout) parent() string {
	if l.Parent == "" {
		return DefaultParent
	}
	return l.Parent
}

// Container is the cgroup of the whole container.
func (l Layout) Container() string { return path.Join(l.parent(), l.Name+containerSuffix) }

// Payload is where PID 1 starts, alone, and where limits are set.
func (l Layout) Payload() string { return path.Join(l.Container(), payloadName) }

// Exec is where processes that are run in the container from outside stand:
// below Payload, so that its limits hold for them, and not in it, since a
// stop script takes each PID in Payload for PID 1. The name has no suffix of
// a systemd unit, so a systemd as payload never takes it for one of its own.
func (l Layout) Exec() string { return path.Join(l.Payload(), execName) }

// Supervisor is where the shim moves itself under --keep-unit: on v2 the
// unit's cgroup, once it hands controllers down, may hold no process. It
// stands beside Container, not in it, so that killing the container spares it.
func (l Layout) Supervisor() string { return path.Join(l.parent(), supervisorName) }

// leaderPaths are the cgroups where PID 1 may be, the likeliest first.
func (l Layout) leaderPaths() []string {
	return []string{l.Payload(), path.Join(l.Payload(), initScope)}
}

// nameOf is the inverse of Container for one directory name.
func nameOf(dir string) (name string, ok bool) {
	name, ok = strings.CutSuffix(dir, containerSuffix)
	return name, ok && name != ""
}

// checkPath refuses what does not name one cgroup below the mount point.
// "/" is refused too: to kill or remove it is never meant.
func checkPath(p string) error {
	switch {
	case !strings.HasPrefix(p, "/"):
		return &PathError{Path: p, Reason: "not absolute"}
	case p == "/":
		return &PathError{Path: p, Reason: "the root of the hierarchy"}
	case path.Clean(p) != p:
		return &PathError{Path: p, Reason: "not in its shortest form"}
	case strings.ContainsAny(p, "\n\x00"):
		return &PathError{Path: p, Reason: "holds a newline or NUL"}
	}
	return nil
}
