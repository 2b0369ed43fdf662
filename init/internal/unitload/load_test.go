package unitload

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/init/internal/specifier"
	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// tree makes a root: paths with their text, or with a link's target after "->".
func tree(t testing.TB, files map[string]string) *Root {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		target, isLink := strings.CutPrefix(text, "->")
		var err error
		if isLink {
			err = os.Symlink(target, p)
		} else {
			err = os.WriteFile(p, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func load(t testing.TB, files map[string]string, names ...unit.Name) *Set {
	t.Helper()
	return loader(t, tree(t, files)).Load(names...)
}

func loader(t testing.TB, r *Root) *Loader {
	t.Helper()
	l, err := New(r, &specifier.Facts{Hostname: "web"}, unit.SystemDefaults())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const (
	etc = "etc/systemd/system/"
	lib = "usr/lib/systemd/system/"
	run = "[Service]\nExecStart=/bin/"
)

func program(u *unit.Unit) string {
	if u == nil || u.Service == nil || len(u.Service.Commands[unit.ExecStart]) == 0 {
		return ""
	}
	return strings.Join(u.Service.Commands[unit.ExecStart][0].Argv, " ")
}

// nixos is a root as NixOS lays it out: /etc is links, units lie in the store, and each is a link of its own.
func nixos(units map[string]string) map[string]string {
	files := map[string]string{
		"etc/systemd":                          "->/etc/static/systemd",
		"etc/static":                           "->/nix/store/aaa-etc/etc",
		"nix/store/aaa-etc/etc/systemd/system": "->/nix/store/bbb-system-units",
	}
	for name, text := range units {
		if !strings.HasPrefix(text, "->") && !strings.Contains(name, "/") {
			files["nix/store/ccc-unit-"+name+"/"+name] = text
			text = "->/nix/store/ccc-unit-" + name + "/" + name
		}
		files["nix/store/bbb-system-units/"+name] = text
	}
	return files
}

// TestUnitIsALink: a unit that is only a link, wherever it leads, keeps its name; a link to another unit is an alias.
func TestUnitIsALink(t *testing.T) {
	t.Parallel()
	s := load(t, nixos(map[string]string{
		"sshd.service":                         run + "sshd -D\n",
		"ssh.service":                          "->sshd.service",
		"multi-user.target":                    "[Unit]\n",
		"multi-user.target.wants/sshd.service": "->../sshd.service",
		"foreign.service":                      "->/opt/vendor/other.service",
		"dbus-org.example.service":             "->ssh.service",
	}), "multi-user.target", "dbus-org.example.service", "foreign.service")
	u := s.Get("sshd.service")
	if program(u) != "/bin/sshd -D" || u.Fragment != "/etc/systemd/system/sshd.service" {
		t.Fatalf("sshd.service: %+v", u)
	}
	if !slices.Equal(u.Aliases, []unit.Name{"dbus-org.example.service", "ssh.service"}) || s.Get("ssh.service") != u || s.Get("dbus-org.example.service") != u {
		t.Errorf("aliases %v", u.Aliases)
	}
	if !s.Get("multi-user.target").Deps.Has(unit.Wants, "sshd.service") || !u.Deps.Has(unit.WantedBy, "multi-user.target") {
		t.Errorf("dependencies: %v", u.Deps)
	}
	if got := s.Get("foreign.service"); got.State != unit.NotFound {
		t.Errorf("a link that leads nowhere: %s", got.State)
	}
}

// TestGivenUnitOverrides: a unit given in /etc takes the place of a package's, whole.
func TestGivenUnitOverrides(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		etc + "web.service": run + "given\n",
		lib + "web.service": "[Unit]\nDescription=Package's\nAfter=db.service\n" + run + "package\nUser=www\n",
	}, "web.service")
	u := s.Get("web.service")
	if program(u) != "/bin/given" || u.Description != "" || u.Exec.User != "" || u.Deps.Has(unit.After, "db.service") {
		t.Errorf("the package's unit shows through: %+v", u)
	}
}

// TestOverrideOneInstance: a file or drop-in for one instance is for that one alone.
func TestOverrideOneInstance(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		lib + "w@.service":             run + "w %i\n",
		etc + "w@one.service":          run + "other\n",
		etc + "w@two.service.d/x.conf": "[Service]\nExecStart=\nExecStart=/bin/two %i\n",
		etc + "w@.service.d/all.conf":  "[Service]\nUMask=0077\n",
	}, "w@one.service", "w@two.service", "w@three.service")
	for name, want := range map[unit.Name]string{"w@one.service": "/bin/other", "w@two.service": "/bin/two two", "w@three.service": "/bin/w three"} {
		if u := s.Get(name); program(u) != want || u.Exec.UMask != 0o077 {
			t.Errorf("%s: %q with umask %o", name, program(u), u.Exec.UMask)
		}
	}
}

// TestAutovt: autovt@ pulled in where getty@ would be is the same unit, and keeps what was said of either.
func TestAutovt(t *testing.T) {
	t.Parallel()
	s := load(t, nixos(map[string]string{
		"getty@.service":                      run + "agetty %I\n",
		"autovt@.service":                     "->getty@.service",
		"autovt@1.service.d/alias.conf":       "[Service]\nNice=3\n",
		"getty@2.service":                     run + "own\n",
		"getty.target":                        "[Unit]\nWants=autovt@2.service\n",
		"getty.target.wants/autovt@1.service": "->../autovt@.service",
	}), "getty.target")
	u := s.Get("autovt@1.service")
	if u == nil || u.Name != "getty@1.service" || program(u) != "/bin/agetty 1" || u.Exec.Nice.Value != 3 {
		t.Fatalf("autovt@1.service: %+v", u)
	}
	if !s.Get("getty.target").Deps.Has(unit.Wants, "getty@1.service") {
		t.Errorf("getty.target: %v", s.Get("getty.target").Deps)
	}
	if u := s.Get("autovt@2.service"); u == nil || u.Name != "getty@2.service" || program(u) != "/bin/own" {
		t.Errorf("autovt@2.service: %+v", u)
	}
}

// TestManyUnits: 200 entries of a NixOS system: drop-ins that reset ExecStart=, keys with X- anywhere, masks, typos.
func TestManyUnits(t *testing.T) {
	t.Parallel()
	units := map[string]string{}
	var names []unit.Name
	for i := range 200 {
		name := fmt.Sprintf("unit%d.service", i)
		names = append(names, unit.Name(name))
		switch i % 5 {
		case 0:
			units[name] = "[Unit]\nX-Restart-Triggers=/nix/store/a\n" + run + "first\nX-StopIfChanged=false\n[X-Any]\na=b\n"
			units[name+".d/overrides.conf"] = "[Service]\nExecStart=\nExecStart=/bin/second " + strings.Repeat("/nix/store/long:", 1000) + "\n"
		case 1:
			units[name] = "->/dev/null"
		case 2:
			units[name] = run + "typo\nExecStrat=/bin/x\n[Unt]\nA=b\n"
		case 3:
			units[name] = "[Service\n"
		case 4:
			units[name] = run + "plain\n"
		}
	}
	s := load(t, nixos(units), names...)
	for i, name := range names {
		u := s.Get(name)
		want := []unit.LoadState{unit.Loaded, unit.Masked, unit.Loaded, unit.LoadError, unit.Loaded}[i%5]
		warnings := []int{0, 0, 2, 0, 0}[i%5]
		if u.State != want || len(u.Warnings) != warnings {
			t.Errorf("%s: %s, %v, %v", name, u.State, u.Err, u.Warnings)
		}
		if i%5 == 0 && !strings.HasPrefix(program(u), "/bin/second /nix") {
			t.Errorf("%s: %.40s", name, program(u))
		}
	}
	if err := s.Get("unit3.service").Err; err == nil || err.Error() != "/etc/systemd/system/unit3.service:1: malformed section header" {
		t.Errorf("a bad header: %v", err)
	}
	if w := s.Get("unit2.service").Warnings[0].String(); !strings.HasPrefix(w, "/etc/systemd/system/unit2.service:3: [Service] ExecStrat") {
		t.Errorf("a typo: %s", w)
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		etc + "a.service":                "->/dev/null",
		lib + "a.service":                run + "a\n",
		etc + "b.service":                "",
		lib + "b.service":                run + "b\n",
		etc + "c.service":                "->../../../etc/systemd/system/a.service",
		lib + "d.target":                 "[Unit]\n",
		lib + "d.target.wants/e.service": "->../e.service",
		etc + "d.target.wants/e.service": "->/dev/null",
		lib + "e.service":                run + "e\n",
		etc + "e.service.d/x.conf":       "->/dev/null",
		lib + "e.service.d/x.conf":       "[Service]\nNice=1\n",
	}, "a.service", "b.service", "c.service", "d.target", "e.service")
	for _, name := range []unit.Name{"a.service", "b.service", "c.service"} {
		if u := s.Get(name); u.State != unit.Masked || !errors.Is(u.Err, unitfile.ErrMasked) {
			t.Errorf("%s: %s, %v", name, u.State, u.Err)
		}
	}
	if s.Get("d.target").Deps.Has(unit.Wants, "e.service") {
		t.Error("a masked link in .wants/ is a dependency")
	}
	if u := s.Get("e.service"); u.Exec.Nice.Set || len(u.Dropins) != 0 {
		t.Errorf("a masked drop-in holds: %v", u.Dropins)
	}
}

func TestLoops(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		etc + "a.service":  "->b.service",
		etc + "b.service":  "->a.service",
		etc + "c.service":  "->../loop/c.service",
		"etc/systemd/loop": "->loop",
	}, "a.service", "c.service")
	for _, name := range []unit.Name{"a.service", "c.service"} {
		if u := s.Get(name); u.State == unit.Loaded || u.Err == nil {
			t.Errorf("%s: %s, %v", name, u.State, u.Err)
		}
	}
	if !errors.Is(s.Get("a.service").Err, ErrLoop) {
		t.Errorf("aliases in a circle: %v", s.Get("a.service").Err)
	}
}

// TestHostile: files that are no units harm nobody but themselves.
func TestHostile(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		etc + "dir.service/x":               "a directory where a unit is expected",
		etc + "ok.service":                  run + "ok\n",
		etc + "ok.service.d/dir.conf/x":     "",
		etc + "ok.service.d/nul.conf":       "[Service]\nUser=\x00\n",
		etc + "ok.service.d/dangling.conf":  "->nowhere",
		etc + "ok.service.wants/not a name": "",
		etc + "big.service":                 run + "big\n" + strings.Repeat("#"+strings.Repeat("x", 1000)+"\n", 1000),
		etc + "wrong.service":               "->wrong.socket",
		etc + "wrong.socket":                "[Socket]\nListenStream=5\n",
	}
	for i := range 2000 {
		files[fmt.Sprintf("%sbig.service.d/%05d.conf", etc, i)] = "[Service]\nEnvironment=A=" + fmt.Sprint(i) + "\n"
	}
	l := loader(t, tree(t, files))
	s := l.Load("dir.service", "ok.service", "big.service", "wrong.service")
	if u := s.Get("dir.service"); u.State != unit.LoadError {
		t.Errorf("a directory: %s, %v", u.State, u.Err)
	}
	if u := s.Get("ok.service"); u.State != unit.Loaded || len(u.Warnings) != 2 || program(u) != "/bin/ok" {
		t.Errorf("bad drop-ins: %s, %v, %v", u.State, u.Err, u.Warnings)
	}
	if u := s.Get("big.service"); u.State != unit.Loaded || len(u.Dropins) != 2000 || !slices.Equal(u.Exec.Environment, []string{"A=1999"}) {
		t.Errorf("a big unit: %s, %v, %d drop-ins", u.State, u.Err, len(u.Dropins))
	}
	if u := s.Get("wrong.service"); u.State != unit.NotFound || len(l.Warnings()) == 0 {
		t.Errorf("an alias of another type: %s, %v", u.State, l.Warnings())
	}
}

// TestDefaultDependencies has the edges that a boot stands on.
func TestDefaultDependencies(t *testing.T) {
	t.Parallel()
	s := load(t, map[string]string{
		lib + "a.service":     run + "a\n",
		lib + "early.service": "[Unit]\nDefaultDependencies=no\n" + run + "early\n",
		lib + "a.socket":      "[Socket]\nListenStream=/srv/run/a\n",
		lib + "a.timer":       "[Timer]\nOnCalendar=daily\n",
		lib + "all.target":    "[Unit]\nWants=a.service early.service a.socket a.timer\n",
		lib + "srv.mount":     "[Mount]\nWhat=tmpfs\nType=tmpfs\n",
	}, "all.target")
	for _, d := range []struct {
		from unit.Name
		kind unit.DepKind
		to   unit.Name
		want bool
	}{
		{"a.service", unit.Requires, "sysinit.target", true},
		{"a.service", unit.After, "basic.target", true},
		{"a.service", unit.Conflicts, "shutdown.target", true},
		{"shutdown.target", unit.ConflictedBy, "a.service", true},
		{"early.service", unit.After, "sysinit.target", false},
		{"all.target", unit.After, "a.service", true},
		{"all.target", unit.After, "early.service", false},
		{"a.socket", unit.Triggers, "a.service", true},
		{"a.service", unit.TriggeredBy, "a.socket", true},
		{"a.service", unit.After, "a.socket", true},
		{"a.socket", unit.Before, "sockets.target", true},
		{"a.socket", unit.Requires, "srv.mount", true},
		{"srv.mount", unit.Before, "a.socket", true},
		{"a.timer", unit.After, "time-sync.target", true},
		{"a.service", unit.InSlice, "system.slice", true},
	} {
		if got := s.Get(d.from).Deps.Has(d.kind, d.to); got != d.want {
			t.Errorf("%s %s %s: %v, want %v", d.from, d.kind, d.to, got, d.want)
		}
	}
}

func BenchmarkLoad500(b *testing.B) {
	files := map[string]string{lib + "all.target": "[Unit]\n"}
	for i := range 500 {
		files[fmt.Sprintf("%su%d.service", lib, i)] = fmt.Sprintf("[Unit]\nDescription=Number %d\nAfter=network.target u%d.service\nWants=network-online.target\n%sp --number %d\nUser=u%d\nRestart=always\n", i, i/2, run, i, i)
		files[fmt.Sprintf("%sall.target.wants/u%d.service", etc, i)] = fmt.Sprintf("->/usr/lib/systemd/system/u%d.service", i)
	}
	r := tree(b, files)
	for b.Loop() {
		if s := loader(b, r).Load("all.target"); s.Len() < 500 {
			b.Fatal(s.Len())
		}
	}
	b.ReportAllocs()
}
