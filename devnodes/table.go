package devnodes

import "slices"

// set says in which /dev a node of the table belongs.
type set uint8

const (
	inContainer set = 1 << iota // what systemd-nspawn(1) gives a container
	inBoot                      // what a machine needs where no devtmpfs is mounted
)

// table is every node that is there without a module tree. Numbers are those of
// the kernel's Documentation/admin-guide/devices.txt; links and directories
// those of systemd's file-hierarchy(7) and of devices.txt, "Recommended links".
//
// Modes of devices are world-readable in a container, as nspawn has them, since
// the payload's group numbers are not known when the host makes its /dev.
var table = []struct {
	in   set
	node Node
}{
	{inContainer | inBoot, Node{Name: "null", Type: Char, Major: 1, Minor: 3, Mode: 0o666}},
	{inContainer | inBoot, Node{Name: "zero", Type: Char, Major: 1, Minor: 5, Mode: 0o666}},
	{inContainer | inBoot, Node{Name: "full", Type: Char, Major: 1, Minor: 7, Mode: 0o666}},
	{inContainer | inBoot, Node{Name: "random", Type: Char, Major: 1, Minor: 8, Mode: 0o666}},
	{inContainer | inBoot, Node{Name: "urandom", Type: Char, Major: 1, Minor: 9, Mode: 0o666}},
	{inContainer, Node{Name: "tty", Type: Char, Major: 5, Minor: 0, Mode: 0o666}},
	{inBoot, Node{Name: "tty", Type: Char, Major: 5, Minor: 0, Mode: 0o666, Group: "tty"}},
	{inBoot, Node{Name: "console", Type: Char, Major: 5, Minor: 1, Mode: 0o600}},
	{inBoot, Node{Name: "kmsg", Type: Char, Major: 1, Minor: 11, Mode: 0o644}},

	// A container has a devpts of its own, so that its ptmx must be that one's.
	{inContainer, Node{Name: "ptmx", Type: Link, Target: "pts/ptmx"}},
	{inBoot, Node{Name: "ptmx", Type: Char, Major: 5, Minor: 2, Mode: 0o666, Group: "tty"}},

	{inContainer | inBoot, Node{Name: "fd", Type: Link, Target: "/proc/self/fd"}},
	{inContainer | inBoot, Node{Name: "stdin", Type: Link, Target: "/proc/self/fd/0"}},
	{inContainer | inBoot, Node{Name: "stdout", Type: Link, Target: "/proc/self/fd/1"}},
	{inContainer | inBoot, Node{Name: "stderr", Type: Link, Target: "/proc/self/fd/2"}},
	// No core link in a container: /proc/kcore is the host's memory.
	{inBoot, Node{Name: "core", Type: Link, Target: "/proc/kcore"}},

	{inContainer | inBoot, Node{Name: "pts", Type: Directory, Mode: 0o755}},
	{inContainer | inBoot, Node{Name: "shm", Type: Directory, Mode: 0o1777}},
	{inContainer | inBoot, Node{Name: "mqueue", Type: Directory, Mode: 0o1777}},
}

// Container returns the nodes of a container's /dev, as systemd-nspawn 252
// makes them, without those that need a decision: console (a pty of the
// manager) and net/tun (Tun). The caller owns the slice.
func Container() []Node { return pick(inContainer) }

// Boot returns the nodes that a machine needs before any module is loaded,
// where /dev is not a devtmpfs. The caller owns the slice.
func Boot() []Node { return pick(inBoot) }

// Tun returns the node of the TUN/TAP driver, which nspawn copies into a
// container where the host has it.
func Tun() Node {
	return Node{Name: "net/tun", Type: Char, Major: 10, Minor: 200, Mode: 0o666, Module: "tun"}
}

func pick(want set) []Node {
	var nodes []Node
	for _, row := range table {
		if row.in&want != 0 {
			nodes = append(nodes, row.node)
		}
	}
	return slices.Clip(nodes)
}
