//go:build vm

package vm

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// helper is what /proc/sys/kernel/modprobe is set to: not the kernel's default,
// so that nothing but the setting leads to it.
const helper = "/vm/helper/modprobe"

// A loader is a program with kmod's tools in it.
type loader struct {
	name  string
	files func(t *testing.T) []File
}

// loaders are Debian's kmod, which shows that machine and test are right, and
// ours. What a test expects of both it has from the first.
var loaders = []loader{
	{"kmod", func(t *testing.T) []File { return withTools(WithLibraries(t, "kmod"), "/usr/bin/kmod") }},
	{"firn-kmod", func(t *testing.T) []File {
		return withTools([]File{Binary(t, "firn-kmod", "/usr/bin/firn-kmod")}, "/usr/bin/firn-kmod")
	}},
}

func withTools(files []File, program string) []File {
	if files[0].Path != program {
		files = append(files, File{Path: program, Link: files[0].Path})
	}
	files = append(files, File{Path: helper, Link: program})
	for _, tool := range []string{"modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod"} {
		files = append(files, File{Path: "/usr/sbin/" + tool, Link: program})
	}
	return files
}

// eachLoader runs a test with every loader on every kernel.
func eachLoader(t *testing.T, test func(t *testing.T, label Label, l loader)) {
	t.Helper()
	each(t, func(t *testing.T, label Label) {
		for _, l := range loaders {
			t.Run(l.name, func(t *testing.T) {
				t.Parallel()
				test(t, label, l)
			})
		}
	})
}

// A call is a command line and what must come of it.
type call struct {
	argv   string // split at blanks
	status int
	stdout string // all of it
	stderr string // a part of it; empty for none at all
}

func (c call) check(t *testing.T, g *Guest) {
	t.Helper()
	out := g.Run(strings.Fields(c.argv)...)
	if out.Status != c.status || out.Stdout != c.stdout ||
		!strings.Contains(out.Stderr, c.stderr) || c.stderr == "" && out.Stderr != "" {
		t.Errorf("%s: %v\nwant status %d\nstdout: %sstderr: %s", c.argv, out, c.status, c.stdout, c.stderr)
	}
}

// loaded checks which of the named modules are in the kernel: NAME is, !NAME is
// not.
func loaded(t *testing.T, g *Guest, names string) {
	t.Helper()
	modules := g.Modules()
	for name := range strings.FieldsSeq(names) {
		want := !strings.HasPrefix(name, "!")
		if modules[strings.TrimPrefix(name, "!")] != want {
			t.Errorf("want %s; loaded are %v", name, modules)
		}
	}
}

// moduleFile returns the content of a kernel's module file, as it is packed.
func moduleFile(t *testing.T, label Label, name string) []byte {
	t.Helper()
	k := openKernel(t, label)
	deps, err := readDependencies(k.moduleDir())
	if err != nil {
		t.Fatal(err)
	}
	file, ok := deps.paths[name]
	if !ok {
		t.Fatalf("kernel %s has no module %s", label, name)
	}
	content, err := os.ReadFile(filepath.Join(k.moduleDir(), file))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// plainModule returns a module unpacked.
func plainModule(t *testing.T, label Label, name string) []byte {
	t.Helper()
	content := moduleFile(t, label, name)
	if !bytes.HasPrefix(content, []byte("\xfd7zXZ")) {
		return content
	}
	return filter(t, content, "xz", "-dc")
}

// filter runs content through a program of the host.
func filter(t *testing.T, content []byte, argv ...string) []byte {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(argv, " "), err)
	}
	return out
}

// runHost runs a program of the host that has to succeed.
func runHost(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return string(out)
}
