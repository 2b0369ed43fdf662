package require

import "testing"

func TestInsisted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list, capability string
		want             bool
	}{
		{"", CapRoot, false},
		{"all", CapRoot, true},
		{"root", CapRoot, true},
		{"root", CapCgroup, false},
		{"program, root", CapRoot, true},
		{"rooted", CapRoot, false},
	} {
		if got := insisted(c.list, c.capability); got != c.want {
			t.Errorf("insisted(%q, %q) = %v, want %v", c.list, c.capability, got, c.want)
		}
	}
}

// fake records how a test ended; its Fatalf and Skipf end the goroutine as the
// real ones do.
type fake struct {
	testing.TB
	ended string
}

func (f *fake) Helper()               {}
func (f *fake) Skipf(string, ...any)  { f.ended = "skip" }
func (f *fake) Fatalf(string, ...any) { f.ended = "fail"; panic(f) }

func TestMissing(t *testing.T) {
	for list, want := range map[string]string{"": "skip", "all": "fail", "kernel": "skip", "program": "fail"} {
		t.Setenv(Variable, list)
		f := &fake{}
		func() {
			defer func() { _ = recover() }()
			Program(f, "no-such-program-of-firn")
		}()
		if f.ended != want {
			t.Errorf("%s=%q: a missing program ends in %q, want %q", Variable, list, f.ended, want)
		}
	}
}
