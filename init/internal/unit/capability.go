package unit

import (
	"strings"

	"firn/init/unitfile"
)

// capabilityNames are Linux's by number, without "CAP_" (capabilities(7)).
var capabilityNames = []string{"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
	"SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE",
	"SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN",
	"SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"}

const allCapabilities = 1<<64 - 1

// ParseCapability reads a capability's name, in upper or lower case, or number.
func ParseCapability(s string) (uint8, error) {
	name := strings.ToUpper(s)
	for i, known := range capabilityNames {
		if name == "CAP_"+known {
			return uint8(i), nil
		}
	}
	n, err := within(0, 63)(nil, s)
	if err != nil {
		return 0, ErrValue
	}
	return uint8(n), nil
}

// CapabilityName is the name of a capability by its number, such as "cap_chown"; "" if it is not known.
func CapabilityName(n uint8) string {
	if int(n) >= len(capabilityNames) {
		return ""
	}
	return "cap_" + strings.ToLower(capabilityNames[n])
}

// capabilities reads a list that adds up over lines; "~" before it takes away (systemd.exec(5)).
func capabilities(field func(e *Exec) *uint64, initial uint64) parser {
	return func(r *reader, u *Unit, value string) error {
		list, invert := strings.CutPrefix(value, "~")
		words, err := unitfile.ExtractWords(list, "", unitfile.Unquote)
		if err != nil {
			return err
		}
		var sum uint64
		for _, word := range words {
			c, err := ParseCapability(word)
			if err != nil {
				r.warn("%q is no capability", word)
				continue
			}
			sum |= 1 << c
		}
		set := field(u.Exec)
		switch {
		case sum == 0 || *set == initial:
			*set = sum
			if invert {
				*set = ^sum
			}
		case invert:
			*set &^= sum
		default:
			*set |= sum
		}
		return nil
	}
}

// secureBitNames are the bits of prctl(2), PR_SET_SECUREBITS.
var secureBitNames = []string{"noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps",
	"keep-caps-locked"}

func secureBits(_ *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.SecureBits = 0
		return nil
	}
	for _, word := range strings.Fields(value) {
		bit, err := choice[uint8](secureBitNames...)(nil, word)
		if err != nil {
			return err
		}
		u.Exec.SecureBits |= 1 << bit
	}
	return nil
}
