// Package spec turns what was asked (config.Config) and what host and root
// file system offer (Facts) into the one description of a container: OCI's
// runtime-spec, with the little that it has no field for beside it.
//
// Role: the second stage of the data flow. Input: a validated Config and
// Facts; output: a Spec. The package is pure: no file is read and no process
// asked, so that the whole policy of firn (which mounts, which capabilities,
// which environment) is read, tested and compared as data. What libcontainer
// makes of it is shim/internal/lower's business.
package spec

import (
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/cgroups"
	"firn/shim/internal/config"
)

// Spec describes one container completely.
type Spec struct {
	OCI *specs.Spec
	// Locked holds the destinations of read-only bind mounts that root inside
	// must not be able to make writable: all of --bind-ro=, and /run/host.
	Locked map[string]bool
	// Blocked are the signals that PID 1 is executed with blocked, so that
	// one sent before it has its handlers stays pending (see Halt).
	Blocked []config.Signal
	// Affinity is the set of CPUs of PID 1; empty means all.
	Affinity []int
	// Console is where the container's terminal leads; never autopipe.
	Console config.ConsoleMode
	// Warnings are what was asked and cannot be had here, one sentence each.
	Warnings []string
}

// Facts are what Build must know of the host and of the root file system.
type Facts struct {
	Name         string              // the container's
	Root         string              // absolute path of the root, no symbolic link
	RunHost      string              // host directory that becomes /run/host
	Terminal     bool                // standard input and output are terminals
	Capabilities []string            // the caller's bounding set, CAP_NAME
	CgroupMode   cgroups.Mode        // how the host mounts its cgroups
	CgroupPath   string              // where PID 1 will stand, cgroups.Layout.Payload
	OSRelease    map[string]string   // the host's os-release(5)
	Environ      func(string) string // the caller's environment: TERM, SYSTEMD_NSPAWN_*
	Init         string              // the init that --boot found in the root, a path inside
	Shell        string              // the shell in the root, a path inside
	UUID         string              // the container's machine id, 32 hexadecimal digits
	User         User                // whom the payload runs as
	TunMode      os.FileMode         // permissions of the host's /dev/net/tun; 0 if it has none
	Memory       uint64              // physical memory, bytes
	FirnInit     bool                // firn-init stands at RunHostInit in the container
	Places       Places
}

// Places finds where things stand on the host. Errors need not name the
// option: Build does.
type Places interface {
	// Source is where a mount's source stands.
	Source(config.Source) (string, error)
	// WorkDir is an empty directory for the overlay whose upper directory is given.
	WorkDir(upper string) (string, error)
	// Inaccessible is a node of the target's type that nobody can use.
	Inaccessible(target string) (string, error)
}

// User is an entry of the container's user database.
type User struct {
	Name   string
	UID    uint32
	GID    uint32
	Groups []uint32
	Home   string
	Shell  string
}

// Bind is a bind mount that nobody asked for by name.
type Bind struct {
	Source, Target string
	ReadOnly       bool
}

// Build makes the Spec. Errors carry the place in the user's text.
func Build(c *config.Config, f *Facts) (*Spec, error) {
	if origin, ok := c.Network.Asked(); ok {
		return nil, fmt.Errorf("%s: private networks are not supported yet: the container shares the host's", origin)
	}
	s := &Spec{
		OCI:      &specs.Spec{Version: specs.Version, Hostname: c.Identity.Hostname.Or(f.Name)},
		Locked:   map[string]bool{},
		Affinity: c.Limits.CPUAffinity.V,
		Console:  consoleMode(c, f),
	}
	s.OCI.Root = &specs.Root{Path: f.Root, Readonly: c.Root.ReadOnly.V}
	s.OCI.Linux = &specs.Linux{
		Namespaces:    namespaces(),
		CgroupsPath:   f.CgroupPath,
		MaskedPaths:   slices.Clone(maskedPaths),
		ReadonlyPaths: slices.Clone(readonlyPaths),
		// Mounts made on the host later arrive inside, none leaks out.
		RootfsPropagation: "rslave",
	}
	for _, step := range []func(*config.Config, *Facts) error{
		s.buildProcess, s.buildMounts, s.buildLimits, s.buildResources,
	} {
		if err := step(c, f); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// namespaces: the host's network, as the origin of NixOS containers has it.
func namespaces() []specs.LinuxNamespace {
	return []specs.LinuxNamespace{
		{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.UTSNamespace},
		{Type: specs.IPCNamespace}, {Type: specs.CgroupNamespace},
	}
}

// consoleMode applies the defaults of systemd-nspawn(1), --console=.
func consoleMode(c *config.Config, f *Facts) config.ConsoleMode {
	mode := c.Console.Or(config.ConsoleReadOnly)
	if !c.Console.Set && f.Terminal {
		mode = config.ConsoleInteractive
	}
	if mode == config.ConsoleAutopipe {
		mode = config.ConsolePipe
		if f.Terminal {
			mode = config.ConsoleInteractive
		}
	}
	return mode
}

func (s *Spec) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}
