package systemd

import "testing"

func TestSlicePath(t *testing.T) {
	t.Parallel()
	for slice, want := range map[string]string{
		"machine.slice": "/machine.slice",
		"a-b-c.slice":   "/a.slice/a-b.slice/a-b-c.slice",
		"-.slice":       "/",
	} {
		if got := SlicePath(slice); got != want {
			t.Errorf("SlicePath(%s) = %s, want %s", slice, got, want)
		}
	}
}

func TestUnitNames(t *testing.T) {
	t.Parallel()
	if got := ScopeName("web.1-a"); got != `machine-web.1\x2da.scope` {
		t.Errorf("ScopeName = %s", got)
	}
}
