//go:build root

package root_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/host"
)

// TestTemporaryLayers: what firn makes for an empty source can be entered by all
// users of the container.
func TestTemporaryLayers(t *testing.T) {
	host.Watch(t)
	root := busyboxRoot(t)
	if err := os.Mkdir(filepath.Join(root, "ov"), 0o755); err != nil {
		t.Fatal(err)
	}
	got := must(t, "nspawn", "-q", "-P", "-M", "layers", "-D", root, "--bind=:/mnt", "--overlay=+/ov::/ov",
		"/usr/bin/busybox", "stat", "-c", "%a %n", "/mnt", "/ov")
	if want := "755 /mnt\n755 /ov\n"; got != want {
		t.Errorf("modes %q, want %q", got, want)
	}
}

// TestEphemeralReboot: an ephemeral copy ends with the container, not with one
// of its boots.
func TestEphemeralReboot(t *testing.T) {
	host.Watch(t)
	const script = `B=/usr/bin/busybox; [ -e /mark ] && $B echo kept && exit; [ -e /mnt/mark ] && $B echo lost && exit
		>/mark; >/mnt/mark; exec $B reboot -f`
	got := must(t, "nspawn", "-q", "-P", "-x", "-M", "twice", "-D", busyboxRoot(t), "--bind="+t.TempDir()+":/mnt",
		"/usr/bin/busybox", "sh", "-c", script)
	if got != "kept\n" {
		t.Errorf("after the reboot: %q", got)
	}
}

// TestEphemeralNames: without a name of their own ephemeral containers get
// different ones.
func TestEphemeralNames(t *testing.T) {
	host.Watch(t)
	root := busyboxRoot(t)
	seen := map[string]bool{}
	for range 2 {
		name := must(t, "nspawn", "-q", "-P", "-x", "-D", root, "/usr/bin/busybox", "hostname")
		if !strings.HasPrefix(name, filepath.Base(root)+"-") || seen[name] {
			t.Errorf("name %q of a container of %s; before: %v", name, root, seen)
		}
		seen[name] = true
	}
}

// TestUUID: --uuid= is for a root that has no machine id.
func TestUUID(t *testing.T) {
	host.Watch(t)
	root := busyboxRoot(t)
	args := []string{"nspawn", "-q", "-P", "-M", "uuid", "-D", root, "--uuid=0123456789abcdef0123456789abcdef",
		"/usr/bin/busybox", "sh", "-c", "echo $container_uuid"}
	if got := must(t, args...); got != "01234567-89ab-cdef-0123-456789abcdef\n" {
		t.Errorf("without a machine id: %q", got)
	}
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "etc/machine-id"), []byte("fedcba9876543210fedcba9876543210\n"), 0o444); err != nil {
		t.Fatal(err)
	}
	if got := must(t, args...); got != "fedcba98-7654-3210-fedc-ba9876543210\n" {
		t.Errorf("with a machine id: %q", got)
	}
}
