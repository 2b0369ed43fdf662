package devnodes

import (
	"bufio"
	"io"
	"path"
	"strconv"
)

// The three listings of kmod-static-nodes(8), byte for byte those of kmod for
// the nodes of ReadModulesDevname. Links and directories of a set have no place
// in them and are left out, but for the directories of tmpfiles.d(5).

// WriteHuman lists nodes for people; scripts should not parse it.
func WriteHuman(w io.Writer, nodes []Node) error {
	return write(w, nodes, func(b *bufio.Writer, n Node) {
		kind := "character"
		if n.Type == Block {
			kind = "block"
		}
		put(b, "Module: ", n.Module,
			"\n\tDevice node: /dev/", n.Name,
			"\n\t\tType: ", kind, " device",
			"\n\t\tMajor: ", decimal(n.Major),
			"\n\t\tMinor: ", decimal(n.Minor), "\n")
	})
}

// WriteTmpfiles lists nodes as tmpfiles.d(5) lines, each directory before its
// node, as often as it is needed. The "!" keeps systemd-tmpfiles from making
// them again on a running system.
func WriteTmpfiles(w io.Writer, nodes []Node) error {
	return write(w, nodes, func(b *bufio.Writer, n Node) {
		if dir := path.Dir(n.Name); dir != "." {
			put(b, "d /dev/", dir, " 0755 - - -\n")
		}
		group := n.Group
		if group == "" {
			group = "-"
		}
		put(b, n.Type.String(), "! /dev/", n.Name, " ", octal(n.Mode), " - ", group, " - ",
			decimal(n.Major), ":", decimal(n.Minor), "\n")
	})
}

// WriteDevname lists nodes as in modules.devname, without its comment.
func WriteDevname(w io.Writer, nodes []Node) error {
	return write(w, nodes, func(b *bufio.Writer, n Node) {
		put(b, n.Module, " ", n.Name, " ", n.Type.String(),
			decimal(n.Major), ":", decimal(n.Minor), "\n")
	})
}

func write(w io.Writer, nodes []Node, one func(*bufio.Writer, Node)) error {
	b := bufio.NewWriter(w)
	for _, n := range nodes {
		if n.Type.IsDevice() {
			one(b, n)
		}
	}
	return b.Flush() // bufio keeps the first write's error until here
}

func put(b *bufio.Writer, parts ...string) {
	for _, p := range parts {
		b.WriteString(p)
	}
}

func decimal(v uint32) string { return strconv.FormatUint(uint64(v), 10) }

// octal prints permission bits in at least four digits: 0600.
func octal(mode uint32) string {
	s := strconv.FormatUint(uint64(mode), 8)
	for len(s) < 4 {
		s = "0" + s
	}
	return s
}
