package unitfile

import (
	"errors"
	"slices"
	"testing"
)

func TestExtractWords(t *testing.T) {
	t.Parallel()
	const settings = Unquote | RetainEscape // Parameters=, Environment=
	const command = Unquote | CUnescape     // ExecStart=
	tests := []struct {
		text, separators string
		flags            WordFlags
		want             []string
		err              error
	}{
		{``, "", Unquote, nil, nil},
		{" \t\n ", "", Unquote, nil, nil},
		{`a  b`, "", Unquote, []string{"a", "b"}, nil},
		{` a "b c" 'd "e' `, "", Unquote, []string{"a", "b c", `d "e`}, nil},
		// What systemd-nspawn 252 makes of Parameters=.
		{`a"b c"d`, "", settings, []string{"ab cd"}, nil},
		{`"x y"z`, "", settings, []string{"x yz"}, nil},
		{`""`, "", settings, []string{""}, nil},
		{`\n e\ f "g\x41" j\\`, "", settings, []string{`\n`, `e\`, "f", `g\x41`, `j\\`}, nil},
		{`"h\"i"`, "", settings, nil, ErrUnbalancedQuotes},
		{`'k\'l'`, "", settings, nil, ErrUnbalancedQuotes},
		{`"unbalanced`, "", settings, nil, ErrUnbalancedQuotes},
		{`a;b #c`, "", settings, []string{"a;b", "#c"}, nil},
		// Command lines of units.
		{`"h\"i" 'k\'l' a\tb \x41\102\u00e4\U0001F600 \s`, "", command, []string{`h"i`, "k'l", "a\tb", "ABä😀", " "}, nil},
		{`a\qb`, "", command, nil, ErrEscape},
		{`a\qb c`, "", command | UnescapeRelax, []string{`a\qb`, "c"}, nil},
		{`\x00`, "", command, nil, ErrEscape},
		{`a\`, "", command, nil, ErrTrailingBackslash},
		{`a\`, "", command | Relax, []string{"a"}, nil},
		{`a\`, "", command | UnescapeRelax, []string{`a\`}, nil},
		{`a "b c`, "", command | Relax, []string{"a", "b c"}, nil},
		{`a\q`, "", command | Relax, nil, ErrEscape},
		{`a\:b:c`, ":", command | UnescapeSeparators, []string{"a:b", "c"}, nil},
		// Mount arguments: a backslash protects what follows.
		{`/a\:b:/c`, ":", KeepEmpty, []string{"/a:b", "/c"}, nil},
		{`/a\\:/c`, ":", KeepEmpty, []string{`/a\`, "/c"}, nil},
		{`:`, ":", KeepEmpty, []string{"", ""}, nil},
		{``, ":", KeepEmpty, []string{""}, nil},
		{`a::b:`, ":", KeepEmpty, []string{"a", "", "b", ""}, nil},
		{`a::b:`, ":", 0, []string{"a", "b"}, nil},
		{`"a:b"`, ":", KeepEmpty, []string{`"a`, `b"`}, nil},
		{`a\`, ":", KeepEmpty, nil, ErrTrailingBackslash},
	}
	for _, tt := range tests {
		got, err := ExtractWords(tt.text, tt.separators, tt.flags)
		if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
			t.Errorf("%q (%b): got %q, %v; want %q, %v", tt.text, tt.flags, got, err, tt.want, tt.err)
		}
	}
}

func TestWordsRest(t *testing.T) {
	t.Parallel()
	w := NewWords(`a\:b:c:d:e\f`, ":", KeepEmpty)
	for _, want := range []string{"a:b", "c"} {
		if got, ok, err := w.Next(); got != want || !ok || err != nil {
			t.Errorf("Next: %q %v %v, want %q", got, ok, err, want)
		}
	}
	if rest, more := w.Rest(); rest != `d:e\f` || !more {
		t.Errorf("Rest: %q %v", rest, more)
	}
	w = NewWords("a", ":", KeepEmpty)
	if _, more := w.Rest(); !more {
		t.Error("Rest is at its end before the first word")
	}
	w.Next()
	if rest, more := w.Rest(); rest != "" || more {
		t.Errorf("Rest after the last word: %q %v", rest, more)
	}
	w = NewWords(`"a`, "", Unquote)
	if _, _, err := w.Next(); !errors.Is(err, ErrUnbalancedQuotes) {
		t.Error(err)
	}
	if word, ok, err := w.Next(); ok || err != nil || word != "" {
		t.Errorf("Next after an error: %q %v %v", word, ok, err)
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text, want string
		err        error
	}{
		{`plain ä`, `plain ä`, nil},
		{`\a\b\f\n\r\t\v\\\"\'\s`, "\a\b\f\n\r\t\v\\\"' ", nil},
		{`\x41\x7e\xff`, "A~\xff", nil},
		{`\101\377`, "A\xff", nil},
		{`\u00e4\U0001f600`, "ä😀", nil},
		{`\`, "", ErrTrailingBackslash},
		{`a\`, "", ErrTrailingBackslash},
		{`\q`, "", ErrEscape},
		{`\x4`, "", ErrEscape},
		{`\x4g`, "", ErrEscape},
		{`\x+4`, "", ErrEscape},
		{`\x00`, "", ErrEscape},
		{`\000`, "", ErrEscape},
		{`\400`, "", ErrEscape},
		{`\18`, "", ErrEscape},
		{`\9`, "", ErrEscape},
		{`\u123`, "", ErrEscape},
		{`\ud800`, "", ErrEscape},
		{`\U00110000`, "", ErrEscape},
		{`\UFFFFFFFF`, "", ErrEscape},
	}
	for _, tt := range tests {
		if got, err := Unescape(tt.text); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %q, %v; want %q, %v", tt.text, got, err, tt.want, tt.err)
		}
	}
}
