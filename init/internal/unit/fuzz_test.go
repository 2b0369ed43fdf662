package unit

import (
	"strings"
	"testing"

	"firn/init/unitfile"
)

// FuzzParse reads any text as a unit of each type: no panic, no unit that is refused without a reason, and the same
// again for the same text.
func FuzzParse(f *testing.F) {
	f.Add("a.service", "[Unit]\nAfter=b.target\nConditionPathExists=|!/a\n[Service]\nExecStart=-@/bin/a 'b c' ; /bin/d\nEnvironment=A=\"1\nLimitNOFILE=1:2\n")
	f.Add("a.socket", "[Socket]\nListenStream=[::1]:5\nListenNetlink=route 1\n[Install]\nAlias=%x.socket\n")
	f.Add("a.timer", "[Timer]\nOnCalendar=Mon *-*-1..5/2 3:00\nOnBootSec=1h 5\n")
	f.Add("a-b.mount", "[Mount]\nWhat=/dev/x\nOptions=bind\nDirectoryMode=0755\n")
	f.Add("a.slice", "[Slice]\nMemoryMax=5%\nIOReadBandwidthMax=/dev/a 5M\nCPUQuota=20.5%\nAllowedCPUs=0-3,5\n")
	d := SystemDefaults()
	f.Fuzz(func(t *testing.T, name, text string) {
		n, err := ParseName(name)
		if err != nil {
			return
		}
		file, err := unitfile.Parse(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		expand := func(v string) (string, error) { return v, nil }
		u := Parse(n, file, &d, expand)
		if (u.State == Loaded) != (u.Err == nil) {
			t.Errorf("%s with %v", u.State, u.Err)
		}
		again := Parse(n, file, &d, expand)
		if len(again.Deps) != len(u.Deps) || len(again.Warnings) != len(u.Warnings) || again.State != u.State {
			t.Error("the same text read twice differs")
		}
		for _, dep := range u.Deps {
			if _, err := ParseName(string(dep.Name)); err != nil || dep.Name.IsTemplate() && !n.IsTemplate() || dep.Name == n {
				t.Errorf("depends on %q", dep.Name)
			}
		}
		if u.Service != nil {
			for _, c := range u.Service.Commands[ExecStart] {
				if c.Path == "" || len(c.Argv) == 0 || c.Flags&argv0Follows != 0 {
					t.Errorf("command %+v", c)
				}
			}
		}
	})
}
