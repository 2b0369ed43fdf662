package lower

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	devices "github.com/opencontainers/cgroups/devices/config"

	"firn/shim/internal/spec"
)

type rule = devices.Rule

var update = flag.Bool("update", false, "write the golden files anew")

// TestLowerGolden lowers the Specs that package spec keeps as its own golden
// files, so that one chain of files shows the way from argv to libcontainer.
func TestLowerGolden(t *testing.T) {
	t.Parallel()
	specs, err := filepath.Glob("../spec/testdata/*.json")
	if err != nil || len(specs) == 0 {
		t.Fatalf("no specs: %v", err)
	}
	for _, path := range specs {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var s spec.Spec
		if err := json.Unmarshal(content, &s); err != nil {
			t.Fatal(err)
		}
		low, err := Lower(&s)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		got, err := json.MarshalIndent(low, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", filepath.Base(path))
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(got)+"\n" {
			t.Errorf("%s: differs from %s; run with -update and read the diff", path, golden)
		}
	}
}

// A rule too many lets a container open the host's disks, so the table is
// looked at as data: one denial of everything, then character devices only.
func TestDeviceRulesAreClosed(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../spec/testdata/seed.json")
	if err != nil {
		t.Fatal(err)
	}
	var s spec.Spec
	if err := json.Unmarshal(content, &s); err != nil {
		t.Fatal(err)
	}
	low, err := Lower(&s)
	if err != nil {
		t.Fatal(err)
	}
	for where, rules := range map[string][]*rule{"outer": low.Outer.Resources.Devices, "inner": low.Config.Cgroups.Resources.Devices} {
		if len(rules) < 2 || rules[0].Allow || rules[0].Type != 'a' || rules[0].Permissions != "rwm" {
			t.Fatalf("%s: first rule is %+v, want a denial of everything", where, rules[0])
		}
		for _, r := range rules[1:] {
			if r.Allow && (r.Type != 'c' || r.Major < 0) {
				t.Errorf("%s: rule allows %+v", where, r)
			}
		}
	}
}
