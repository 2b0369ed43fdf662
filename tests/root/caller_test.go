//go:build root

package root_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"firn/tests/host"
)

// TestCallersMask: the mask of whoever starts a container is not for the
// container's own directories.
func TestCallersMask(t *testing.T) {
	host.Watch(t)
	cmd := exec.Command("sh", "-c", `umask 077; exec "$@"`, "sh", program(t, "firn"), "nspawn", "-q", "-P", "-M", "mask",
		"-D", busyboxRoot(t), "/usr/bin/busybox", "stat", "-c", "%a %n", "/etc", "/run/host", "/run/host/os-release")
	r, err := execute(cmd, startLimit)
	if want := "755 /etc\n755 /run/host\n444 /run/host/os-release\n"; err != nil || r.stdout != want {
		t.Errorf("%v, %v; want %q", r, err, want)
	}
}

// TestReaderGone: that nobody reads firn's messages any more ends neither firn
// nor its duty to clear up.
func TestReaderGone(t *testing.T) {
	host.Watch(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	defer writer.Close()
	cmd := command(t, "firn", "nspawn", "-M", "unread", "-D", busyboxRoot(t), "/usr/bin/busybox", "sh", "-c", "exit 7")
	cmd.Stdout, cmd.Stderr = writer, writer
	_ = cmd.Run() // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("firn: %v, want exit status 7", cmd.ProcessState)
	}
}

// TestProgramBehindLink: a bind's source may be a link on the host, and the
// program stand below it, as with a /nix that is kept on another disk.
func TestProgramBehindLink(t *testing.T) {
	host.Watch(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(busyboxRoot(t), link); err != nil {
		t.Fatal(err)
	}
	got := must(t, "nspawn", "-q", "-P", "-M", "link", "-D", t.TempDir(), "--bind-ro="+link+":/store",
		"/store/usr/bin/busybox", "echo", "ran")
	if got != "ran\n" {
		t.Errorf("output %q", got)
	}
}
