package devnodes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTables(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string][]Node{"container": Container(), "boot": Boot(), "tun": {Tun()}} {
		plan, err := Plan(nodes)
		if err != nil || len(plan) != len(nodes) {
			t.Errorf("%s: %d of %d nodes, %v", name, len(plan), len(nodes), err)
		}
	}
}

// What systemd-nspawn 252 makes, read from a container of it.
func TestContainerIsNspawns(t *testing.T) {
	t.Parallel()
	const want = `c full 1:7 0666
l fd /proc/self/fd
d mqueue 1777
c null 1:3 0666
l ptmx pts/ptmx
d pts 0755
c random 1:8 0666
d shm 1777
l stderr /proc/self/fd/2
l stdin /proc/self/fd/0
l stdout /proc/self/fd/1
c tty 5:0 0666
c urandom 1:9 0666
c zero 1:5 0666`
	got := map[string]bool{}
	for _, n := range Container() {
		switch n.Type {
		case Link:
			got["l "+n.Name+" "+n.Target] = true
		case Directory:
			got["d "+n.Name+" "+octal(n.Mode)] = true
		default:
			got[n.Type.String()+" "+n.Name+" "+n.Number()+" "+octal(n.Mode)] = true
		}
	}
	wanted := map[string]bool{}
	for line := range strings.SplitSeq(want, "\n") {
		wanted[line] = true
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, group string
		mode        uint32
	}{
		{"fuse", "", 0o666}, {"net/tun", "", 0o666}, {"kvm", "kvm", 0o666},
		{"snd/seq", "audio", 0o660}, {"snd/timer", "audio", 0o660},
		{"loop-control", "disk", 0o660}, {"vhost-net", "kvm", 0o660},
		{"dri/card0", "video", 0o660}, {"dri/renderD128", "render", 0o660},
		{"uinput", "", 0o600}, {"mapper/control", "", 0o600}, {"snd/by-id/x", "", 0o600},
	}
	for _, tt := range tests {
		got := Defaults([]Node{{Name: tt.name, Type: Char, Mode: 0o600}})[0]
		if got.Mode != tt.mode || got.Group != tt.group {
			t.Errorf("%s: %04o %q, want %04o %q", tt.name, got.Mode, got.Group, tt.mode, tt.group)
		}
	}
	link := Node{Name: "fuse", Type: Link, Target: "x"}
	if got := Defaults([]Node{link})[0]; got != link {
		t.Errorf("a link became %+v", got)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	fuse := Node{Name: "fuse", Type: Char, Major: 10, Minor: 229, Module: "fuse"}
	tun := Node{Name: "net/tun", Type: Char, Major: 10, Minor: 200, Module: "tun"}
	otherFuse := Node{Name: "fuse", Type: Char, Major: 10, Minor: 99, Module: "fuse2"}

	got, err := Plan([]Node{fuse}, []Node{tun, fuse})
	if diff := cmp.Diff([]Node{fuse, tun}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	got, err = Plan([]Node{fuse}, []Node{otherFuse, tun})
	if diff := cmp.Diff([]Node{fuse, tun}, got); diff != "" {
		t.Error(diff)
	}
	const want = `node "fuse": c10:99 of module fuse2 instead of c10:229 of module fuse: defined twice`
	if !errors.Is(err, ErrConflict) || err.Error() != want {
		t.Errorf("conflict reported as %v", err)
	}
	for _, bad := range []Node{
		{Name: "..", Type: Char}, {Name: "a/../..", Type: Char}, {Name: "x", Type: 'p'},
		{Name: "x", Type: Link}, {Name: "x", Type: Block, Major: 5000}, {Name: "", Type: Directory},
	} {
		if got, err := Plan([]Node{bad, tun}); err == nil || len(got) != 1 {
			t.Errorf("%+v gives %v, %v", bad, got, err)
		}
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	kernel := write("kernel", "fuse fuse c10:229\nsnd_seq snd/seq c116:1\n")
	extra := write("extra", "broken\nvbox vboxdrv c10:120\nfuse fuse c10:229\n")
	got, err := Static(kernel, filepath.Join(dir, "absent"), extra)
	want := []Node{
		{Name: "fuse", Type: Char, Major: 10, Minor: 229, Mode: 0o666, Module: "fuse"},
		{Name: "snd/seq", Type: Char, Major: 116, Minor: 1, Mode: 0o660, Group: "audio", Module: "snd_seq"},
		{Name: "vboxdrv", Type: Char, Major: 10, Minor: 120, Mode: 0o600, Module: "vbox"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err == nil || !strings.HasPrefix(err.Error(), extra+":1: ") {
		t.Errorf("error %v, want one about %s:1", err, extra)
	}
	if _, err := Static(dir); err == nil {
		t.Error("reading a directory is no error")
	}
}

func TestReadGroups(t *testing.T) {
	t.Parallel()
	text := "root:x:0:\naudio:x:17:alice,bob\n+nis\nbad:x:many:\naudio:x:29:\nmany:x:100:" +
		strings.Repeat("user,", 3000) + "last\nkvm:x:302:\n"
	got, err := ReadGroups(strings.NewReader(text))
	want := Groups{"root": 0, "audio": 17, "many": 100, "kvm": 302}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	null := Node{Type: Char, Major: 1, Minor: 3, Mode: 0o666}
	fd := Node{Type: Link, Target: "/proc/self/fd"}
	shm := Node{Type: Directory, Mode: 0o1777}
	is := func(n Node) found { return found{Node: n} }
	with := func(f found, change func(*found)) found { change(&f); return f }
	tests := []struct {
		name string
		f    found
		want Node
		gid  uint32
		v    verdict
	}{
		{"same device", is(null), null, 0, keep},
		{"wrong mode", with(is(null), func(f *found) { f.Mode = 0o600 }), null, 0, correct},
		{"set-uid", with(is(null), func(f *found) { f.Mode |= 0o4000 }), null, 0, correct},
		{"wrong owner", with(is(null), func(f *found) { f.uid = 7 }), null, 0, correct},
		{"wrong group", is(null), null, 5, correct},
		{"other minor", with(is(null), func(f *found) { f.Minor = 5 }), null, 0, replace},
		{"block for char", with(is(null), func(f *found) { f.Type = Block }), null, 0, replace},
		{"link for device", is(fd), null, 0, foreign},
		{"regular file for device", found{}, null, 0, foreign},
		{"directory for device", is(shm), null, 0, foreign},
		{"host's node, its mode", with(is(null), func(f *found) { f.mountRoot, f.uid, f.Mode = true, 65534, 0o600 }), null, 0, keep},
		{"host's node, wrong one", with(is(null), func(f *found) { f.mountRoot, f.Minor = true, 5 }), null, 0, foreign},
		{"same link", with(is(fd), func(f *found) { f.Mode, f.uid = 0o777, 7 }), fd, 0, keep},
		{"link elsewhere", with(is(fd), func(f *found) { f.Target = "x" }), fd, 0, replace},
		{"device for link", is(null), fd, 0, replace},
		{"directory for link", is(shm), fd, 0, foreign},
		{"same directory", is(shm), shm, 0, keep},
		{"directory of other mode", with(is(shm), func(f *found) { f.Mode = 0o755 }), shm, 0, correct},
		{"mounted directory of other mode", with(is(shm), func(f *found) { f.Mode, f.mountRoot = 0o755, true }), shm, 0, keep},
		{"device for directory", is(null), shm, 0, foreign},
		{"link for directory", is(fd), shm, 0, foreign},
	}
	for _, tt := range tests {
		if got := judge(tt.f, tt.want, tt.gid); got != tt.v {
			t.Errorf("%s: verdict %d, want %d", tt.name, got, tt.v)
		}
	}
}
