// Package devnodes knows which device nodes and links a /dev needs and makes
// them.
//
// Input: two tables (a container's /dev, a bare machine's /dev), the
// modules.devname file of every module tree, /etc/group. Output: nodes in a
// /dev directory, or their listing in the formats of kmod-static-nodes(8).
//
// Stages: ReadModulesDevname (text to []Node), Defaults (udev's modes and
// groups), Plan (several sets to one) are pure; Static opens files; Apply alone
// changes the system.
package devnodes

import (
	"fmt"
	"path"
	"strings"
)

// Type says what a Node is. Its value is the letter that mknod(1), ls(1) and
// modules.devname use.
type Type byte

const (
	Char      Type = 'c' // character device
	Block     Type = 'b' // block device
	Link      Type = 'l' // symbolic link
	Directory Type = 'd' // directory, for instance a mount point
)

// String returns the type's letter.
func (t Type) String() string { return string(rune(t)) }

// MarshalText gives the type's letter to encoders.
func (t Type) MarshalText() ([]byte, error) { return []byte{byte(t)}, nil }

// IsDevice reports whether nodes of this type carry a device number.
func (t Type) IsDevice() bool { return t == Char || t == Block }

// Limits of the kernel's dev_t: 12 bits of major, 20 bits of minor
// (include/linux/kdev_t.h).
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

// Node is one entry of /dev.
type Node struct {
	// Name is the path below /dev: "null", "snd/seq".
	Name string `json:"name"`
	Type Type   `json:"type"`
	// Major and Minor are the device number of Char and Block.
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
	// Mode holds the permission bits, the sticky bit included (01777). A Link
	// has none.
	Mode uint32 `json:"mode"`
	// Group owns the node together with root; empty is root's own group.
	Group string `json:"group,omitempty"`
	// Target is what a Link holds.
	Target string `json:"target,omitempty"`
	// Module is what the kernel loads when the node is opened; empty outside
	// modules.devname.
	Module string `json:"module,omitempty"`
}

// Number gives the device number as MAJOR:MINOR.
func (n Node) Number() string { return fmt.Sprintf("%d:%d", n.Major, n.Minor) }

// same reports whether two nodes of one name are the same object, whatever
// their mode and owner.
func (n Node) same(o Node) bool {
	return n.Type == o.Type && n.Major == o.Major && n.Minor == o.Minor && n.Target == o.Target
}

// check refuses a node that Apply could not make, or that would lead out of
// /dev.
func (n Node) check() error {
	if err := checkName(n.Name); err != nil {
		return err
	}
	switch n.Type {
	case Char, Block:
		if n.Major > maxMajor {
			return fmt.Errorf("major number %d is above %d", n.Major, maxMajor)
		}
		if n.Minor > maxMinor {
			return fmt.Errorf("minor number %d is above %d", n.Minor, maxMinor)
		}
	case Link:
		if n.Target == "" {
			return fmt.Errorf("link %q has no target", n.Name)
		}
	case Directory:
	default:
		return fmt.Errorf("unknown node type %q", n.Type.String())
	}
	return nil
}

// maxName is NAME_MAX of the kernel, for each component of a name.
const maxName = 255

// checkName accepts clean relative paths of printable characters. depmod writes
// nothing else; a modules.devname from elsewhere must not name a file outside
// /dev.
func checkName(name string) error {
	if name == "" || name == "." || path.IsAbs(name) || path.Clean(name) != name {
		return fmt.Errorf("node name %q is no path below /dev", name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return fmt.Errorf("node name %q leads out of /dev", name)
		}
		if len(part) > maxName {
			return fmt.Errorf("node name has a part of %d bytes, above %d", len(part), maxName)
		}
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c == 0x7f {
			return fmt.Errorf("node name %q holds a blank or control character", name)
		}
	}
	return nil
}
