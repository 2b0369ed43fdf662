package vm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"firn/tests/require"

	"github.com/google/go-cmp/cmp"
)

// busybox's cpio reads what the archive holds, the host's directories included.
func TestArchive(t *testing.T) {
	t.Parallel()
	busybox := require.Program(t, "busybox")
	host := t.TempDir()
	for name, text := range map[string]string{"a": "1", "sub/b": "23456"} {
		file := filepath.Join(host, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a", filepath.Join(host, "l")); err != nil {
		t.Fatal(err)
	}
	var a archive
	a.file("/bin/x", 0o755, []byte("#!"))
	a.link("/bin/y", "x")
	a.dir("//bin/../empty/")
	if err := a.tree("/host", host); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	cmd := exec.Command(busybox, "cpio", "-i", "-m")
	cmd.Dir, cmd.Stdin = out, bytes.NewReader(a.bytes())
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	var got []string
	err := filepath.WalkDir(out, func(file string, d os.DirEntry, err error) error {
		if err != nil || file == out {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := info.Mode().String() + " " + file[len(out):]
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			line += " " + string(content)
		case !d.IsDir():
			target, err := os.Readlink(file)
			if err != nil {
				return err
			}
			line += " -> " + target
		}
		got = append(got, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"drwxr-xr-x /bin", "-rwxr-xr-x /bin/x #!", "Lrwxrwxrwx /bin/y -> x", "drwxr-xr-x /empty",
		"drwxr-xr-x /host", "-rw-r----- /host/a 1", "Lrwxrwxrwx /host/l -> a",
		"drwxr-xr-x /host/sub", "-rw-r----- /host/sub/b 23456",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
