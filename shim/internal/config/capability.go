package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// capabilityNames has the numbers of linux/capability.h.
var capabilityNames = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK",
	"CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
	"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE",
	"CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
	"CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
}

// defaultCapabilities is the list of systemd-nspawn(1), --capability=.
var defaultCapabilities = []string{
	"CAP_AUDIT_CONTROL", "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_IPC_OWNER", "CAP_KILL",
	"CAP_LEASE", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP",
	"CAP_SETUID", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_CHROOT", "CAP_SYS_NICE",
	"CAP_SYS_PTRACE", "CAP_SYS_RESOURCE", "CAP_SYS_TTY_CONFIG",
}

// Capabilities lists the names that the package knows, by number.
func Capabilities() []string { return slices.Clone(capabilityNames) }

// Bounding is the set of capabilities that the container is to keep, in the
// order of their numbers: the documented default, CAP_NET_ADMIN if the network
// is private, and what Capability adds, less what DropCapability removes. What
// the host itself lacks is the next stage's business.
func (s *Security) Bounding(privateNetwork bool) []string {
	kept := slices.Clone(defaultCapabilities)
	if privateNetwork {
		kept = append(kept, "CAP_NET_ADMIN")
	}
	var names []string
	for _, name := range capabilityNames {
		if (slices.Contains(kept, name) || lists(s.Capability, name)) && !lists(s.DropCapability, name) {
			names = append(names, name)
		}
	}
	return names
}

func lists(list []Capability, name string) bool {
	return slices.ContainsFunc(list, func(c Capability) bool {
		return c.Name == name || c.Name == CapabilityAll
	})
}

// capabilities makes a setter that adds to a list. On the command line the
// names are separated by commas and "help" asks for the known names; in a file
// they are separated by blanks.
func capabilities(field func(*Config) *[]Capability, separators string) setter {
	return func(b *build, value string, from Origin) error {
		words, err := unitfile.ExtractWords(value, separators, 0)
		if err != nil {
			return err
		}
		for _, word := range words {
			if word == "help" && from.File == "" {
				b.c.Action = ActionCapabilities
				return nil
			}
			name, err := parseCapability(word)
			if err != nil {
				return err
			}
			if list := field(b.c); !slices.ContainsFunc(*list, func(c Capability) bool { return c.Name == name }) {
				*list = append(*list, Capability{Name: name, From: from})
			}
		}
		return nil
	}
}

// parseCapability reads a name in any case, a number, or "all".
func parseCapability(s string) (string, error) {
	if s == CapabilityAll {
		return s, nil
	}
	name := strings.ToUpper(s)
	if slices.Contains(capabilityNames, name) {
		return name, nil
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && int(n) < len(capabilityNames) {
		return capabilityNames[n], nil
	}
	if !strings.HasPrefix(name, "CAP_") {
		name = "CAP_" + name
	}
	return "", fmt.Errorf("unknown capability %q%s", printable(s), didYouMean(name, capabilityNames))
}
