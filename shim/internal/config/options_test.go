package config

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"firn/tests/require"
)

func TestOptionTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range optionTable() {
		where := "--" + o.name + " -" + o.short
		for _, id := range []string{"--" + o.name, "-" + o.short} {
			if len(id) > 1 && id != "--" && seen[id] {
				t.Errorf("%s stands twice in the table", id)
			}
			seen[id] = true
		}
		if o.name == "" && o.short == "" || len(o.short) > 1 {
			t.Errorf("%s: names", where)
		}
		if o.help == "" || strings.HasSuffix(o.help, ".") || len(o.help) > 60 {
			t.Errorf("%s: help %q", where, o.help)
		}
		if (o.arity == noArgument) != (o.meta == "") {
			t.Errorf("%s: argument %q", where, o.meta)
		}
		if o.set == nil && o.topic == "" {
			t.Errorf("%s: neither a setter nor what is missing", where)
		}
		for _, v := range o.values {
			if o.topic == "" || v == "no" {
				if _, err := ParseArgv([]string{"--" + o.name + "=" + v}, caller); err != nil {
					t.Errorf("%s: offered value %s: %v", where, v, err)
				}
			}
		}
	}
}

// TestOracleHelp: each option that the installed systemd-nspawn offers is in the
// table, with the same letter and arity.
func TestOracleHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(require.Program(t, "systemd-nspawn"), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^  (?:-(\w)|  ) +(?:--([a-z0-9-]+)(\[=|=)?)?`).FindAllStringSubmatch(string(out), -1)
	count := 0
	for _, m := range lines {
		letter, name, argument := m[1], m[2], m[3]
		if letter == "" && name == "" {
			continue // continuation of a description
		}
		count++
		i := slices.IndexFunc(optionTable(), func(o *option) bool { return o.name == name && (name != "" || o.short == letter) })
		if i < 0 {
			t.Errorf("option %q -%s is not in the table", name, letter)
			continue
		}
		o := optionTable()[i]
		want := map[string]arity{"": noArgument, "=": requiredArgument, "[=": optionalArgument}[argument]
		switch name {
		case "no-new-privileges": // its help leaves out the argument that its manual demands
			want = requiredArgument
		case "private-users": // its help leaves out that the argument may be missing
			want = optionalArgument
		}
		if o.short != letter || o.arity != want {
			t.Errorf("--%s: letter %q and arity %d in the table, %q and %d in systemd-nspawn", name, o.short, o.arity, letter, want)
		}
	}
	if count < 60 {
		t.Errorf("read only %d options from its help", count)
	}
}

// TestOracleCapabilities: the same names in the same order.
func TestOracleCapabilities(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(require.Program(t, "systemd-nspawn"), "--capability=help").Output()
	if err != nil {
		t.Fatal(err)
	}
	var theirs []string
	for _, word := range strings.Fields(string(out)) {
		if strings.HasPrefix(word, "cap_") {
			theirs = append(theirs, strings.ToUpper(word))
		}
	}
	if ours := Capabilities(); !slices.Equal(ours[:min(len(ours), len(theirs))], theirs) || len(theirs) < 38 {
		t.Errorf("ours   %q\ntheirs %q", ours, theirs)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, v := range Variables() {
		if seen[v.Name] || v.Values == "" || v.Help == "" || !isVariableName(v.Name) {
			t.Errorf("%+v", v)
		}
		seen[v.Name] = true
	}
}
