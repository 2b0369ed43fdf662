package kmod

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeFiles makes files below dir: "PATH" -> content.
func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const testRelease = "6.0-test"

// fakeRoot makes a root with one module tree from text indexes, and empty
// module files for all that modules.dep names.
func fakeRoot(t testing.TB, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	writeFiles(t, root, files)
	tree := "lib/modules/" + testRelease + "/"
	for _, line := range strings.Split(files[tree+"modules.dep"], "\n") {
		if path, _, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(path, "/") {
			if _, given := files[tree+path]; !given {
				writeFiles(t, root, map[string]string{tree + path: "\x7fELF"})
			}
		}
	}
	return root
}

func tree(name string) string { return "lib/modules/" + testRelease + "/" + name }

// fakeKernel is a kernel below root that takes every module, and remembers.
type fakeKernel struct {
	root string
	t    testing.TB
}

// load marks a module as loaded in the fake /sys.
func (k *fakeKernel) load(name string) {
	writeFiles(k.t, k.root, map[string]string{"sys/module/" + name + "/initstate": "live\n"})
}
