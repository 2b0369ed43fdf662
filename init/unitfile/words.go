package unitfile

import "strings"

// WordFlags choose the quoting rules of one setting; systemd's settings differ.
type WordFlags uint8

const (
	// Unquote removes single and double quotes, wherever in a word they open.
	Unquote WordFlags = 1 << iota
	// CUnescape decodes the escapes of systemd.syntax(7), within quotes too.
	CUnescape
	// UnescapeRelax with CUnescape keeps an unknown escape as it stands.
	UnescapeRelax
	// UnescapeSeparators with CUnescape decodes a backslash and a separator to
	// the separator.
	UnescapeSeparators
	// RetainEscape makes the backslash an ordinary character. Without it and
	// without CUnescape a backslash only protects the character after it.
	RetainEscape
	// KeepEmpty makes each separator end a word, so that words may be empty.
	KeepEmpty
	// Relax ends the last word where a quote or an escape is left open.
	Relax
)

// Words takes words off the front of a text, one at a time.
type Words struct {
	rest       string
	done       bool
	separators string
	flags      WordFlags
}

// NewWords splits text at any of the separators, which are ASCII characters; no
// separators stand for blanks.
func NewWords(text, separators string, flags WordFlags) *Words {
	if separators == "" {
		separators = blanks
	}
	return &Words{rest: text, separators: separators, flags: flags}
}

// ExtractWords returns all words of a text.
func ExtractWords(text, separators string, flags WordFlags) ([]string, error) {
	var list []string
	w := NewWords(text, separators, flags)
	for {
		word, ok, err := w.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			return list, nil
		}
		list = append(list, word)
	}
}

// Rest returns what no call of Next has taken yet, raw, and whether the last
// word ended at a separator rather than at the end of the text.
func (w *Words) Rest() (string, bool) { return w.rest, !w.done }

// Next returns the next word, and false when there is none. After an error
// there is none.
func (w *Words) Next() (word string, ok bool, err error) {
	if w.done {
		return "", false, nil
	}
	if w.flags&KeepEmpty == 0 {
		w.rest = strings.TrimLeft(w.rest, w.separators)
		if w.rest == "" {
			w.done = true
			return "", false, nil
		}
	}
	out, n, err := w.scan()
	if err != nil {
		w.rest, w.done = "", true
		return "", false, err
	}
	if n < len(w.rest) {
		w.rest = w.rest[n+1:] // past the separator
	} else {
		w.rest, w.done = "", true
	}
	return out, true, nil
}

// scan reads one word from the start of w.rest and returns it with the number
// of bytes it took, its separator not counted.
func (w *Words) scan() (string, int, error) {
	var out strings.Builder
	var quote byte
	s := w.rest
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '\\' && w.flags&RetainEscape == 0:
			n, err := w.escape(&out, s[i:])
			if err != nil {
				return w.open(&out, len(s), err)
			}
			i += n
			continue
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			out.WriteByte(c)
		case (c == '"' || c == '\'') && w.flags&Unquote != 0:
			quote = c
		case strings.IndexByte(w.separators, c) >= 0:
			return out.String(), i, nil
		default:
			out.WriteByte(c)
		}
		i++
	}
	if quote != 0 {
		return w.open(&out, len(s), ErrUnbalancedQuotes)
	}
	return out.String(), len(s), nil
}

// open ends a word at the end of the text where something is left open.
func (w *Words) open(out *strings.Builder, n int, err error) (string, int, error) {
	if w.flags&Relax != 0 && err != ErrEscape {
		return out.String(), n, nil
	}
	return "", 0, err
}

// escape takes the backslash sequence at the start of s.
func (w *Words) escape(out *strings.Builder, s string) (int, error) {
	if len(s) == 1 {
		if w.flags&UnescapeRelax != 0 {
			out.WriteByte('\\')
			return 1, nil
		}
		return 0, ErrTrailingBackslash
	}
	if w.flags&CUnescape == 0 {
		out.WriteByte(s[1])
		return 2, nil
	}
	if w.flags&UnescapeSeparators != 0 && strings.IndexByte(w.separators, s[1]) >= 0 {
		out.WriteByte(s[1])
		return 2, nil
	}
	decoded, n, err := unescapeOne(s)
	if err != nil && w.flags&UnescapeRelax != 0 {
		out.WriteString(s[:2])
		return 2, nil
	}
	out.WriteString(decoded)
	return n, err
}
