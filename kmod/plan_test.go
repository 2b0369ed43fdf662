package kmod

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// planOf is a plan as text, one word a step: "?" in front if not required,
// "NAME!" for an install command, options behind '('.
func planOf(t *testing.T, c *Context, name string, flags PlanFlags) string {
	t.Helper()
	modules, err := c.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, m := range modules {
		plan, err := c.Plan(m, flags)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range plan.Steps {
			word := step.Module.Name
			if !step.Required {
				word = "?" + word
			}
			if step.Command != "" {
				word += "!"
			}
			if params := step.Params(); params != "" {
				word += "(" + params + ")"
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func TestPlan(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"):   "k/top.ko: k/mid.ko k/low.ko\nk/mid.ko: k/low.ko\nk/low.ko:\nk/soft.ko: k/low.ko\nk/a.ko:\nk/b.ko:\nk/c.ko:\nk/cmd.ko:\n",
		tree("modules.alias"): "alias dev:1* a\nalias dev:* b\n",
		"etc/modprobe.d/x.conf": "softdep mid pre: soft nosuch post: a\nsoftdep a pre: b\nsoftdep b pre: c\nsoftdep c pre: a\n" +
			"options low l=1\noptions dev:* never=1\noptions dev:12 d=2\ninstall cmd run it\ninstall mid never run\noptions cmd o=1\n",
	})
	c := New(Options{Root: root, Release: testRelease})
	for _, tt := range []struct {
		name  string
		flags PlanFlags
		want  string
	}{
		{"low", PlanFlags{}, "low(l=1)"},
		{"top", PlanFlags{Options: "x=1"}, "low(l=1) low(l=1) ?soft mid ?c ?b ?a top(x=1)"},
		{"mid", PlanFlags{IgnoreCommand: true}, "low(l=1) mid"},
		{"a", PlanFlags{}, "?c ?b a"}, // softdeps in a circle
		{"dev:12", PlanFlags{}, "?a ?c ?b a(d=2) ?b ?a ?c b(d=2)"},
		{"cmd", PlanFlags{Options: "y=2"}, "cmd!(o=1 y=2)"},
		{"cmd", PlanFlags{IgnoreCommand: true}, "cmd(o=1)"},
	} {
		if got := planOf(t, c, tt.name, tt.flags); got != tt.want {
			t.Errorf("%s %+v:\n got %s\nwant %s", tt.name, tt.flags, got, tt.want)
		}
	}
	if _, err := c.Lookup("nosuch"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nosuch: %v", err)
	}
}

// Two trees act as one that merged them: names, aliases, dependencies across, an
// override with its own dependencies, updates/ before everything.
func TestTrees(t *testing.T) {
	t.Parallel()
	kernel, extra := t.TempDir(), t.TempDir()
	writeFiles(t, kernel, map[string]string{
		"modules.dep":       "kernel/base.ko:\nkernel/user.ko: kernel/shared.ko kernel/base.ko\nkernel/shared.ko: kernel/base.ko\nkernel/newer.ko:\nkernel/alone.ko:\n",
		"modules.alias":     "alias pci:1 shared\nalias pci:2 alone\n",
		"modules.builtin":   "kernel/inside.ko\n",
		"modules.softdep":   "softdep alone pre: addon\n",
		"kernel/base.ko":    fakeModule{info: []string{"depends="}}.String(),
		"kernel/user.ko":    fakeModule{info: []string{"depends=shared,base"}}.String(),
		"kernel/shared.ko":  fakeModule{info: []string{"depends=base"}}.String(),
		"kernel/newer.ko":   fakeModule{info: []string{"depends="}}.String(),
		"kernel/alone.ko":   fakeModule{info: []string{"depends="}}.String(),
		"kernel/unindexed":  "",
		"modules.order":     "",
		"modules.devname":   "",
		"modules.symbols":   "",
		"kernel/another.ko": "",
	})
	writeFiles(t, extra, map[string]string{
		"modules.dep":      "extra/shared.ko:\nextra/addon.ko:\nupdates/newer.ko:\nextra/broken.ko:\n",
		"modules.alias":    "alias pci:3 addon\n",
		"extra/shared.ko":  fakeModule{info: []string{"depends=addon,inside"}}.String(),
		"extra/addon.ko":   fakeModule{info: []string{"depends=base"}}.String(),
		"extra/broken.ko":  fakeModule{info: []string{"depends=missing"}}.String(),
		"updates/newer.ko": fakeModule{info: []string{"depends="}}.String(),
	})
	paths := func(trees []string, name string) string {
		c := New(Options{Root: t.TempDir(), Trees: trees})
		modules, err := c.Lookup(name)
		if err != nil {
			return err.Error()
		}
		var words []string
		for _, m := range modules {
			deps, err := c.Dependencies(m)
			if err != nil {
				return err.Error()
			}
			for _, m := range append(deps, m) {
				words = append(words, strings.NewReplacer(kernel, "K", extra, "X").Replace(m.Path))
			}
		}
		return strings.Join(words, " ")
	}
	kernelFirst, extraFirst := []string{kernel, extra}, []string{extra, kernel}
	for _, tt := range []struct {
		trees []string
		name  string
		want  string
	}{
		{kernelFirst, "user", "K/kernel/base.ko K/kernel/shared.ko K/kernel/user.ko"},
		{extraFirst, "user", "K/kernel/base.ko X/extra/addon.ko X/extra/shared.ko K/kernel/user.ko"},
		{kernelFirst, "addon", "K/kernel/base.ko X/extra/addon.ko"},
		{kernelFirst, "pci:1", "K/kernel/base.ko K/kernel/shared.ko"},
		{extraFirst, "pci:1", "no such module: pci:1"}, // the overridden module's alias
		{extraFirst, "pci:3", "K/kernel/base.ko X/extra/addon.ko"},
		{kernelFirst, "newer", "X/updates/newer.ko"},
		{kernelFirst, "broken", "broken needs missing: no such module in any tree"},
	} {
		if got := paths(tt.trees, tt.name); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	closure, err := New(Options{Root: t.TempDir(), Trees: extraFirst}).Closure([]string{"user", "alone", "inside"}, ClosureOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range closure.Modules {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"base", "addon", "shared", "user", "alone"}, names); diff != "" {
		t.Errorf("closure (-want +got):\n%s", diff)
	}
	if len(closure.Conflicts) != 1 || closure.Conflicts[0].Others[0] != kernel+"/kernel/shared.ko" {
		t.Errorf("conflicts: %v", closure.Conflicts)
	}
}

// A closure is copied into a tree that answers as the first did.
func TestClosureCopy(t *testing.T) {
	t.Parallel()
	root, out := t.TempDir(), t.TempDir()
	writeFiles(t, root, map[string]string{
		tree("modules.dep"):          "kernel/a.ko: kernel/b.ko\nkernel/b.ko:\nkernel/c.ko:\nkernel/w.ko:\n",
		tree("modules.order"):        "kernel/b.ko\nkernel/a.ko\n",
		tree("modules.builtin"):      "kernel/inside.ko\n",
		tree("modules.weakdep"):      "weakdep a w\n",
		tree("kernel/a.ko"):          fakeModule{info: []string{"alias=dev:*", "firmware=x/one.bin", "firmware=x/two.bin", "firmware=../../etc/passwd"}, wants: []string{"b_sym"}}.String(),
		tree("kernel/b.ko"):          fakeModule{exports: []string{"b_sym"}}.String(),
		tree("kernel/w.ko"):          fakeModule{}.String(),
		tree("kernel/c.ko"):          fakeModule{}.String(),
		"lib/firmware/x/one.bin.zst": "packed",
		"etc/passwd":                 "secret",
	})
	c := New(Options{Root: root, Release: testRelease})
	closure, err := c.Closure([]string{"a"}, ClosureOptions{Firmware: true})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range closure.Firmware {
		found[f.Name] = strings.TrimPrefix(f.Path, root)
	}
	if diff := cmp.Diff(map[string]string{"x/one.bin": "/lib/firmware/x/one.bin.zst", "x/two.bin": "", "../../etc/passwd": ""}, found); diff != "" {
		t.Errorf("firmware (-want +got):\n%s", diff)
	}
	if err := c.CopyTo(out, testRelease, closure, func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	copied := New(Options{Root: out, Release: testRelease})
	if got := planOf(t, copied, "dev:7", PlanFlags{}); got != "b a" {
		t.Errorf("plan in the copy: %s", got)
	}
	if _, err := copied.Lookup("c"); !errors.Is(err, ErrNotFound) {
		t.Errorf("c was copied: %v", err)
	}
	if _, err := copied.Lookup("w"); err != nil {
		t.Errorf("weakdep w was not copied: %v", err)
	}
	if !IsRegular(out + "/lib/firmware/x/one.bin.zst") {
		t.Error("firmware was not copied")
	}
	if builtin, _ := copied.Builtin("inside"); !builtin {
		t.Error("the list of built-in modules was not copied")
	}
}

func TestWhy(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"):     "k/m.ko:\nk/user.ko: k/m.ko\n",
		tree("modules.alias"):   "alias dev:* m\n",
		"etc/modprobe.d/x.conf": "alias nick m\nblacklist m\noptions m a=1\ninstall m true\nsoftdep user pre: nick\n",
	})
	reasons, err := New(Options{Root: root, Release: testRelease}).Why("m", []ListEntry{{"nick", Origin{"/etc/modules", 3}}, {"other", Origin{"/etc/modules", 4}}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range reasons {
		got = append(got, r.Effect+" "+strings.ReplaceAll(r.Text, root, "")+" @"+strings.ReplaceAll(r.Origin.String(), root, ""))
	}
	conf := "@/etc/modprobe.d/x.conf:"
	want := []string{
		"is m is a module file @/" + tree("k/m.ko"), "loads listed at boot as nick @/etc/modules:3", "stops blacklist: not loaded by alias or modules-load " + conf + "2",
		"loads alias nick " + conf + "1", "stops install command instead: true " + conf + "4", "changes options: a=1 " + conf + "3", "loads softdep of user " + conf + "5",
		"loads alias dev:* @/" + tree("modules.alias"), "loads needed by user @/" + tree("modules.dep"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestColdplug(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"):                   "k/bus.ko:\nk/disk.ko: k/bus.ko\nk/net.ko:\nk/bad.ko:\n",
		tree("modules.alias"):                 "alias pci:v1* bus\nalias virtio:d2* disk\nalias pci:v3* net\nalias pci:v4* bad\n",
		"etc/modprobe.d/x.conf":               "blacklist bad\n",
		"sys/bus/pci/devices/00:01/modalias":  "pci:v1d1\n",
		"sys/bus/pci/devices/00:02/modalias":  "pci:v4d1\n",
		"sys/bus/pci/devices/00:03/modalias":  "pci:v9d1\n",
		"sys/bus/pci/devices/00:04/modalias":  "pci:v3d1\n",
		"sys/module/net/initstate":            "live\n",
		"sys/bus/empty/devices/x/uevent":      "",
		"sys/bus/virtio/devices/none/uevent":  "",
		"sys/bus/platform/devices/a/modalias": "\n",
	})
	l, done := fakeLoader(t, root, nil)
	finit := l.calls.finit
	// The bus driver brings a device.
	l.calls.finit = func(fd int, options string, flags int) error {
		err := finit(fd, options, flags)
		writeFiles(t, root, map[string]string{"sys/bus/virtio/devices/v0/modalias": "virtio:d2v1\n"})
		return err
	}
	plugs, err := l.Coldplug(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range plugs {
		word := p.Module.Name
		switch {
		case p.Loaded:
			word += " there"
		case p.Err != nil:
			word += " " + strings.TrimPrefix(p.Err.Error(), root)
		}
		got = append(got, word)
	}
	if diff := cmp.Diff([]string{"bus", "net there", "bad blacklisted by /etc/modprobe.d/x.conf:1", "disk"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bus", "disk"}, done()); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
}
