package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/containerd/continuity/fs"
	"golang.org/x/sys/unix"
)

// FromTemplate makes root a copy of the tree at template, with owners, modes,
// extended attributes, devices and hard links, unless root exists
// (systemd-nspawn(1), --template=). The copy appears whole or not at all: it is
// made beside root, under a name that begins with ".#", and renamed. File
// contents are shared where the file system can (copy_file_range(2)).
func FromTemplate(root, template string) error {
	if _, err := os.Lstat(root); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if info, err := os.Stat(template); err != nil || !info.IsDir() {
		return fmt.Errorf("template %s is not a directory", template)
	}
	// A copy that was cut short by SIGKILL is found by its name and redone.
	part := filepath.Join(filepath.Dir(root), ".#"+filepath.Base(root)+".part")
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("remove unfinished copy: %w", err)
	}
	if err := fs.CopyDir(part, template); err != nil {
		_ = os.RemoveAll(part)
		return fmt.Errorf("copy template: %w", err)
	}
	err := unix.Renameat2(unix.AT_FDCWD, part, unix.AT_FDCWD, root, unix.RENAME_NOREPLACE)
	if err != nil {
		_ = os.RemoveAll(part)
		return fmt.Errorf("copy template to %s: %w", root, err)
	}
	return nil
}
