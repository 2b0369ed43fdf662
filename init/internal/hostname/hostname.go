// Package hostname sets the host name where the manager has not. Its input is /etc/hostname, its output the name in
// the UTS namespace; a boot step.
package hostname

import (
	"errors"
	"strings"
)

// ErrInvalid: not a host name by hostname(5).
var ErrInvalid = errors.New("not a valid host name")

// maxLength is the kernel's (__NEW_UTS_LEN).
const maxLength = 64

// Fallback is the name of a machine that was given none.
const Fallback = "localhost"

// Parse reads the text of /etc/hostname: the first line that is neither empty nor a comment (hostname(5)). Without
// one the name is empty.
func Parse(text string) (string, error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name := strings.TrimSuffix(line, ".")
		if !valid(name) {
			return "", ErrInvalid
		}
		return name, nil
	}
	return "", nil
}

func valid(name string) bool {
	if name == "" || len(name) > maxLength {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' {
				return false
			}
		}
	}
	return true
}

// Choose gives the name to set, empty to leave the one that is there. A container's name is its manager's to choose,
// unless that has left it at what the kernel starts with; a machine's is /etc/hostname's.
func Choose(current, file string, machine bool) string {
	unset := current == "" || current == "(none)"
	switch {
	case file != "" && (unset || machine || current == Fallback) && file != current:
		return file
	case file == "" && unset:
		return Fallback
	}
	return ""
}
