package unit

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"firn/tests/require"
)

// directive is a row of testdata/directives.tsv.
type directive struct {
	set, section, key string
	tier              int
	share             float64 // of units that run with all directives up to this one; 0: not ranked
	count             int
}

func directives(t *testing.T) []directive {
	t.Helper()
	text, err := os.ReadFile("testdata/directives.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var list []directive
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		section, key, ok := strings.Cut(f[2], ".")
		tier, err := strconv.Atoi(f[3])
		if !ok || err != nil || len(f) != 6 {
			t.Fatalf("bad row %q", line)
		}
		share, _ := strconv.ParseFloat(f[4], 64) // "-" is not ranked
		count, err := strconv.Atoi(f[5])
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, directive{f[0], section, key, tier, share, count})
	}
	if len(list) < 300 {
		t.Fatalf("only %d directives", len(list))
	}
	return list
}

// typos of the corpus: systemd does not know them either.
var typos = []string{"Service.Name", "Service.SystemdService", "Service.before"}

// TestDirectives: all of tiers 1 and 2 up to 99 % of units is read into a unit, and none of it is unknown.
func TestDirectives(t *testing.T) {
	t.Parallel()
	known, supported, total := 0, 0, 0
	var lacking []string
	for _, d := range directives(t) {
		if isExtension(d.key) {
			continue
		}
		name := d.section + "." + d.key
		s, ok := Lookup(d.section, d.key)
		total += d.count
		if ok {
			known += d.count
		}
		if ok && s.Support == Supported {
			supported += d.count
		}
		within := d.tier < 3 && d.share > 0 && d.share <= 99
		switch {
		case !ok && within:
			t.Errorf("%s: %s of tier %d is unknown", d.set, name, d.tier)
		case !ok && !strings.Contains(strings.Join(typos, " "), name):
			t.Errorf("%s: %s is unknown", d.set, name)
		case within && s.parse == nil:
			t.Errorf("%s: %s of tier %d is not even read", d.set, name, d.tier)
		case within && s.Support == Unsupported:
			lacking = append(lacking, name)
		}
	}
	t.Logf("%d occurrences: %.2f %% known, %.1f %% supported", total, 100*float64(known)/float64(total), 100*float64(supported)/float64(total))
	t.Logf("within 99 %%, read and not applied yet: %s", strings.Join(lacking, " "))
	if known*1000 < total*999 {
		t.Error("less than 99.9 % of all occurrences are known")
	}
}

// TestReasons: whatever has no effect says why.
func TestReasons(t *testing.T) {
	t.Parallel()
	for section, groups := range tables() {
		seen := map[string]bool{}
		for _, g := range groups {
			for key, s := range g {
				if (s.Support == Supported) != (s.Reason == "") || s.Support == Supported && s.parse == nil {
					t.Errorf("%s.%s: %s, reason %q, read %v", section, key, s.Support, s.Reason, s.parse != nil)
				}
				if s.Key != key || seen[key] {
					t.Errorf("%s.%s stands under %s, or twice", section, s.Key, key)
				}
				seen[key] = true
			}
		}
	}
}

// TestOracleSettings: every setting that the installed systemd knows is in the table.
func TestOracleSettings(t *testing.T) {
	t.Parallel()
	const program = "/lib/systemd/systemd"
	require.File(t, program, "systemd's own program")
	cmd := exec.Command(program, "--dump-configuration-items")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	section, count := "", 0
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.Trim(line, "[]")
			continue
		}
		key, _, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		count++
		if _, ok := Lookup(section, key); !ok {
			t.Errorf("[%s] %s is not in the table", section, key)
		}
	}
	if count < 1000 {
		t.Errorf("systemd named only %d settings", count)
	}
}
