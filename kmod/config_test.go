package kmod

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigParse(t *testing.T) {
	t.Parallel()
	var c Config
	c.Parse([]byte("# comment\n  # too\r\n\nalias my-* a-b\r\noptions x-y a=1 \\\n b=2\nblacklist p-q rest\n"+
		"install i-j /bin/x -y; z\nremove r /bin/r\nsoftdep s pre: a-b c post: d pre: e\nsoftdep t lost\nweakdep w u-v x\n"+
		"frobnicate x\nalias one\ninclude /etc/x\noptions last z=1"), "f.conf")
	want := Config{
		Aliases:   []Rule{{"my_*", "a_b", Origin{"f.conf", 4}}},
		Blacklist: []Rule{{"p_q", "", Origin{"f.conf", 7}}},
		Options:   []Rule{{"x_y", "a=1  b=2", Origin{"f.conf", 5}}, {"last", "z=1", Origin{"f.conf", 16}}},
		Install:   []Rule{{"i_j", "/bin/x -y; z", Origin{"f.conf", 8}}},
		Remove:    []Rule{{"r", "/bin/r", Origin{"f.conf", 9}}},
		Softdeps: []Softdep{
			{Name: "s", Pre: []string{"a-b", "c", "e"}, Post: []string{"d"}, Origin: Origin{"f.conf", 10}},
			{Name: "t", Origin: Origin{"f.conf", 11}},
		},
		Weakdeps: []Weakdep{{"w", []string{"u-v", "x"}, Origin{"f.conf", 12}}},
		Problems: []*LineError{
			{"f.conf", 13, `unknown command "frobnicate"`}, {"f.conf", 14, "alias without its arguments"},
			{"f.conf", 15, "include is no longer read; put the file into a modprobe.d directory"},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestConfigCommandLine(t *testing.T) {
	t.Parallel()
	var c Config
	c.ParseCommandLine(`quiet loop.max_loop=8 snd-hda.model="a b" "x.y=1 2" modprobe.blacklist=a-b,,c 0.0.0.0:2024 root=/dev/x.y usb.nousb .x= y.` + "\n")
	at := Origin{File: CommandLineFile}
	want := Config{
		Options:   []Rule{{"loop", "max_loop=8", at}, {"snd_hda", `model="a b"`, at}, {"x", "y=1 2", at}, {"usb", "nousb", at}},
		Blacklist: []Rule{{Name: "a_b", Origin: at}, {Name: "c", Origin: at}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// One line of a megabyte, and a million lines' worth of continuation.
func TestConfigLong(t *testing.T) {
	t.Parallel()
	var c Config
	c.Parse([]byte("options x "+strings.Repeat("a", 1<<20)+"\nalias y z"), "f")
	c.Parse([]byte(strings.Repeat("\\\n", 1<<19)+"alias v w"), "g")
	if len(c.Options) != 1 || len(c.Options[0].Text) != 1<<20 || len(c.Aliases) != 2 {
		t.Errorf("%d options, %d aliases", len(c.Options), len(c.Aliases))
	}
}

func TestConfFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	writeFiles(t, root, map[string]string{
		"etc/modprobe.d/b.conf": "alias a etc\n", "usr/lib/modprobe.d/b.conf": "alias a masked\n", "usr/lib/modprobe.d/a.conf": "alias a usr\n",
		"run/modprobe.d/c.conf": "", "lib/modprobe.d/c.conf": "alias a masked\n", "lib/modprobe.d/x.txt": "alias a text\n",
		tree("modules.softdep"): "softdep s pre: x\n", "lib/modprobe.d/n.conf": "softdep s pre: y\n", "lib/modprobe.d/m.conf": "softdep s pre: z\n",
	})
	if err := os.Symlink("nowhere", root+"/etc/modprobe.d/dangling.conf"); err != nil {
		t.Fatal(err)
	}
	c := New(Options{Root: root, Release: testRelease}).Config()
	var got []string
	for _, r := range c.Aliases {
		got = append(got, r.Text)
	}
	for _, s := range c.Softdeps {
		got = append(got, s.Pre...)
	}
	if diff := cmp.Diff([]string{"usr", "etc", "z", "x", "y"}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if len(c.Problems) != 1 || c.Problems[0].File != "/etc/modprobe.d/dangling.conf" {
		t.Errorf("problems: %v", c.Problems)
	}
}

func TestKernelConfig(t *testing.T) {
	t.Parallel()
	config := ParseKernelConfig([]byte("# x\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=\"text\"\r\n"))
	list, err := ParseRequirements([]byte("isYes A # why\nisModule CONFIG_B\nisNo C\nisDisabled C\nisDisabled E\nisEnabled B needed for x\n\nisYes B\nisNo E\nisModule A\nisEnabled C\nisDisabled A\nisYes D\n"), "l")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		holds, has := r.Holds(config)
		word := "wrong"
		if holds {
			word = "ok"
		}
		got = append(got, r.Origin.String()+" "+word+" wants "+r.Wants()+" has "+has)
	}
	want := []string{
		"l:1 ok wants y has y", "l:2 ok wants m has m", "l:3 ok wants n has n", "l:4 ok wants n or nothing has n", "l:5 ok wants n or nothing has nothing",
		"l:6 ok wants y or m has m", "l:8 wrong wants y has m", "l:9 wrong wants n has nothing", "l:10 wrong wants m has y", "l:11 wrong wants y or m has n",
		"l:12 wrong wants n or nothing has y", `l:13 wrong wants y has "text"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := ParseRequirements([]byte("isMaybe A\nisYes\n"), "l"); err == nil || err.Error() !=
		"l:1: unknown requirement \"isMaybe\" (isYes, isNo, isModule, isEnabled or isDisabled)\nl:2: isYes without an option" {
		t.Errorf("bad list: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("alias a* b\noptions x y \\\n z\nsoftdep a pre: b post: c\ninstall [ x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Config
		c.Parse(data, "f")
		c.ParseCommandLine(string(data))
		for _, name := range []string{"a", "fuse", ""} {
			c.Blacklisted(name)
			c.InstallCommand(name)
			c.OptionsFor(name, "a*")
			c.SoftdepOf(name)
		}
	})
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("# x\nmodule\n; y\nmodules_load=a,b rd.modules_load=c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range append(ParseList(data, "f"), ParseListCommandLine(string(data), true)...) {
			if e.Name == "" {
				t.Error("an entry without a name")
			}
		}
		ParseKernelConfig(data)
		_, _ = ParseRequirements(data, "f")
		var d DepmodConfig
		d.Parse(data, "f")
		d.priority("m", "extra/m.ko", "6.1", d.externals("6.1"))
		ParseProcModules(data)
	})
}
