package kmod

import "testing"

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a*", "abc", true}, {"a*c", "abc", true}, {"a*c", "abd", false}, {"*a*b*", "xaxxb", true},
		{"?", "", false}, {"a?c", "abc", true}, {"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[!a-c]x", "dx", true}, {"[^a]", "a", false},
		{"[]]", "]", true}, {"[]a]", "a", true}, {"[a-]", "-", true}, {"[a", "[a", true}, {"[a", "a", false}, {"\\*", "*", true}, {"\\*", "a", false}, {"a\\", "a\\", false},
		{"[[:digit:]]x", "7x", true}, {"[[:digit:]]x", "ax", false}, {"[\\]]", "]", true}, {"a/*", "a/b/c", true}, {"*.x", ".x", true},
		{"pci:v*d*sv*sd*bc02sc00i*", "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00", true},
	} {
		if got := Match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a*[!b-d]?\\*", "axx*")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 200 || len(name) > 200 {
			return
		}
		got := Match(pattern, name)
		if !hasGlob(pattern) && got != (pattern == name) {
			t.Errorf("Match(%q, %q) = %v without a glob", pattern, name, got)
		}
		if got && !Match(pattern+"*", name+"tail") {
			t.Errorf("%q matches %q, but not with a tail", pattern, name)
		}
	})
}

func TestNormalize(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a-b": "a_b", "a[0-9]-b": "a[0-9]_b", "": "", "x]-": "x]_", "[a-": "[a-"} {
		if got := Normalize(in); got != want {
			t.Errorf("Normalize(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"kernel/a-b.ko.xz": "a_b", "x.ko": "x", "/a/b.c.ko": "b", "plain": "plain", "a/": ""} {
		if got := NameOfPath(in); got != want {
			t.Errorf("NameOfPath(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"a.ko": true, "a.ko.xz": true, "a.ko.gz": true, "a.ko.zst": true, "a.ko.bz2": false, ".ko": false, "a.kox": false, "a.ko.ko": true} {
		if got := isModuleFile(in); got != want {
			t.Errorf("isModuleFile(%q) = %v", in, got)
		}
	}
}
