//go:build root

package root_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"firn/tests/host"
	"firn/tests/rootfs"

	"golang.org/x/sys/unix"
)

// TestBadInput: each mistake of a user is answered by one sentence that names
// what is wrong, and leaves nothing on the host.
func TestBadInput(t *testing.T) {
	host.Watch(t)
	debian, init := rootfs.Debian(t), profile(t, "bad")+"/init"
	empty, dir := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"text": "not a program\n", "arch": foreignProgram} {
		if err := os.WriteFile(filepath.Join(debian, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(debian, "plain"), []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"out": "/../../../../../../" + dir, "out-relative": "../../../../../../../.." + dir} {
		if err := os.Symlink(target, filepath.Join(debian, link)); err != nil {
			t.Fatal(err)
		}
	}

	for _, c := range []struct {
		name string
		args []string
		want string // in the sentence
	}{
		{"no such root", []string{"-D", "/no/such/root", "/bin/true"}, "/no/such/root"},
		{"root is a file", []string{"-D", "/etc/hostname", "/bin/true"}, "/etc/hostname"},
		{"root is /", []string{"-D", "/", "/bin/true"}, "root directory"},
		{"root without init", []string{"-D", empty, "-b"}, "init"},
		{"no program", []string{"-D", debian, "/bin/no-such-program"}, "/bin/no-such-program"},
		{"program is a directory", []string{"-D", debian, "/usr"}, "/usr"},
		{"program not executable", []string{"-D", debian, "/plain"}, "/plain"},
		{"program of another machine", []string{"-D", debian, "/arch"}, "/arch"},
		{"program without format", []string{"-D", debian, "/text"}, "/text"},
		{"name with slash", []string{"-M", "a/b", "-D", debian, "/bin/true"}, "a/b"},
		{"name is ..", []string{"-M", "..", "-D", debian, "/bin/true"}, ".."},
		{"name too long", []string{"-M", strings.Repeat("n", 65), "-D", debian, "/bin/true"}, "64"},
		{"bind source missing", []string{"-D", debian, "--bind=/no/such/source", "/bin/true"}, "/no/such/source"},
		{"bind-ro source missing", []string{"-D", debian, "--bind-ro=/no/such/source:/mnt", "/bin/true"}, "/no/such/source"},
		{"unknown capability", []string{"-D", debian, "--capability=CAP_SYS_ADMN", "/bin/true"}, "CAP_SYS_ADMIN"},
		{"unknown option", []string{"-D", debian, "--bnd=/x", "/bin/true"}, "--bind"},
		{"unsupported option", []string{"-D", debian, "--private-network", "/bin/true"}, "--private-network"},
		{"option without argument", []string{"-D"}, "-D"},
		{"relative bind", []string{"-D", debian, "--bind=/usr:relative", "/bin/true"}, "relative"},
		{"bad rlimit", []string{"-D", debian, "--rlimit=RLIMIT_NOFILES=1", "/bin/true"}, "RLIMIT_NOFILE"},
		{"unknown user", []string{"-D", debian, "-u", "nosuchuser", "/bin/true"}, "nosuchuser"},
		{"/nix missing", []string{"-D", t.TempDir(), "--bind-ro=/nix-that-is-not:/nix", init}, "/nix-that-is-not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := c.args
			if args[0] != "-M" {
				args = append([]string{"-M", "bad"}, args...)
			}
			oneError(t, firn(t, append([]string{"nspawn", "-q"}, args...)...), c.want)
		})
	}

	t.Run("bind target leads out", func(t *testing.T) {
		for _, link := range []string{"/out", "/out-relative", "/out/below", "/out-relative/below"} {
			r := firn(t, "nspawn", "-q", "-M", "bad", "-D", debian, "--bind=/usr:"+link, "/bin/true")
			if r.code != 0 {
				oneError(t, r, link)
			}
			// Refused, or resolved inside the root: never made outside.
			if made, _ := os.ReadDir(dir); len(made) > 0 {
				t.Errorf("--bind=/usr:%s made %v outside of the root", link, made)
			}
		}
	})
	t.Run("not root", func(t *testing.T) {
		// Not in t.TempDir, where another user may not look.
		const bin = "/run/bin"
		if err := os.Mkdir(bin, 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(bin) })
		if output, err := exec.Command("cp", program(t, "firn"), bin+"/firn").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		cmd := exec.Command(bin+"/firn", "nspawn", "-q", "-D", "/usr", "/bin/true")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		r, err := execute(cmd, startLimit)
		if err != nil {
			t.Fatal(err)
		}
		oneError(t, r, "root")
	})
	t.Run("no cgroup mounted", func(t *testing.T) {
		cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-ec", `umount -R /sys/fs/cgroup; exec "$@"`,
			"sh", program(t, "firn"), "nspawn", "-q", "-M", "bad", "-D", debian, "/bin/true")
		r, err := execute(cmd, startLimit)
		if err != nil {
			t.Fatal(err)
		}
		oneError(t, r, "cgroup")
	})
}

// TestBadSettings: a mistake in a settings file is answered with its place.
func TestBadSettings(t *testing.T) {
	host.Watch(t)
	root := rootfs.Debian(t)
	const dir = "/run/systemd/nspawn"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll("/run/systemd") })
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "[Exec]\nHostnam=x\n", "settings.nspawn:2: [Exec] "},
		{"unknown section", "[Exe]\nHostname=x\n", "settings.nspawn:1: "},
		{"suggestion", "[Exec]\nHostnam=x\n", "Hostname"},
		{"bad boolean", "[Exec]\nBoot=perhaps\n", "settings.nspawn:2: [Exec] Boot"},
		{"no section", "Boot=yes\n", "settings.nspawn:1"},
		{"no assignment", "[Exec]\nBoot\n", "settings.nspawn:2"},
		{"capability", "[Exec]\nCapability=CAP_NET_ADMN\n", "CAP_NET_ADMIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(dir+"/settings.nspawn", []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			oneError(t, firn(t, "nspawn", "-q", "-M", "settings", "-D", root, "/bin/true"), c.want)
		})
	}
}

// TestTwice: a name, and a root, serve one container at a time.
func TestTwice(t *testing.T) {
	host.Watch(t)
	root, init := t.TempDir(), profile(t, "twice")+"/init"
	c := start(t, "twice", "-D", root, "--bind-ro=/nix", "--notify-ready=yes", init)
	c.ready()
	oneError(t, firn(t, "nspawn", "-q", "-M", "twice", "-D", t.TempDir(), "--bind-ro=/nix", init), "twice")
	oneError(t, firn(t, "nspawn", "-q", "-M", "other", "-D", root, "--bind-ro=/nix", init), root)
	if pid := leader("twice"); pid == 0 || unix.Kill(pid, 0) != nil {
		t.Error("the container that ran did not survive the attempts")
	}
	if code := c.stop(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// oneError wants one sentence on stderr, with the wanted text, that keeps to the
// form "firn: cannot ..." or names a place, and an exit code that is not 0.
func oneError(t *testing.T, r result, want string) {
	t.Helper()
	text := strings.TrimSpace(r.stderr)
	if r.code != 1 || !strings.Contains(text, want) {
		t.Errorf("%v\nwant exit code 1 and an error with %q", r, want)
	}
	if strings.Contains(text, "\n") || !strings.HasPrefix(text, "firn: ") {
		t.Errorf("want one line that begins with \"firn: \", have:\n%s", text)
	}
	for _, bad := range []string{"panic", "goroutine", "%!", "container_linux.go", "unable to", "failed to"} {
		if strings.Contains(text, bad) {
			t.Errorf("the error speaks of %q: %s", bad, text)
		}
	}
}

// foreignProgram is the head of an ELF program for SPARC, big-endian.
var foreignProgram = "\x7fELF\x01\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x02\x00\x00\x00\x01" + strings.Repeat("\x00", 100)
