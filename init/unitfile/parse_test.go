package unitfile

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
)

// flat writes a File down as one line per header, assignment and warning.
func flat(f *File) string {
	var out strings.Builder
	for _, s := range f.Sections {
		fmt.Fprintf(&out, "%d [%s]\n", s.Line, s.Name)
		for _, a := range s.Assignments {
			fmt.Fprintf(&out, "%d %s=%q\n", a.Line, a.Key, a.Value)
		}
	}
	for _, w := range f.Warnings {
		fmt.Fprintf(&out, "%d warning: %v\n", w.Line, w.Err)
	}
	return out.String()
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"empty":     {"", ""},
		"mark only": {"\xef\xbb\xbf", ""},
		"mark":      {"\xef\xbb\xbf[A]\nk=v", "1 [A]\n2 k=\"v\"\n"},
		"mark is first": {"\n\xef\xbb\xbf[A]\nk=v",
			"2 warning: no \"=\" in line\n3 warning: assignment before the first section\n"},
		"comments":     {"# a\n[A]\n;b\n \t# c\nk=v#w;x\n", "2 [A]\n5 k=\"v#w;x\"\n"},
		"blanks":       {"  [A]\t\n\t k \t= \t v w \t\n", "1 [A]\n2 k=\"v w\"\n"},
		"empty value":  {"[A]\nk=\nl = \n", "1 [A]\n2 k=\"\"\n3 l=\"\"\n"},
		"equals":       {"[A]\nk=a=b\n", "1 [A]\n2 k=\"a=b\"\n"},
		"dos":          {"[A]\r\nk=v\r\n\r\nl=w", "1 [A]\n2 k=\"v\"\n4 l=\"w\"\n"},
		"old mac":      {"[A]\rk=v\rl=w\r", "1 [A]\n2 k=\"v\"\n3 l=\"w\"\n"},
		"twice":        {"[A]\nk=1\n[B]\n[A]\nk=2\n", "1 [A]\n2 k=\"1\"\n3 [B]\n4 [A]\n5 k=\"2\"\n"},
		"raw escapes":  {"[A]\nk=\"a\\tb\" 'c' %n\n", "1 [A]\n2 k=\"\\\"a\\\\tb\\\" 'c' %n\"\n"},
		"continuation": {"[A]\nk=a\\\n   b\nl=c\n", "1 [A]\n2 k=\"a    b\"\n4 l=\"c\"\n"},
		"continuation with comments": {"[C]\nThree=value 3\\\n# skipped\n ; this too\n       value 3 continued\nl=1\n",
			"1 [C]\n2 Three=\"value 3        value 3 continued\"\n6 l=\"1\"\n"},
		"continuation ended by empty line": {"[A]\nk=a\\\n\nb=1\n", "1 [A]\n2 k=\"a\"\n4 b=\"1\"\n"},
		"continuation at the end":          {"[A]\nk=a\\", "1 [A]\n2 k=\"a\"\n"},
		"continuation of nothing":          {"[A]\n\\\n\\\n", "1 [A]\n"},
		"continuation starts blank":        {"[A]\n\\\nk=v\n", "1 [A]\n2 k=\"v\"\n"},
		"continuation swallows header":     {"[A]\nk=a \\\n[B]\nl=1\n", "1 [A]\n2 k=\"a  [B]\"\n4 l=\"1\"\n"},
		"even backslashes":                 {"[A]\nk=a\\\\\nl=b\\\\\\\nc\n", "1 [A]\n2 k=\"a\\\\\\\\\"\n3 l=\"b\\\\\\\\ c\"\n"},
		"blank after backslash":            {"[A]\nk=a\\ \nl=1\n", "1 [A]\n2 k=\"a\\\\\"\n3 l=\"1\"\n"},
		"comment does not continue":        {"[A]\n# a \\\nk=v\n", "1 [A]\n3 k=\"v\"\n"},
		"dos continuation":                 {"[A]\r\nk=a\\\r\nb\r\n", "1 [A]\n2 k=\"a b\"\n"},
		"warnings": {"a=1\n[A]\nfoo\n=bar\nk=v\n",
			"2 [A]\n5 k=\"v\"\n1 warning: assignment before the first section\n3 warning: no \"=\" in line\n4 warning: no key before \"=\"\n"},
		"utf-8": {"[Ä]\nkäse=€ 😀\n", "1 [Ä]\n2 käse=\"€ 😀\"\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// One byte at a time: a read may end anywhere, between CR and LF too.
			f, err := Parse(iotest.OneByteReader(strings.NewReader(tt.text)), "f")
			if err != nil {
				t.Fatal(err)
			}
			if got := flat(f); got != tt.want {
				t.Errorf("got:\n%swant:\n%s", got, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxLine)
	tests := map[string]struct {
		text string
		err  error
		line int
	}{
		"NUL":                      {"[A]\nk=a\x00b\n", ErrNUL, 2},
		"NUL in comment":           {"[A]\n# \x00\n", ErrNUL, 2},
		"open header":              {"\n[A\n", ErrSectionHeader, 2},
		"header with comment":      {"[A] # x\n", ErrSectionHeader, 1},
		"empty header":             {"[]\n", ErrSectionHeader, 1},
		"nested header":            {"[[A]]\n", ErrSectionHeader, 1},
		"lone bracket":             {"[\n", ErrSectionHeader, 1},
		"not utf-8":                {"[A]\n\nk=\xff\n", ErrNotUTF8, 3},
		"not utf-8 in header":      {"[\xc3]\n", ErrNotUTF8, 1},
		"long line":                {"[A]\nk=" + long, ErrLineTooLong, 2},
		"long continuation":        {"[A]\nk=" + strings.Repeat(long[:1000]+"\\\n", 1100), ErrLineTooLong, 2},
		"long comment":             {"#" + long, ErrLineTooLong, 1},
		"error within a continued": {"[A]\nk=a\\\n\x00", ErrNUL, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := Parse(strings.NewReader(tt.text), "dir/f")
			var at *LineError
			if f != nil || !errors.Is(err, tt.err) || !errors.As(err, &at) {
				t.Fatalf("got %v, %v; want %v", f, err, tt.err)
			}
			if at.Line != tt.line || at.Name != "dir/f" {
				t.Errorf("at %s:%d, want line %d", at.Name, at.Line, tt.line)
			}
		})
	}
}

func TestParseReaderError(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	_, err := Parse(iotest.ErrReader(broken), "f")
	if !errors.Is(err, broken) || err.Error() != "read f: input/output error" {
		t.Errorf("got %v", err)
	}
}

func TestParseLongLine(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("v", MaxLine-2)
	f, err := Parse(strings.NewReader("[A]\nk="+value+"\nl=1"), "f")
	if err != nil {
		t.Fatal(err)
	}
	if a, _ := f.Last("A", "k"); a.Value != value {
		t.Errorf("value has %d bytes, want %d", len(a.Value), len(value))
	}
	if a, ok := f.Last("A", "l"); !ok || a.Line != 3 {
		t.Errorf("the line after it: %v", a)
	}
}

func TestFileValues(t *testing.T) {
	t.Parallel()
	main, err := Parse(strings.NewReader("[A]\nk=1\nk=2\n[B]\nk=b\n[A]\nk=\nk=3\ns=x\ns=\n"), "main")
	if err != nil {
		t.Fatal(err)
	}
	dropin, err := Parse(strings.NewReader("oops\n[A]\nk=4\ns=y\n"), "dropin")
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := main.Last("A", "s"); !ok || a.Value != "" {
		t.Errorf("Last before the drop-in: %v %v", a, ok)
	}
	main.Append(dropin)
	want := []Assignment{{"k", "3", "main", 8}, {"k", "4", "dropin", 3}}
	got := main.Values("A", "k")
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Values: got %v, want %v", got, want)
	}
	if a, _ := main.Last("A", "s"); a != (Assignment{"s", "y", "dropin", 4}) {
		t.Errorf("Last: got %v", a)
	}
	if _, ok := main.Last("A", "none"); ok {
		t.Error("Last found a key that is not there")
	}
	if len(main.Warnings) != 1 || main.Warnings[0].Error() != `dropin:1: no "=" in line` {
		t.Errorf("warnings: %v", main.Warnings)
	}
	count := 0
	for range main.All() {
		if count++; count == 2 {
			break // an early end must not panic
		}
	}
}
