package cgroups

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// /proc/PID/mountinfo, proc_pid_mountinfo(5):
//
//	line  = id SP parent SP major:minor SP root SP mountpoint SP options
//	        *( SP optional ) SP "-" SP fstype SP source SP superoptions LF
//
// Space, tab, newline, backslash (and "#" since Linux 6.4) are written as
// three octal digits after a backslash. Super options of a v1 hierarchy name
// its controllers ("rw,cpu,cpuacct") or its name ("rw,xattr,name=systemd").
type mount struct {
	id, parent int
	root       string
	point      string
	readOnly   bool // this mount, or the whole file system
	fstype     string
	super      []string
}

// parseMountinfo reads all lines; an error names the line.
func parseMountinfo(r io.Reader) ([]mount, error) {
	var mounts []mount
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read mountinfo: %w", err)
		}
		if line != "" {
			m, perr := parseMount(strings.TrimSuffix(line, "\n"))
			if perr != nil {
				return nil, fmt.Errorf("mountinfo:%d: %w", number, perr)
			}
			mounts = append(mounts, m)
		}
		if err != nil {
			return mounts, nil
		}
	}
}

func parseMount(line string) (mount, error) {
	left, right, ok := strings.Cut(line, " - ")
	if !ok {
		return mount{}, errors.New("no separator \" - \"")
	}
	before := strings.Split(left, " ")
	// The source may be empty ("cgroup  rw"): split, do not collapse.
	after := strings.Split(right, " ")
	if len(before) < 6 || len(after) < 3 {
		return mount{}, errors.New("too few fields")
	}
	id, err := strconv.Atoi(before[0])
	if err != nil {
		return mount{}, fmt.Errorf("mount ID %q is no number", before[0])
	}
	parent, err := strconv.Atoi(before[1])
	if err != nil {
		return mount{}, fmt.Errorf("parent ID %q is no number", before[1])
	}
	m := mount{
		id:     id,
		parent: parent,
		root:   unescape(before[3]),
		point:  unescape(before[4]),
		fstype: after[0],
		super:  strings.Split(after[len(after)-1], ","),
	}
	m.readOnly = hasOption(strings.Split(before[5], ","), "ro") || hasOption(m.super, "ro")
	return m, nil
}

func hasOption(options []string, want string) bool {
	for _, o := range options {
		if o == want {
			return true
		}
	}
	return false
}

// unescape undoes the octal escapes; anything else stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// hidden tells whether a path lookup of m.point ends somewhere else than in
// m, because another mount covers it. mountinfo lists covered mounts too: a
// cgroup2 mounted over /sys/fs/cgroup leaves the v1 mounts below in the list.
func hidden(mounts []mount, m mount) bool {
	byID := make(map[int]mount, len(mounts))
	for _, n := range mounts {
		byID[n.id] = n
		if n.parent == m.id && n.point == m.point && n.id != m.id {
			return true // stacked on m
		}
	}
	// On the way up, a sibling nearer to the root takes the lookup over; an
	// initramfs, its own parent, is nobody's sibling. The chain of parents is as long as the list at most; text that is not the
	// kernel's may hold a cycle.
	for range mounts {
		for _, n := range mounts {
			if n.parent == m.parent && n.id != m.id && n.id != n.parent && n.point != m.point && within(m.point, n.point) {
				return true
			}
		}
		up, ok := byID[m.parent]
		if !ok || up.id == m.id {
			return false
		}
		m = up
	}
	return false
}

// within tells whether p is dir or lies below it.
func within(p, dir string) bool {
	if dir == "/" {
		return strings.HasPrefix(p, "/")
	}
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}
