package container

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"firn/tests/require"
)

// Immutable and append-only files, and directories, are removed as all others.
func TestRemoveTree(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tree")
	locked := filepath.Join(dir, "src", "locked")
	if err := os.MkdirAll(filepath.Dir(locked), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(locked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{locked, filepath.Dir(locked)} {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, 0x10)
		f.Close()
		if err != nil {
			_ = unlockFile(locked)
			require.Missing(t, require.CapKernel, "immutable files: "+err.Error())
		}
	}
	if err := os.RemoveAll(dir); err == nil {
		t.Fatal("nothing was locked")
	}
	if err := removeTree(dir); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
}
