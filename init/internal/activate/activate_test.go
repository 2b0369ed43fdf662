package activate

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	system := filepath.Join(dir, "store/system")
	for _, d := range []string{system + "/sw", dir + "/sbin", dir + "/usr/bin", dir + "/profiles"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		dir + "/sbin/init":       system + "/init",
		dir + "/profiles/system": system,
		dir + "/sbin/relative":   "../store/system/init",
		dir + "/loop":            dir + "/loop",
		dir + "/usr/bin/init":    "../../sbin/init",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{system + "/init", dir + "/init"} {
		if err := os.WriteFile(file, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for argv0, want := range map[string]string{
		system + "/init":                 system,
		dir + "/profiles/system/init":    dir + "/profiles/system",
		dir + "/sbin/init":               system,
		dir + "/sbin/relative":           system,
		dir + "/usr/bin/init":            system,
		dir + "/init":                    "",
		dir + "/loop":                    "",
		dir + "/nonesuch/init":           "",
		"init":                           "",
		system + "/activate":             "",
		filepath.Join(system, "../init"): "",
	} {
		if got := Find(argv0); got != want {
			t.Errorf("Find(%s) = %q, want %q", argv0, got, want)
		}
	}
	if got, err := Resolve(dir + "/profiles/system"); err != nil || got != system {
		t.Errorf("Resolve: %q, %v", got, err)
	}
	if _, err := Resolve(dir + "/sbin"); !errors.Is(err, ErrNoSystem) {
		t.Errorf("Resolve of no system: %v", err)
	}
}

func TestEnviron(t *testing.T) {
	t.Parallel()
	got := Environ([]string{"PATH=/x", "HOME=/y", "systemConfig=/old", "container=firn"}, "/s")
	want := []string{"container=firn", "systemConfig=/s", "HOME=/root", "PATH=/s/sw/bin:/s/sw/sbin:/usr/bin:/usr/sbin:/bin:/sbin"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "current-system")
	for _, target := range []string{"/a", "/b"} {
		if err := link(target, name); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(name); err != nil || got != target {
			t.Errorf("%q, %v, want %q", got, err, target)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(name)); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}
