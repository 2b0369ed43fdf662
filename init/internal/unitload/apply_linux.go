package unitload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
)

// Apply makes changes below a root directory. Directories of links are made where they are missing, and removed when
// their last link is. It stops at the first error; what is done stays done, and doing it again does no harm.
func Apply(dir string, changes []Change) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open root: %w", err)
	}
	defer root.Close()
	for _, c := range changes {
		if err := apply(root, c); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	return nil
}

func apply(root *os.Root, c Change) error {
	name := c.Path[1:]
	if c.Target == "" {
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if parent := path.Dir(name); "/"+parent != configDir {
			_ = root.Remove(parent) // not empty: another unit's links
		}
		return nil
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	err := root.Symlink(c.Target, name)
	if errors.Is(err, fs.ErrExist) {
		if target, readErr := root.Readlink(name); readErr == nil && target == c.Target {
			return nil
		}
	}
	return err
}
