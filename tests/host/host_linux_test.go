//go:build root

package host

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { Main(m, func() error { return nil }) }

// TestPrivate: what is written here is not seen by the machine.
func TestPrivate(t *testing.T) {
	need(t)
	for _, dir := range []string{Nix, "/run", "/sys/fs/cgroup"} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("no %s: %v", dir, err)
		}
	}
	for _, dir := range []string{"/run", Nix} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("%s holds %v (%v), want nothing", dir, entries, err)
		}
	}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(strings.TrimSpace(line), ":/tests") {
			t.Errorf("own cgroup is %s, want :/tests", line)
		}
	}
	if interfaces, err := net.Interfaces(); err != nil || len(interfaces) != 1 || interfaces[0].Flags&net.FlagUp == 0 {
		t.Errorf("links %v (%v), want lo alone, up", interfaces, err)
	}
}

// TestLeaks: each kind of thing that can be left behind is seen, and its removal.
func TestLeaks(t *testing.T) {
	need(t)
	all, err := hierarchies()
	if err != nil {
		t.Fatal(err)
	}
	top := all[len(all)-1].mountPoint
	cgroup := filepath.Join(top, "leak.nspawn")
	var child *exec.Cmd
	var listener net.Listener
	for _, c := range []struct {
		want       string
		make, undo func() error
	}{
		{"new cgroup: " + cgroup,
			func() error { return os.Mkdir(cgroup, 0o755) },
			func() error { return os.Remove(cgroup) }},
		{"new file: /run/leak (-",
			func() error { return os.WriteFile("/run/leak", nil, 0o600) },
			func() error { return os.Remove("/run/leak") }},
		{"new file: /etc/leak (d",
			func() error { return os.Mkdir("/etc/leak", 0o755) },
			func() error { return os.Remove("/etc/leak") }},
		{"new mount: / of tmpfs on /mnt (",
			func() error { return unix.Mount("t", "/mnt", "tmpfs", 0, "") },
			func() error { return unix.Unmount("/mnt", 0) }},
		{"new socket: @firn-leak",
			func() (err error) { listener, err = net.Listen("unix", "@firn-leak"); return err },
			func() error { return listener.Close() }},
		{" sleep",
			func() error {
				child = exec.Command("sleep", "60")
				child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
				return child.Start()
			},
			func() error { err := child.Process.Kill(); _ = child.Wait(); return err }},
	} {
		before, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.make(); err != nil {
			t.Errorf("make %s: %v", c.want, err)
			continue
		}
		during, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if difference := strings.Join(before.Difference(during), "\n"); strings.Count(difference, "\n") > 0 || !strings.Contains(difference, c.want) {
			t.Errorf("difference %q, want one line with %q", difference, c.want)
		}
		if err := c.undo(); err != nil {
			t.Errorf("undo %s: %v", c.want, err)
		}
		after, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if difference := before.Difference(after); len(difference) > 0 {
			t.Errorf("after undoing %s: %q", c.want, difference)
		}
		if difference := during.Difference(after); len(difference) != 1 || !strings.HasPrefix(difference[0], "gone ") {
			t.Errorf("undoing %s shows %q, want one line of what is gone", c.want, difference)
		}
	}
}
