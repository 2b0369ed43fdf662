package vm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestClosure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"modules.dep":     "k/a.ko: k/b-b.ko k/c.ko\nk/b-b.ko: k/c.ko\nk/c.ko:\nk/d.ko.xz: k/c.ko\n",
		"modules.builtin": "k/in.ko\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	deps, err := readDependencies(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := deps.closure([]string{"a", "in", "b_b", "d"})
	want := []string{"k/c.ko", "k/b-b.ko", "k/a.ko", "k/d.ko.xz"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := deps.closure([]string{"none"}); err == nil {
		t.Error("a module that is nowhere is no error")
	}
}
