package unitfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes a directory of files; "-> target" as content makes a link.
func tree(t *testing.T, files map[string]string) fs.FS {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(root)
}

var searchDirs = []string{"etc/u", "run/u", "lib/u"}

func TestLoad(t *testing.T) {
	t.Parallel()
	fsys := tree(t, map[string]string{
		"run/u/a.service":              "[S]\nk=run\n",
		"lib/u/a.service":              "[S]\nk=lib\n",
		"lib/u/a.service.d/10-x.conf":  "[S]\nk=lib10\n",
		"etc/u/a.service.d/20-y.conf":  "[S]\nk=etc20\n",
		"lib/u/a.service.d/20-y.conf":  "[S]\nk=hidden\n",
		"run/u/a.service.d/05-z.conf":  "[S]\nk=run05\n",
		"etc/u/a.service.d/30-m.conf":  "-> /dev/null",
		"run/u/a.service.d/30-m.conf":  "[S]\nk=masked by link\n",
		"etc/u/a.service.d/40-e.conf":  "",
		"lib/u/a.service.d/40-e.conf":  "[S]\nk=masked by empty file\n",
		"etc/u/a.service.d/50-n.txt":   "[S]\nk=no conf\n",
		"etc/u/a.service.d/.60-n.conf": "[S]\nk=hidden file\n",
		"etc/u/a.service.d/70-d.conf":  "-> nowhere",
		"lib/u/a.service.d/80-l.conf":  "-> ../l",
		"lib/u/l":                      "[S]\nk=linked\n",
	})
	f, err := Load(fsys, searchDirs, "a.service")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range f.Values("S", "k") {
		got = append(got, a.Value+" "+a.File)
	}
	want := []string{
		"run /run/u/a.service",
		"run05 /run/u/a.service.d/05-z.conf",
		"lib10 /lib/u/a.service.d/10-x.conf",
		"etc20 /etc/u/a.service.d/20-y.conf",
		"linked /lib/u/a.service.d/80-l.conf",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if f.Name != "/run/u/a.service" {
		t.Errorf("name %q", f.Name)
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	fsys := tree(t, map[string]string{
		"etc/u/null.service":               "-> /dev/null",
		"lib/u/null.service":               "[S]\n",
		"etc/u/empty.service":              "",
		"etc/u/bad.service":                "[S\n",
		"etc/u/dir.service/x":              "",
		"etc/u/baddropin.service":          "[S]\n",
		"etc/u/baddropin.service.d/a.conf": "[S]\nk=\xff\n",
		"etc/u/filedir.service":            "[S]\n",
		"etc/u/filedir.service.d":          "a file",
	})
	tests := map[string]struct {
		err  error
		text string
	}{
		"none.service":      {fs.ErrNotExist, "none.service: file does not exist"},
		"null.service":      {ErrMasked, "/etc/u/null.service: masked"},
		"empty.service":     {ErrMasked, "/etc/u/empty.service: masked"},
		"bad.service":       {ErrSectionHeader, "/etc/u/bad.service:1: malformed section header"},
		"dir.service":       {nil, "/etc/u/dir.service: not a regular file"},
		"baddropin.service": {ErrNotUTF8, "/etc/u/baddropin.service.d/a.conf:2: not valid UTF-8"},
		"filedir.service":   {nil, "read directory /etc/u/filedir.service.d: not a directory"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(fsys, searchDirs, name)
			if err == nil || err.Error() != want.text || want.err != nil && !errors.Is(err, want.err) {
				t.Errorf("got %v, want %s", err, want.text)
			}
		})
	}
}

func TestFindDropinsOfSeveralNames(t *testing.T) {
	t.Parallel()
	fsys := tree(t, map[string]string{
		"etc/u/service.d/10.conf":     "[S]\n",
		"etc/u/a@.service.d/10.conf":  "[S]\n",
		"lib/u/a@1.service.d/05.conf": "[S]\n",
	})
	got, err := FindDropins(fsys, searchDirs, "a@1.service", "a@.service", "service")
	want := []string{"lib/u/a@1.service.d/05.conf", "etc/u/a@.service.d/10.conf"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}
