package spec

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/shim/internal/config"
)

// defaultCapabilities are those that systemd-nspawn(1) grants without a
// private network (--capability=, the list in its text). CAP_NET_ADMIN comes
// with a private network only.
var defaultCapabilities = []string{
	"CAP_AUDIT_CONTROL", "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH",
	"CAP_FOWNER", "CAP_FSETID", "CAP_IPC_OWNER", "CAP_KILL", "CAP_LEASE", "CAP_LINUX_IMMUTABLE",
	"CAP_MKNOD", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_RAW", "CAP_SETFCAP",
	"CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT",
	"CAP_SYS_NICE", "CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG",
}

// capabilities cuts the asked set to the caller's bounding set: the kernel
// refuses the rest with EPERM. Defaults are cut silently, since nobody asked
// for them by name; what was asked by name is warned about.
func (s *Spec) capabilities(c *config.Config, f *Facts) {
	want := slices.Clone(defaultCapabilities)
	for _, add := range c.Security.Capability {
		switch {
		case add.Name == config.CapabilityAll:
			want = append(want, f.Capabilities...)
		case !slices.Contains(f.Capabilities, add.Name):
			s.warn("%s: %s is not in firn's own bounding set and cannot be passed on", add.From, add.Name)
		default:
			want = append(want, add.Name)
		}
	}
	dropped := func(name string) bool {
		return slices.ContainsFunc(c.Security.DropCapability, func(d config.Capability) bool {
			return d.Name == name || d.Name == config.CapabilityAll
		})
	}
	var set []string
	for _, name := range f.Capabilities {
		if slices.Contains(want, name) && !dropped(name) {
			set = append(set, name)
		}
	}
	var ambient []string
	for _, a := range c.Security.Ambient {
		if a.Name == config.CapabilityAll {
			ambient = slices.Clone(set)
		} else if slices.Contains(set, a.Name) {
			ambient = append(ambient, a.Name)
		} else {
			s.warn("%s: %s is not among the container's capabilities", a.From, a.Name)
		}
	}
	s.OCI.Process.Capabilities = &specs.LinuxCapabilities{
		Bounding: set, Permitted: set, Effective: set, Inheritable: ambient, Ambient: ambient,
	}
}
