package program

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"a/tool": 0o755, "b/tool": 0o755, "a/plain": 0o644, "b/plain": 0o755, "a/only": 0o644, "a/dir/x": 0o755} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	path := "::" + "relative:" + dir + "/a:" + dir + "/none:" + dir + "/b"
	for name, want := range map[string]string{"tool": "/a/tool", "plain": "/b/plain"} {
		if got, err := Find(name, path); err != nil || got != dir+want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, want := range map[string]error{"nonesuch": ErrNotFound, "": ErrNotFound, "only": fs.ErrPermission, "dir": ErrNotFound} {
		if got, err := Find(name, path); !errors.Is(err, want) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, want)
		}
	}
	if got, err := Find("./x", path); err != nil || got != "./x" {
		t.Errorf("with a slash: %q, %v", got, err)
	}
}
