package container

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"firn/init/unitfile"
)

func readOSRelease() ([]byte, error) {
	content, err := os.ReadFile("/etc/os-release")
	if errors.Is(err, fs.ErrNotExist) {
		content, err = os.ReadFile("/usr/lib/os-release")
	}
	return content, err
}

// osRelease is the host's; a host without one is no error.
func osRelease() (map[string]string, error) {
	content, err := readOSRelease()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read os-release: %w", err)
	}
	return parseOSRelease(string(content)), nil
}

// parseOSRelease reads os-release(5): lines of NAME=value, quoted as for a
// shell. Lines that are not are passed over, as every reader of the file does.
func parseOSRelease(content string) map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(content) {
		name, quoted, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		words, err := unitfile.ExtractWords(quoted, "", unitfile.Unquote)
		if err == nil && len(words) <= 1 {
			values[name] = strings.Join(words, "")
		}
	}
	return values
}
