package cgroups

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// /proc/PID/cgroup, cgroups(7):
//
//	line = id ":" controllers ":" path LF
//
// id is 0 and controllers is empty for v2. controllers is a comma-separated
// list that may hold "name=NAME". The path is raw: it may hold colons, but no
// newline. It is relative to the reader's cgroup namespace: "/../x" lies
// outside of it. " (deleted)" follows a v2 cgroup that was removed.

// Membership is one line: where a process stands in one hierarchy.
type Membership struct {
	Controllers []string
	Named       string
	V2          bool
	Path        string
	Deleted     bool
}

// ParseProcCgroup reads a /proc/PID/cgroup file. It is pure.
func ParseProcCgroup(r io.Reader) ([]Membership, error) {
	var all []Membership
	in := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read membership: %w", err)
		}
		if line != "" {
			m, perr := parseMembership(strings.TrimSuffix(line, "\n"))
			if perr != nil {
				return nil, fmt.Errorf("cgroup:%d: %w", number, perr)
			}
			all = append(all, m)
		}
		if err != nil {
			return all, nil
		}
	}
}

func parseMembership(line string) (Membership, error) {
	fields := strings.SplitN(line, ":", 3)
	if len(fields) != 3 {
		return Membership{}, errors.New("fewer than 3 fields")
	}
	id, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil {
		return Membership{}, fmt.Errorf("hierarchy ID %q is no number", fields[0])
	}
	if !strings.HasPrefix(fields[2], "/") {
		return Membership{}, fmt.Errorf("path %q is not absolute", fields[2])
	}
	m := Membership{V2: id == 0 && fields[1] == "", Path: fields[2]}
	if m.V2 {
		m.Path, m.Deleted = strings.CutSuffix(m.Path, " (deleted)")
	}
	for _, c := range strings.Split(fields[1], ",") {
		if name, ok := strings.CutPrefix(c, "name="); ok {
			m.Named = name
		} else if c != "" {
			m.Controllers = append(m.Controllers, c)
		}
	}
	return m, nil
}

// Own is the cgroup of a process in the hierarchy that a service manager
// keeps its books in: name=systemd, else v2. Under --keep-unit it is the
// unit's cgroup. The error wraps ErrUnreachable if it is not mounted here.
func (h *Host) Own(pid int) (string, error) {
	memberships, err := h.memberships(pid)
	if err != nil {
		return "", err
	}
	for _, hr := range h.Hierarchies {
		if hr.tracks() {
			return hr.own(memberships)
		}
	}
	return "", fmt.Errorf("look up cgroup of process %d: neither name=systemd nor v2 is mounted: %w", pid, ErrUnreachable)
}

func (h *Host) memberships(pid int) ([]Membership, error) {
	f, err := os.Open(filepath.Join(h.proc, strconv.Itoa(pid), "cgroup"))
	if err != nil {
		return nil, fmt.Errorf("look up cgroup of process %d: %w", pid, err)
	}
	defer f.Close()
	memberships, err := ParseProcCgroup(f)
	if err != nil {
		return nil, fmt.Errorf("look up cgroup of process %d: %w", pid, err)
	}
	return memberships, nil
}

// own picks the membership of this hierarchy and makes it a path below the
// mount point.
func (hr Hierarchy) own(memberships []Membership) (string, error) {
	for _, m := range memberships {
		if !hr.holds(m) {
			continue
		}
		// With a root of "/.." the mount shows more than our namespace,
		// and no file tells the name in between.
		outside := m.Deleted || strings.HasPrefix(m.Path, "/..") || strings.HasPrefix(hr.Root, "/..")
		if outside || !within(m.Path, hr.Root) {
			return "", fmt.Errorf("cgroup %s of hierarchy %s: %w", m.Path, hr, ErrUnreachable)
		}
		return path.Join("/", strings.TrimPrefix(m.Path, hr.Root)), nil
	}
	return "", fmt.Errorf("hierarchy %s: %w", hr, ErrUnreachable)
}

func (hr Hierarchy) holds(m Membership) bool {
	if hr.V2 || m.V2 {
		return hr.V2 && m.V2
	}
	if hr.Named != "" {
		return hr.Named == m.Named
	}
	return slices.Contains(m.Controllers, hr.Controllers[0])
}
