package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes "PATH content", "PATH -> target" and "PATH/" below a new directory.
func tree(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, " ")
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, ok := strings.CutPrefix(rest, "-> "); ok {
			err = os.Symlink(target, path)
		} else if strings.HasSuffix(name, "/") {
			err = os.MkdirAll(path, 0o755)
		} else {
			err = os.WriteFile(path, []byte(rest), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestResolve(t *testing.T) {
	t.Parallel()
	root := tree(t, "etc/x 1", "var/run -> /run", "run/", "nix/", "up -> ../../../etc",
		"deep/up -> ../etc", "out -> /outside", "loop -> loop", "current -> /nix/profile/init")
	store := tree(t, "store/abc/init 2", "profile -> store/abc")
	view := View{Root: root, Binds: []Bind{{Source: store, Target: "/nix"}}}
	for _, tc := range []struct {
		path, want string // relative to root, or with "store:" to the bind
		err        error
	}{
		{path: "/etc/x", want: "etc/x"},
		{path: "/etc/../etc/./x", want: "etc/x"},
		{path: "/..", want: ""},
		{path: "/var/run", want: "run"},
		{path: "/deep/up/x", want: "etc/x"},
		{path: "/nix/store/abc/init", want: "store:store/abc/init"},
		{path: "/nix/profile/init", want: "store:store/abc/init"},
		{path: "/current", want: "store:store/abc/init"},
		{path: "/missing", err: fs.ErrNotExist},
		{path: "/up/x", err: ErrEscapes},
		{path: "/out", err: ErrDangles},
		{path: "/var/run/new", err: fs.ErrNotExist},
		{path: "/loop", err: errAny},
	} {
		got, err := view.Resolve(tc.path)
		want := filepath.Join(root, tc.want)
		if rest, ok := strings.CutPrefix(tc.want, "store:"); ok {
			want = filepath.Join(store, rest)
		}
		switch {
		case tc.err == errAny && err != nil:
		case tc.err != nil && !errors.Is(err, tc.err), tc.err == nil && (err != nil || got != want):
			t.Errorf("Resolve(%s) = %q, %v; want %q, %v", tc.path, got, err, want, tc.err)
		}
	}
}

var errAny = errors.New("any")

func TestCheckTarget(t *testing.T) {
	t.Parallel()
	view := View{Root: tree(t, "etc/", "var/run -> /run", "run/", "up -> ../../etc", "out -> /outside")}
	for path, ok := range map[string]bool{
		"/etc": true, "/new/dir": true, "/var/run/new": true, "/up": false, "/up/new": false, "/out": false, "/out/new": false,
	} {
		if err := view.CheckTarget(path); (err == nil) != ok {
			t.Errorf("CheckTarget(%s) = %v", path, err)
		}
	}
}

func TestCheckProgram(t *testing.T) {
	t.Parallel()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	foreign := append([]byte(nil), self[:256]...)
	foreign[18], foreign[19] = 243, 0 // EM_RISCV
	root := tree(t, "good "+string(self[:256]), "foreign "+string(foreign), "script #!/good -x\n", "bad #!/none\n",
		"bare #!\n", "text hello", "empty ", "dir/", "plain x", "link -> good")
	if err := os.Chmod(filepath.Join(root, "plain"), 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/good": "", "/script": "", "/link": "",
		"/bad":     "interpreter /none: file does not exist",
		"/bare":    "without an interpreter",
		"/missing": "file does not exist",
		"/dir":     "not a regular file",
		"/plain":   "mode 0644",
		"/empty":   "empty file",
		"/foreign": "built for riscv",
		"/text":    "neither an ELF program nor a script",
	} {
		err := (View{Root: root}).CheckProgram(path)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(strings.ReplaceAll(err.Error(), "no such file or directory", "file does not exist"), want) {
			if hasHandlers() && (path == "/foreign" || path == "/text") {
				continue // this kernel may know how to execute it
			}
			t.Errorf("CheckProgram(%s) = %v, want %q", path, err, want)
		}
	}
}

func TestRootFilesStayInside(t *testing.T) {
	t.Parallel()
	outside := tree(t, "victim original")
	dir := tree(t, "etc -> "+outside)
	root, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	_ = root.ReplaceFile("/etc/victim", []byte("overwritten"), 0o644)
	_ = root.Symlink("x", "/etc/victim")
	_ = root.Remove("/etc/victim")
	if content, err := os.ReadFile(filepath.Join(outside, "victim")); err != nil || string(content) != "original" {
		t.Errorf("file outside: %q, %v", content, err)
	}
	if root.Exists("/etc/victim") {
		t.Error("Exists follows a link out of the root")
	}
}
