package devnodes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"firn/tests/require"

	"github.com/google/go-cmp/cmp"
)

// listing describes every file below dir: "c null 1:3 0666 0:0".
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || file == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		name, _ := filepath.Rel(dir, file)
		owner := fmt.Sprintf("%04o %d:%d", st.Mode&0o7777, st.Uid, st.Gid)
		switch st.Mode & syscall.S_IFMT {
		case syscall.S_IFCHR:
			lines = append(lines, fmt.Sprintf("c %s %d:%d %s", name, st.Rdev>>8&0xfff, st.Rdev&0xff, owner))
		case syscall.S_IFDIR:
			lines = append(lines, fmt.Sprintf("d %s %s", name, owner))
		case syscall.S_IFLNK:
			target, _ := os.Readlink(file)
			lines = append(lines, fmt.Sprintf("l %s -> %s", name, target))
		default:
			lines = append(lines, fmt.Sprintf("? %s %s %d bytes", name, owner, st.Size))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

var (
	null   = Node{Name: "null", Type: Char, Major: 1, Minor: 3, Mode: 0o666}
	seq    = Node{Name: "snd/seq", Type: Char, Major: 116, Minor: 1, Mode: 0o660, Group: "audio"}
	stdin  = Node{Name: "stdin", Type: Link, Target: "/proc/self/fd/0"}
	shm    = Node{Name: "shm", Type: Directory, Mode: 0o1777}
	sample = []Node{null, seq, stdin, shm}

	sampleListing = []string{
		"c null 1:3 0666 0:0",
		"c snd/seq 116:1 0660 0:29",
		"d shm 1777 0:0",
		"d snd 0755 0:0",
		"l stdin -> /proc/self/fd/0",
	}
	debianGroups = Options{Groups: Groups{"audio": 29}}
)

func TestApply(t *testing.T) {
	require.Root(t)
	t.Parallel()
	tests := []struct {
		name   string
		before func(t *testing.T, dev string)
	}{
		{"empty", func(*testing.T, string) {}},
		{"made before", func(t *testing.T, dev string) { mustApply(t, dev) }},
		{"wrong modes and owners", func(t *testing.T, dev string) {
			mustApply(t, dev)
			must(t, os.Chmod(dev+"/null", 0o600), os.Chown(dev+"/snd/seq", 7, 7), os.Chmod(dev+"/shm", 0o700))
		}},
		{"wrong number", func(t *testing.T, dev string) {
			must(t, syscall.Mknod(dev+"/null", syscall.S_IFCHR|0o666, 1<<8|5))
		}},
		{"block instead of char", func(t *testing.T, dev string) {
			must(t, syscall.Mknod(dev+"/null", syscall.S_IFBLK|0o666, 1<<8|3))
		}},
		{"link elsewhere", func(t *testing.T, dev string) { must(t, os.Symlink("/nowhere", dev+"/stdin")) }},
		{"device where the link belongs", func(t *testing.T, dev string) {
			must(t, syscall.Mknod(dev+"/stdin", syscall.S_IFCHR, 1<<8|3))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dev := t.TempDir()
			tt.before(t, dev)
			mustApply(t, dev)
			if diff := cmp.Diff(sampleListing, listing(t, dev)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func mustApply(t *testing.T, dev string) {
	t.Helper()
	must(t, Apply(dev, sample, debianGroups))
}

// A corrected node is the same inode, so that bind mounts of it see the change.
func TestApplyCorrectsInPlace(t *testing.T) {
	require.Root(t)
	t.Parallel()
	dev := t.TempDir()
	mustApply(t, dev)
	before, err := os.Stat(dev + "/null")
	must(t, err, os.Chmod(dev+"/null", 0o600))
	mustApply(t, dev)
	after, err := os.Stat(dev + "/null")
	must(t, err)
	if !os.SameFile(before, after) {
		t.Error("the node was made anew")
	}
}

// Files that are not nodes stay, each is reported, and the rest is made.
func TestApplyForeignFiles(t *testing.T) {
	require.Root(t)
	t.Parallel()
	dev := t.TempDir()
	must(t,
		os.WriteFile(dev+"/null", []byte("precious"), 0o600),
		os.Mkdir(dev+"/stdin", 0o700),
		os.Symlink("/etc", dev+"/shm"))
	must(t, os.WriteFile(dev+"/zero", nil, 0o600)) // empty, but mknod works here: no bind mount's target
	if err := Apply(dev, []Node{{Name: "zero", Type: Char, Major: 1, Minor: 5}}, Options{HostDev: "/dev"}); !errors.Is(err, ErrForeign) {
		t.Errorf("an empty file in the way: %v", err)
	}
	must(t, os.Remove(dev+"/zero"))
	err := Apply(dev, sample, debianGroups)
	for _, name := range []string{"null", "stdin", "shm"} {
		if err == nil || !strings.Contains(err.Error(), `make node "`+name+`": another file is in the way`) {
			t.Errorf("no word of %s in: %v", name, err)
		}
	}
	if !errors.Is(err, ErrForeign) {
		t.Errorf("%v is not ErrForeign", err)
	}
	var node *NodeError
	if !errors.As(err, &node) || node.Node != null {
		t.Errorf("first NodeError is %+v", node)
	}
	want := []string{
		"? null 0600 0:0 8 bytes",
		"c snd/seq 116:1 0660 0:29",
		"d snd 0755 0:0",
		"d stdin 0700 0:0",
		"l shm -> /etc",
	}
	if diff := cmp.Diff(want, listing(t, dev)); diff != "" {
		t.Error(diff)
	}
}

// A link below /dev, even an absolute one, leads at most to a place in /dev.
func TestApplyStaysInRoot(t *testing.T) {
	require.Root(t)
	t.Parallel()
	top := t.TempDir()
	dev, outside := top+"/dev", top+"/outside"
	must(t, os.Mkdir(dev, 0o755), os.Mkdir(outside, 0o755), os.MkdirAll(dev+outside, 0o755))
	must(t, os.Symlink(outside, dev+"/snd"), os.Symlink("../../outside", dev+"/net"))
	err := Apply(dev, []Node{seq, Tun(), null}, debianGroups)
	if err == nil || !strings.Contains(err.Error(), `make node "net/tun"`) {
		t.Errorf("a dangling directory link gives %v", err)
	}
	if left := listing(t, outside); len(left) != 0 {
		t.Errorf("made outside of /dev: %v", left)
	}
	if _, err := os.Lstat(dev + outside + "/seq"); err != nil {
		t.Errorf("the link was not resolved inside of /dev: %v", err)
	}
	if _, err := os.Lstat(dev + "/null"); err != nil {
		t.Errorf("the rest was not made: %v", err)
	}
}

func TestApplyNoDirectory(t *testing.T) {
	t.Parallel()
	err := Apply(t.TempDir()+"/none", sample, Options{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// Several at once on one /dev, as two initrd tools do it: nobody sees a node
// that is not finished, none is missing, no temporary name is left.
func TestApplyConcurrently(t *testing.T) {
	require.Root(t)
	t.Parallel()
	dev := t.TempDir()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if err := Apply(dev, sample, debianGroups); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(sampleListing, listing(t, dev)); diff != "" {
		t.Error(diff)
	}
}

// The umask is the process's: a process of its own for it.
func TestApplyUmask(t *testing.T) {
	require.Root(t)
	if os.Getenv("DEVNODES_CHILD") == "umask" {
		syscall.Umask(0o777)
		mustApply(t, os.Getenv("DEVNODES_DEV"))
		return
	}
	t.Parallel()
	dev := t.TempDir()
	runChild(t, "umask", dev, nil)
	if diff := cmp.Diff(sampleListing, listing(t, dev)); diff != "" {
		t.Error(diff)
	}
}

// In a user namespace mknod is refused, so that the host's node is mounted.
func TestApplyUserNamespace(t *testing.T) {
	require.Root(t)
	if os.Getenv("DEVNODES_CHILD") == "userns" {
		dev := os.Getenv("DEVNODES_DEV")
		must(t, syscall.Mount("tmpfs", dev, "tmpfs", 0, ""))
		err := Apply(dev, []Node{null}, Options{})
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("without a host's /dev: %v", err)
		}
		must(t, os.WriteFile(dev+"/null", nil, 0)) // as an earlier bind mount leaves it
		absent := Node{Name: "absent", Type: Char, Major: 10, Minor: 250}
		wrong := Node{Name: "zero", Type: Char, Major: 1, Minor: 7}
		for range 2 { // the second time finds the mounts of the first
			err = Apply(dev, []Node{absent, wrong, null, stdin}, Options{HostDev: "/dev"})
			for _, want := range []string{
				`bind node "absent": open_tree /dev/absent: no such file or directory`,
				`bind node "zero": /dev/zero is not the device c1:7`,
			} {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if err != nil && strings.Contains(err.Error(), `"null"`) {
				t.Error(err)
			}
		}
		must(t, os.WriteFile(dev+"/null", []byte("gone"), 0))
		mounts, err := os.ReadFile("/proc/self/mounts")
		must(t, err)
		if n := bytes.Count(mounts, []byte(" "+dev+"/null ")); n != 1 {
			t.Errorf("null is mounted %d times", n)
		}
		return
	}
	t.Parallel()
	runChild(t, "userns", t.TempDir(), &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	})
}

// runChild runs the calling test again in a process of its own.
func runChild(t *testing.T, role, dev string, attr *syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "DEVNODES_CHILD="+role, "DEVNODES_DEV="+dev)
	cmd.SysProcAttr = attr
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// A node that the kernel made for a driver that is built in gets udev's mode,
// and nothing else is touched.
func TestExisting(t *testing.T) {
	require.Root(t)
	t.Parallel()
	dev := t.TempDir()
	must(t,
		syscall.Mknod(dev+"/fuse", syscall.S_IFCHR|0o600, 10<<8|229),
		os.Mkdir(dev+"/dri", 0o755),
		syscall.Mknod(dev+"/dri/renderD128", syscall.S_IFCHR|0o600, 226<<8|128),
		syscall.Mknod(dev+"/nvram", syscall.S_IFCHR|0o600, 10<<8|144),
		os.WriteFile(dev+"/kvm", nil, 0o600),
		os.Symlink("fuse", dev+"/rfkill"))
	nodes, err := Existing(dev)
	want := []Node{
		{Name: "fuse", Type: Char, Major: 10, Minor: 229, Mode: 0o666},
		{Name: "dri/renderD128", Type: Char, Major: 226, Minor: 128, Mode: 0o660, Group: "render"},
	}
	if diff := cmp.Diff(want, nodes); diff != "" || err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	must(t, Apply(dev, nodes, Options{Groups: Groups{"render": 108}}))
	if got := listing(t, dev); !slices.Contains(got, "c fuse 10:229 0666 0:0") ||
		!slices.Contains(got, "c dri/renderD128 226:128 0660 0:108") || !slices.Contains(got, "c nvram 10:144 0600 0:0") {
		t.Errorf("after Apply: %q", got)
	}
}
