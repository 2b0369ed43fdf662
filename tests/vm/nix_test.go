//go:build vm

package vm

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"firn/tests/require"
	"firn/tests/rootfs"
)

// nixStore makes a Nix store of firn-init and busybox in a directory of the host,
// to be seen at /nix in a guest.
func nixStore(t *testing.T) (nix *rootfs.Nix, dir string) {
	t.Helper()
	dir = t.TempDir()
	nix, err := rootfs.MakeNix(dir, Binary(t, "firn-init", "").Source, require.Program(t, "busybox"))
	if err != nil {
		t.Fatal(err)
	}
	// As in a real store nothing can be written to, which would keep others than
	// root from removing it.
	t.Cleanup(func() {
		err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
			if d != nil && d.IsDir() {
				return errors.Join(err, os.Chmod(file, 0o755))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	return nix, dir
}
