package unitfile

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	f.Add("[A]\nk=v\\\n# c\n w\n")
	f.Add("\xef\xbb\xbf[A]\r\nk = \"x\" 'y'\r")
	f.Add("a=b\n[A\n\x00\\")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse(strings.NewReader(text), "f")
		if err != nil {
			if file != nil {
				t.Error("a File beside an error")
			}
			return
		}
		lines := 1 + strings.Count(text, "\n") + strings.Count(text, "\r")
		last := 0
		for s, a := range file.All() {
			if a.Line <= s.Line || a.Line < last || a.Line > lines {
				t.Errorf("%s at line %d, after %d, of %d", a.Key, a.Line, last, lines)
			}
			last = a.Line
			if a.Key == "" || strings.ContainsAny(a.Key+a.Value, "\n\r\x00") || strings.Contains(a.Key, "=") {
				t.Errorf("assignment %q=%q", a.Key, a.Value)
			}
			if strings.Trim(a.Key, blanks) != a.Key || strings.Trim(a.Value, blanks) != a.Value {
				t.Errorf("blanks left at %q=%q", a.Key, a.Value)
			}
			if !utf8.ValidString(a.Key + a.Value) {
				t.Errorf("not UTF-8: %q=%q", a.Key, a.Value)
			}
		}
		again, err := Parse(strings.NewReader(write(file)), "f")
		if err != nil {
			t.Fatalf("its own output: %v", err)
		}
		if write(again) != write(file) {
			t.Errorf("read back:\n%s\nwritten:\n%s", write(again), write(file))
		}
	})
}

// write gives a File as text that has no continuations.
func write(f *File) string {
	var out strings.Builder
	for _, s := range f.Sections {
		out.WriteString("[" + s.Name + "]\n")
		for _, a := range s.Assignments {
			out.WriteString(a.Key + "=" + a.Value)
			if continues(a.Value) {
				out.WriteByte(' ') // a blank after the backslash defeats it
			}
			out.WriteByte('\n')
		}
	}
	return out.String()
}

func FuzzExtractWords(f *testing.F) {
	f.Add(`a "b c" 'd' e\x41`, "", uint8(Unquote|CUnescape))
	f.Add(`/a\:b::/c:`, ":", uint8(KeepEmpty))
	f.Add(`a "b\`, "", uint8(Unquote|CUnescape|UnescapeRelax|Relax))
	f.Fuzz(func(t *testing.T, text, separators string, flags uint8) {
		words, err := ExtractWords(text, separators, WordFlags(flags))
		if err != nil {
			if words != nil {
				t.Error("words beside an error")
			}
			return
		}
		total := 0
		for _, w := range words {
			total += len(w)
		}
		// No escape is longer decoded than written, and each word has a separator.
		if total > len(text) || len(words) > len(text)+1 {
			t.Errorf("%d words with %d bytes out of %d bytes", len(words), total, len(text))
		}
	})
}

func FuzzUnescape(f *testing.F) {
	f.Add(`\x41\101\u00e4\n`)
	f.Fuzz(func(t *testing.T, text string) {
		out, err := Unescape(text)
		if err == nil && len(out) > len(text) {
			t.Errorf("%q grew to %q", text, out)
		}
		if err == nil && strings.Count(out, "\x00") != strings.Count(text, "\x00") {
			t.Errorf("%q made a NUL", text)
		}
	})
}

func FuzzParseTimespan(f *testing.F) {
	for _, tt := range timespans {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		us, err := ParseTimespan(text, Second)
		if err == nil && us == Infinity && strings.Trim(text, blanks) != "infinity" {
			t.Errorf("%q is infinite", text)
		}
		if size, err := ParseSize(text); err != nil && size != 0 {
			t.Errorf("%q: size %d beside an error", text, size)
		}
	})
}
