package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// maxName is HOST_NAME_MAX of Linux; a machine name doubles as host name.
const maxName = 64

// parseMachine checks a machine name. It names a cgroup, a directory of the
// state and a host name, so it has the form of the latter.
func parseMachine(s string) (string, error) { return s, CheckMachineName(s) }

// CheckMachineName tells what is wrong with a machine name, or nil: it has the
// form of a host name (hostname(7)), at most 64 characters.
func CheckMachineName(s string) error {
	if err := checkHostname(s); err != nil {
		return fmt.Errorf("not a machine name: %w", err)
	}
	return nil
}

// parseHostname checks a host name as hostname(7) gives it.
func parseHostname(s string) (string, error) {
	if err := checkHostname(s); err != nil {
		return "", fmt.Errorf("not a host name: %w", err)
	}
	return s, nil
}

func checkHostname(s string) error {
	switch {
	case s == "":
		return errEmpty
	case len(s) > maxName:
		return fmt.Errorf("%d characters, the most is %d", len(s), maxName)
	}
	for label := range strings.SplitSeq(s, ".") {
		switch {
		case label == "":
			return errors.New(`"." at the start, at the end or doubled`)
		case label[0] == '-' || label[len(label)-1] == '-':
			return errors.New(`"-" at the start or end of a part`)
		}
		for _, c := range []byte(label) {
			if !isNameByte(c) {
				return fmt.Errorf("character %q", printable(string(rune(c))))
			}
		}
	}
	return nil
}

func isNameByte(c byte) bool {
	return isLetter(c) || '0' <= c && c <= '9' || c == '-'
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// MachineName is the name that was asked for, or the one that follows from the
// root directory: its last part, without the characters that a name cannot
// have. hostname is the name for the host's own root directory.
func (c *Config) MachineName(hostname string) (string, error) {
	if c.Machine.Set {
		return c.Machine.V, nil
	}
	name := hostname
	if dir := c.Root.Directory.V; dir != "" && dir != "/" {
		name = cleanName(filepath.Base(dir))
	} else if dir == "" {
		name = ""
	}
	if err := checkHostname(name); err != nil {
		return "", ErrNoName
	}
	return name, nil
}

// cleanName drops what a name cannot have: other characters, doubled dots, and
// dots and dashes at the ends of parts.
func cleanName(s string) string {
	var kept []string
	for label := range strings.SplitSeq(s, ".") {
		label = strings.Map(func(r rune) rune {
			if r < 0x80 && isNameByte(byte(r)) {
				return r
			}
			return -1
		}, label)
		if label = strings.Trim(label, "-"); label != "" {
			kept = append(kept, label)
		}
	}
	name := strings.Join(kept, ".")
	if len(name) > maxName {
		name = strings.TrimRight(name[:maxName], ".-")
	}
	return name
}

// parseUUID reads 32 hexadecimal digits, plain or in UUID form.
func parseUUID(s string) (string, error) {
	plain := s
	if len(s) == 36 {
		if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
			return "", errors.New("not a UUID")
		}
		plain = s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	}
	plain = strings.ToLower(plain)
	if len(plain) != 32 || strings.Trim(plain, "0123456789abcdef") != "" {
		return "", errors.New("not a UUID (32 hexadecimal digits, or in the form 8-4-4-4-12)")
	}
	if strings.Trim(plain, "0") == "" {
		return "", errors.New("UUID is all zero")
	}
	return plain, nil
}

// parseUser checks a user name or number. It is looked up in the container.
func parseUser(s string) (string, error) {
	switch {
	case s == "":
		return "", errEmpty
	case len(s) > 256 || !isText(s) || strings.ContainsAny(s, ":/ ") || s[0] == '-':
		return "", errors.New("not a user name or number")
	}
	return s, nil
}
