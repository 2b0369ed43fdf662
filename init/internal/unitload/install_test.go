package unitload

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/init/internal/unit"
	"firn/init/unitfile"
	"firn/tests/require"
)

// installTree has units that can be enabled in every way.
var installTree = map[string]string{
	lib + "web.service":                            run + "web\n[Install]\nWantedBy=multi-user.target\nRequiredBy=web.target\nAlias=www.service\nAlso=web.socket\n",
	lib + "web.socket":                             "[Socket]\nListenStream=80\n[Install]\nWantedBy=sockets.target\n",
	lib + "web.target":                             "[Unit]\n",
	lib + "multi-user.target":                      "[Unit]\n",
	lib + "static.service":                         run + "static\n",
	lib + "also.service":                           run + "also\n[Install]\nAlso=web.service\n",
	lib + "getty@.service":                         run + "getty\n[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n",
	lib + "bare@.service":                          run + "bare\n[Install]\nWantedBy=getty.target\n",
	lib + "pair@.service":                          run + "pair\n[Install]\nWantedBy=set@.target\n",
	lib + "vendor.service":                         run + "vendor\n[Install]\nWantedBy=multi-user.target\n",
	lib + "pulled.service":                         run + "pulled\n",
	lib + "multi-user.target.wants/vendor.service": "->../vendor.service",
	lib + "multi-user.target.wants/pulled.service": "->../pulled.service",
	etc + "own.service":                            run + "own\n[Install]\nWantedBy=multi-user.target\n",
	etc + "off.service":                            "->/dev/null",
	etc + "linked.service":                         "->/opt/linked.service",
	"opt/linked.service":                           run + "linked\n",
	etc + "other.service":                          "->/usr/lib/systemd/system/static.service",
	etc + "gone.service":                           "->/opt/gone.service",
	etc + "multi-user.target.wants/own.service":    "->/etc/systemd/system/own.service",
	"run/systemd/generator/gen.service":            run + "gen\n",
	"run/systemd/system/rt.service":                run + "rt\n[Install]\nWantedBy=multi-user.target\n",
	"usr/lib/systemd/system-preset/50-a.preset":    "# rules\nenable web.service\nenable getty@.service tty1 tty5\ndisable *\n",
	"etc/systemd/system-preset/10-b.preset":        "disable own.service\nnonsense\n",
}

// states asks systemctl for the state of every unit of a tree.
func states(t *testing.T, systemctl, root string) map[unit.Name]string {
	t.Helper()
	cmd := exec.Command(systemctl, "--root="+root, "list-unit-files", "--no-pager", "--no-legend", "--full")
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("systemctl: %v", err)
	}
	all := map[unit.Name]string{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) >= 2 {
			all[unit.Name(f[0])] = f[1]
		}
	}
	if len(all) < 5 {
		t.Fatalf("systemctl lists only %d units", len(all))
	}
	return all
}

// TestOracleFileStates compares the state of each unit with systemctl's list.
func TestOracleFileStates(t *testing.T) {
	t.Parallel()
	systemctl := require.Program(t, "systemctl")
	root := tree(t, installTree)
	compareStates(t, systemctl, root.dir.Name())
}

// TestOracleHostFileStates does so for this machine's units, or those of FIRN_UNIT_TREE.
func TestOracleHostFileStates(t *testing.T) {
	t.Parallel()
	systemctl := require.Program(t, "systemctl")
	root := os.Getenv(TreeVariable)
	if root == "" {
		root = "/"
	}
	require.File(t, filepath.Join(root, "lib/systemd/system"), "units")
	compareStates(t, systemctl, root)
}

func compareStates(t *testing.T, systemctl, dir string) {
	t.Helper()
	root, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	l := loader(t, root)
	want := states(t, systemctl, dir)
	for name, state := range want {
		if got := l.FileState(name); got.String() != state {
			t.Errorf("%s: %s, systemctl says %s", name, got, state)
		}
	}
	t.Logf("%d units", len(want))
}

// links lists the links below /etc/systemd/system.
func links(t *testing.T, dir string) []string {
	t.Helper()
	var list []string
	base := filepath.Join(dir, configDir)
	err := filepath.WalkDir(base, func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.Type()&fs.ModeSymlink == 0 {
			return err
		}
		target, err := os.Readlink(p)
		list = append(list, strings.TrimPrefix(p, base)+" -> "+strings.Replace(target, "/usr/lib/systemd", "/lib/systemd", 1))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// TestOracleEnable lets both do the same to two trees, and compares what links there are.
func TestOracleEnable(t *testing.T) {
	t.Parallel()
	systemctl := require.Program(t, "systemctl")
	tests := map[string][][]string{
		"enable":           {{"enable", "web.service"}},
		"enable twice":     {{"enable", "web.service"}, {"enable", "web.service"}},
		"enable, disable":  {{"enable", "web.service"}, {"disable", "web.service"}},
		"disable alias":    {{"enable", "web.service"}, {"disable", "web.socket"}},
		"default instance": {{"enable", "getty@.service"}},
		"an instance":      {{"enable", "getty@tty7.service", "bare@x.service"}},
		"all instances":    {{"enable", "getty@.service", "getty@tty7.service"}, {"disable", "getty@.service"}},
		"one of two":       {{"enable", "getty@.service", "getty@tty7.service"}, {"disable", "getty@tty7.service"}},
		"template of both": {{"enable", "pair@a.service"}},
		"own":              {{"disable", "own.service"}},
		"mask":             {{"mask", "web.service"}},
		"unmask":           {{"mask", "web.service"}, {"unmask", "web.service", "off.service"}},
		"preset":           {{"preset", "web.service", "own.service", "vendor.service"}},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := tree(t, installTree).dir.Name(), tree(t, installTree).dir.Name()
			for _, step := range steps {
				if err := act(t, ours, step[0], step[1:]...); err != nil {
					t.Errorf("%v: %v", step, err)
				}
				if out, err := exec.Command(systemctl, append([]string{"--root=" + theirs}, step...)...).CombinedOutput(); err != nil {
					t.Errorf("systemctl %v: %v\n%s", step, err, out)
				}
			}
			if a, b := links(t, ours), links(t, theirs); !slices.Equal(a, b) {
				t.Errorf("ours:\n%s\nsystemctl's:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
			}
		})
	}
}

// act plans and applies one step.
func act(t *testing.T, dir, verb string, args ...string) error {
	t.Helper()
	root, err := OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	l := loader(t, root)
	var names []unit.Name
	for _, arg := range args {
		names = append(names, unit.Name(arg))
	}
	var changes []Change
	switch verb {
	case "enable":
		changes, err = l.Enable(names...)
	case "disable":
		changes, err = l.Disable(names...)
	case "mask":
		changes, err = l.Mask(names...)
	case "unmask":
		changes, err = l.Unmask(names...)
	case "preset":
		rules, warnings, readErr := ReadPresets(root)
		if readErr != nil || len(warnings) != 1 || warnings[0].String() != "/etc/systemd/system-preset/10-b.preset:2: not a rule: enable or disable, and a pattern" {
			t.Errorf("presets: %v, %v", readErr, warnings)
		}
		changes, err = l.Preset(rules, names...)
	}
	if err != nil {
		return err
	}
	return Apply(dir, changes)
}

func TestEnableErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		verb, name string
		want       error
	}{
		{"enable", "absent.service", ErrNotFound},
		{"enable", "off.service", unitfile.ErrMasked},
		{"enable", "bare@.service", ErrNoInstance},
		{"mask", "own.service", ErrExists},
	} {
		if err := act(t, tree(t, installTree).dir.Name(), tt.verb, tt.name); !errors.Is(err, tt.want) {
			t.Errorf("%s %s: %v, want %v", tt.verb, tt.name, err, tt.want)
		}
	}
}
