package hostname

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Set sets the name as Choose says and gives the one that holds then. A bad file does not keep a nameless machine from
// getting Fallback.
func Set(file string, machine bool) (string, error) {
	current, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("read host name: %w", err)
	}
	wanted, bad := read(file)
	name := Choose(current, wanted, machine)
	if name == "" {
		return current, bad
	}
	if err := unix.Sethostname([]byte(name)); err != nil {
		return current, errors.Join(bad, fmt.Errorf("set host name %s: %w", name, err))
	}
	return name, bad
}

func read(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read host name: %w", err)
	}
	name, err := Parse(string(text))
	if err != nil {
		return "", fmt.Errorf("read host name: %s: %w", file, err)
	}
	return name, nil
}
