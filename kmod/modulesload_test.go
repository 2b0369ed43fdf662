package kmod

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// fakeLoader loads into a directory instead of the kernel.
func fakeLoader(t *testing.T, root string, refuse map[string]error) (*Loader, func() []string) {
	t.Helper()
	k := &fakeKernel{root: root, t: t}
	var mu sync.Mutex
	var done []string
	l := NewLoader(New(Options{Root: root, Release: testRelease}))
	l.canLoad = func() bool { return true }
	l.calls.finit = func(fd int, options string, flags int) error {
		path, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		if err != nil {
			return err
		}
		name := NameOfPath(path)
		mu.Lock()
		defer mu.Unlock()
		if err := refuse[name]; err != nil {
			return err
		}
		k.load(name)
		done = append(done, name)
		return nil
	}
	l.Run = func(_ context.Context, module, command string) error {
		mu.Lock()
		defer mu.Unlock()
		done = append(done, module+": "+command)
		return nil
	}
	return l, func() []string { mu.Lock(); defer mu.Unlock(); return done }
}

func TestLoadModules(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"): "kernel/a.ko: kernel/b.ko kernel/c.ko\nkernel/b.ko: kernel/c.ko\nkernel/c.ko:\n" +
			"kernel/bad.ko:\nkernel/needs-bad.ko: kernel/bad.ko\nkernel/black.ko:\nkernel/here.ko:\nkernel/nodev.ko:\nkernel/eperm.ko:\n",
		tree("modules.alias"):                 "alias dev:* a\n",
		tree("modules.builtin"):               "kernel/inside.ko\n",
		"etc/modprobe.d/x.conf":               "blacklist black\ninstall shop echo $CMDLINE_OPTS\noptions shop a=1\n",
		"sys/module/here/initstate":           "live\n",
		"etc/modules-load.d/10-x.conf":        "# comment\n; too\ndev:1\n\nnone\ninside\n",
		"usr/lib/modules-load.d/20-y.conf":    "here\nblack\nneeds-bad\n",
		"usr/lib/modules-load.d/10-x.conf":    "masked\n",
		"run/modules-load.d/30-z.conf":        "nodev\r\neperm",
		"usr/lib/modules-load.d/README":       "not-a-list\n",
		"usr/lib/modules-load.d/.hidden.conf": "hidden\n",
	})
	entries, err := ReadLists(root, "quiet modules_load=shop,b rd.modules_load=early")
	if err != nil {
		t.Fatal(err)
	}
	l, done := fakeLoader(t, root, map[string]error{"bad": unix.EINVAL, "nodev": unix.ENODEV, "eperm": unix.EPERM})
	var got []string
	for _, o := range LoadModules(context.Background(), entries, l) {
		got = append(got, fmt.Sprintf("%s %s %s", o.Origin, o.Name, o.Status))
	}
	want := []string{
		"/etc/modules-load.d/10-x.conf:3 dev:1 loaded",
		"/etc/modules-load.d/10-x.conf:5 none missing",
		"/etc/modules-load.d/10-x.conf:6 inside built in",
		"/usr/lib/modules-load.d/20-y.conf:1 here already loaded",
		"/usr/lib/modules-load.d/20-y.conf:2 black blacklisted",
		"/usr/lib/modules-load.d/20-y.conf:3 needs-bad failed",
		"/run/modules-load.d/30-z.conf:1 nodev no device",
		"/run/modules-load.d/30-z.conf:2 eperm denied",
		"/proc/cmdline shop loaded",
		"/proc/cmdline b loaded",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	order := map[string]int{}
	for i, name := range done() {
		order[name] = i + 1
	}
	if !(order["c"] > 0 && order["c"] < order["b"] && order["b"] < order["a"]) {
		t.Errorf("dependencies out of order: %v", done())
	}
	if order["shop: echo a=1"] == 0 {
		t.Errorf("install command did not run: %v", done())
	}
}

func TestReadListsMaskAndUnreadable(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	writeFiles(t, root, map[string]string{
		"usr/lib/modules-load.d/a.conf": "a\n",
		"usr/lib/modules-load.d/b.conf": "b\n",
		"etc/target":                    "inside\n",
	})
	if err := os.MkdirAll(root+"/etc/modules-load.d/dir.conf", 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"a.conf": "/dev/null", "loop.conf": "loop.conf", "abs.conf": "/etc/target"} {
		if err := os.Symlink(target, root+"/etc/modules-load.d/"+link); err != nil {
			t.Fatal(err)
		}
	}
	writeFiles(t, root, map[string]string{"dev/null": ""})
	entries, err := ReadLists(root, "")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if diff := cmp.Diff([]string{"inside", "b"}, names); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if err == nil {
		t.Error("a directory and a symlink loop were read as lists")
	}
}

func TestLoadModulesDenied(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"):     "kernel/a.ko:\n",
		tree("modules.builtin"): "kernel/inside.ko\n",
	})
	l, done := fakeLoader(t, root, nil)
	l.canLoad = func() bool { return false }
	got := LoadModules(context.Background(), []ListEntry{{Name: "a"}, {Name: "inside"}, {Name: "none"}}, l)
	for i, want := range []Status{StatusDenied, StatusBuiltin, StatusMissing} {
		if got[i].Status != want {
			t.Errorf("%s: %s, want %s", got[i].Name, got[i].Status, want)
		}
	}
	if len(done()) > 0 {
		t.Errorf("loaded %v without the capability", done())
	}
}
