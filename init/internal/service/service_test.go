package service

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestRootShell(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"root:x:0:0:root:/root:/bin/zsh\n":                    "/bin/zsh",
		"# odd\nbin:x:1:1::/:/x\ntoor:x:0:0::/root:/bin/fish": "/bin/fish",
		"root:x:0:0:root:/root:\n":                            "",
		"root:x:0:0:/bin/sh\n":                                "",
		"":                                                    "",
		"::0::::/bin/a\nroot:x:0:0:root:/root:/bin/b\n+:::::::\n": "/bin/a",
	} {
		if got := RootShell(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFindShell(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	put := func(name string, mode os.FileMode) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte("root:x:0:0::/root:/bin/own\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		put  string
		mode os.FileMode
		want string
	}{
		{"/etc/passwd", 0o644, ""}, {"/bin/bash", 0o644, ""}, {"/bin/sh", 0o755, "/bin/sh"},
		{"/run/current-system/sw/bin/bash", 0o755, "/run/current-system/sw/bin/bash"}, {"/bin/own", 0o755, "/bin/own"},
	} {
		put(step.put, step.mode)
		if got := FindShell(root); got != step.want {
			t.Errorf("with %s: %q, want %q", step.put, got, step.want)
		}
	}
}

func TestNextDelay(t *testing.T) {
	t.Parallel()
	if got := NextDelay(time.Minute, maxDelay); got != 0 {
		t.Errorf("after a session: %s", got)
	}
	delay := time.Duration(0)
	for range 20 {
		next := NextDelay(time.Millisecond, delay)
		if next < delay || next == 0 || next > maxDelay {
			t.Fatalf("%s after %s", next, delay)
		}
		delay = next
	}
	if delay != maxDelay {
		t.Errorf("ends at %s", delay)
	}
}

func FuzzRootShell(f *testing.F) {
	f.Add("root:x:0:0:root:/root:/bin/zsh\n")
	f.Fuzz(func(t *testing.T, text string) { RootShell(text) })
}
