package unitload

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/init/internal/unit"
	"firn/tests/require"
)

// TreeVariable names another root with systemd installed, whose units are compared with systemd's own view of them.
const TreeVariable = "FIRN_UNIT_TREE"

// dumpScript makes systemd load units as the system manager would and print them, without running anything: in a mount
// namespace with an empty /run, without generators, and as a user who may change nothing.
const dumpScript = `set -e
root=$1
mount --make-rprivate /
[ "$root" = / ] || mount --bind "$root" "$root"
cd "$root"
[ -e proc/self ] || mount -t proc proc proc
[ -e sys/kernel ] || mount --rbind /sys sys
[ -c dev/null ] || mount --rbind /dev dev
mount -t tmpfs tmpfs run
for d in lib/systemd/system-generators usr/lib/systemd/system-generators; do [ ! -d $d ] || mount -t tmpfs tmpfs $d; done
mkdir -p run/systemd/system
printf '%s' "$2" > run/systemd/system/firn-all.target
exec chroot --userspec=65534:65534 . /lib/systemd/systemd --test --system --unit=firn-all.target --no-pager
`

// overlayScript does the same on this machine's own systemd, over the unit directories of another tree.
const overlayScript = `set -e
tree=$1
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/tree /run/systemd/system
mount --bind "$tree" /run/tree
for d in etc/systemd/system usr/lib/systemd/system usr/local/lib/systemd/system; do
	if [ -d /run/tree/$d ]; then mount --rbind /run/tree/$d /$d; elif [ -d /$d ]; then mount -t tmpfs tmpfs /$d; fi
done
for d in /lib/systemd/system-generators /usr/lib/systemd/system-generators; do [ ! -d $d ] || mount -t tmpfs tmpfs $d; done
printf '%s' "$2" > /run/systemd/system/firn-all.target
exec setpriv --reuid=65534 --regid=65534 --clear-groups /lib/systemd/systemd --test --system --unit=firn-all.target --no-pager
`

// properties is a unit as systemd prints it: keys with their values in order.
type properties map[string][]string

// dump asks systemd for all named units and what they refer to.
func dump(t *testing.T, script, root string, names []unit.Name) map[unit.Name]properties {
	t.Helper()
	text := "[Unit]\nDefaultDependencies=no\n"
	for _, n := range names {
		text += "Wants=" + string(n) + "\n"
	}
	cmd := exec.Command(require.Program(t, "unshare"), "-m", "sh", "-c", script, "sh", root, text)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_LOG_LEVEL=warning", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("systemd --test: %v\n%s", err, &stderr)
	}
	t.Logf("systemd says:\n%s", &stderr)
	return parseDump(string(out))
}

func parseDump(text string) map[unit.Name]properties {
	units := map[unit.Name]properties{}
	var current properties
	group := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "\t-> Unit "); ok {
			current, group = properties{}, ""
			units[unit.Name(strings.TrimSuffix(name, ":"))] = current
			continue
		}
		if name, ok := strings.CutPrefix(line, "\t\t-> "); ok && current != nil {
			group = strings.TrimSuffix(name, ":")
			continue
		}
		key, value, ok := strings.Cut(strings.TrimLeft(line, "\t"), ": ")
		if !ok || current == nil || !strings.HasPrefix(line, "\t\t") {
			continue
		}
		if key == "Command Line" {
			key = group
		}
		if _, err := depKind(key); err == nil {
			value, _, _ = strings.Cut(value, " (") // why it is there
		}
		if key == "RequiresMountsFor" {
			value, _, _ = strings.Cut(value, " (")
		}
		if strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert") {
			value = strings.TrimSuffix(value, " untested")
		}
		current[key] = append(current[key], value)
	}
	return units
}

// compare reports each property that systemd prints otherwise than show.
func compare(t *testing.T, s *Set, want map[unit.Name]properties) {
	t.Helper()
	compared := 0
	for name, theirs := range want {
		if skipped(name) || name.Type() == unit.MountType && theirs["Fragment Path"] == nil {
			continue
		}
		u := s.Get(name)
		if u == nil {
			if theirs["Unit Load State"][0] != "not-found" {
				t.Errorf("%s: systemd has it, and we do not", name)
			}
			continue
		}
		if u.Name != name {
			t.Errorf("%s: systemd's own name, ours is %s", name, u.Name)
			continue
		}
		ours := show(u)
		for _, key := range comparedKeys(u, theirs) {
			compared++
			a, b := normal(s, key, ours[key]), normal(s, key, theirs[key])
			if !slices.Equal(a, b) {
				t.Errorf("%s: %s\n  ours %q\ntheirs %q", name, key, without(a, b), without(b, a))
			}
		}
	}
	t.Logf("%d units, %d properties compared", len(want), compared)
	if compared < 20 {
		t.Error("too few properties to mean anything")
	}
}

// skipped are units that only a running kernel has.
func skipped(n unit.Name) bool {
	return n.Type() == unit.DeviceType || n.Type() == unit.ScopeType || n == "firn-all.target" || n == "-.mount" || n == "-.slice" ||
		strings.HasPrefix(string(n), "loop") // aliases in a circle: not-found there, an error with its reason here
}

// normal drops what has no match here: units of the running kernel, the order of a set, dependencies that systemd had
// added before it found a unit to be bad, and masked drop-ins.
func normal(s *Set, key string, values []string) []string {
	var list []string
	_, err := depKind(key)
	for _, v := range values {
		if key == "RequiresMountsFor" && v == "/" {
			continue
		}
		if key == "DropIn Path" || key == "Fragment Path" { // one directory with two names
			v = strings.TrimPrefix(v, "/usr")
			if strings.HasSuffix(v, "-masked.conf") {
				continue
			}
		}
		if u := s.Get(unit.Name(v)); err == nil && u != nil && u.State != unit.Loaded && u.State != unit.NotFound && u.State != unit.Masked {
			continue
		}
		if err == nil && skipped(unit.Name(v)) && v != "-.slice" || err == nil && unit.Name(v).Type() == unit.MountType && v != "tmp.mount" {
			continue
		}
		list = append(list, v)
	}
	if err == nil || key == "RequiresMountsFor" || key == "Alias" || key == "OnCalendar" || strings.HasSuffix(key, "Directory") ||
		strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert") {
		slices.Sort(list)
	}
	if key == "AmbientCapabilities" && len(list) == 1 {
		words := strings.Fields(list[0])
		slices.Sort(words)
		list = words
	}
	return list
}

func without(list, other []string) []string {
	var rest []string
	for _, v := range list {
		if !slices.Contains(other, v) {
			rest = append(rest, v)
		}
	}
	return rest
}

func loadAll(t *testing.T, root string) (*Set, []unit.Name) {
	t.Helper()
	r, err := OpenRoot(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	l, err := New(r, Facts(r), unit.SystemDefaults())
	if err != nil {
		t.Fatal(err)
	}
	// Both sides see the directories without what runs now.
	search := slices.DeleteFunc(slices.Clone(SearchPath), func(dir string) bool { return strings.HasPrefix(dir, "/run/") })
	if l.index, err = scan(r, search); err != nil {
		t.Fatal(err)
	}
	var names []unit.Name
	for _, n := range l.Names() {
		if !n.IsTemplate() {
			names = append(names, n)
		}
	}
	return l.Load(names...), names
}

// requireSystemd needs the version whose dump and defaults these tests know.
func requireSystemd(t *testing.T, root string) {
	t.Helper()
	program := filepath.Join(root, "lib/systemd/systemd")
	require.File(t, program, "systemd's own program")
	out, err := exec.Command("chroot", root, "/lib/systemd/systemd", "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "systemd 252 ") {
		require.Missing(t, require.CapProgram, "systemd 252 in "+root)
	}
}

// TestOracleHost compares all units of a Debian system: this machine's, or those of FIRN_UNIT_TREE.
func TestOracleHost(t *testing.T) {
	t.Parallel()
	require.Root(t)
	root := os.Getenv(TreeVariable)
	if root == "" {
		root = "/"
	}
	requireSystemd(t, root)
	s, names := loadAll(t, root)
	compare(t, s, dump(t, dumpScript, root, names))
}

// TestOracleTree compares the units of testdata/tree, which are made to be odd.
func TestOracleTree(t *testing.T) {
	t.Parallel()
	require.Root(t)
	requireSystemd(t, "/")
	tree, err := filepath.Abs("testdata/tree")
	if err != nil {
		t.Fatal(err)
	}
	s, names := loadAll(t, tree)
	compare(t, s, dump(t, overlayScript, tree, names))
}
