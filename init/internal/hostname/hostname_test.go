package hostname

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"web\n": "web", "  web.example.org.  \n": "web.example.org", "# none\n\n": "", "": "", "# c\r\nweb\r\n": "web",
		"a_b\n": "a_b", "one\ntwo\n": "one", strings.Repeat("a", 64): strings.Repeat("a", 64),
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"two words\n", "-a\n", "a-\n", "a..b\n", ".\n", "ä\n", "a/b\n", "a\x00b\n", strings.Repeat("a", 65)} {
		if got, err := Parse(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v, want ErrInvalid", text, got, err)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	tests := []struct {
		current, file string
		machine       bool
		want          string
	}{
		{"(none)", "web", true, "web"}, {"(none)", "", true, "localhost"}, {"", "", false, "localhost"},
		{"given", "web", false, ""}, {"given", "web", true, "web"}, {"web", "web", true, ""}, {"localhost", "web", false, "web"},
		{"given", "", true, ""},
	}
	for _, tt := range tests {
		if got := Choose(tt.current, tt.file, tt.machine); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# comment\nweb.example.org.\n")
	f.Fuzz(func(t *testing.T, text string) {
		name, err := Parse(text)
		if err == nil && name != "" && !valid(name) {
			t.Errorf("%q gives %q", text, name)
		}
	})
}
