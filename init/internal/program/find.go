// Package program finds what to execute. Its input is a name and a search path, its output the path of a file; the
// stage before reap.
package program

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotFound says that no directory of the search path has the program.
var ErrNotFound = errors.New("not found in the search path")

// Find resolves a name as execvp(3) does: one with a slash is a path already. Programs in the current directory are
// found by no empty element of the path: PID 1 runs as root wherever its manager left it. What is found but may not
// be executed is fs.ErrPermission, if nothing better is found after it.
func Find(name, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if name == "" {
		return "", fmt.Errorf("find program \"\": %w", ErrNotFound)
	}
	found := ErrNotFound
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		file := filepath.Join(dir, name)
		info, err := os.Stat(file)
		switch {
		case err != nil || info.IsDir():
			continue
		case info.Mode().Perm()&0o111 == 0:
			found = fs.ErrPermission
			continue
		}
		return file, nil
	}
	return "", fmt.Errorf("find program %s: %w", name, found)
}
