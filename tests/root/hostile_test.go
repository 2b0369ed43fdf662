//go:build root

package root_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"firn/tests/host"
	"firn/tests/require"
)

// busyboxRoot makes a root that holds /usr/bin/busybox and nothing else.
func busyboxRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("cp", require.Program(t, "busybox"), filepath.Join(root, "usr/bin/busybox"))
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return root
}

// TestVolatileOfHostileRoot: a tree whose /usr is a link to a directory of the
// host does not get that directory.
func TestVolatileOfHostileRoot(t *testing.T) {
	host.Watch(t)
	outside, root := busyboxRoot(t), t.TempDir()
	if err := os.Symlink(outside+"/usr", filepath.Join(root, "usr")); err != nil {
		t.Fatal(err)
	}
	r := firn(t, "nspawn", "-q", "-M", "hostile", "-D", root, "--volatile=yes", "/usr/bin/busybox", "echo", "outside")
	oneError(t, r, "/usr")
}
