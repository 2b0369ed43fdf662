package main

import "strconv"

// JSON is written by hand: encoding/json costs every start 40 µs for its
// reflection, and what is written here is lists of flat objects.

// A pair is one member. A value is a string, a list of strings, a number, a
// truth or a rawJSON.
type pair struct {
	key   string
	value any
}

type rawJSON string

// A jsonList prints "[\n{...},\n{...}\n]\n", if it is enabled.
type jsonList struct {
	enabled bool
	w       *writer
	count   int
}

func (l *jsonList) item(pairs ...pair) { l.object(object(pairs...)) }

// object adds an item that is JSON already.
func (l *jsonList) object(text string) {
	if l.count++; l.count == 1 {
		l.w.puts("[\n ")
	} else {
		l.w.puts(",\n ")
	}
	l.w.puts(text)
}

func (l *jsonList) end() {
	switch {
	case !l.enabled:
	case l.count == 0:
		l.w.puts("[]\n")
	default:
		l.w.puts("\n]\n")
	}
}

func object(pairs ...pair) string {
	out := []byte{'{'}
	for i, p := range pairs {
		if i > 0 {
			out = append(out, ", "...)
		}
		out = appendString(out, p.key)
		out = append(out, ": "...)
		out = appendValue(out, p.value)
	}
	return string(append(out, '}'))
}

func appendValue(out []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendString(out, v)
	case []string:
		out = append(out, '[')
		for i, s := range v {
			if i > 0 {
				out = append(out, ", "...)
			}
			out = appendString(out, s)
		}
		return append(out, ']')
	case int:
		return strconv.AppendInt(out, int64(v), 10)
	case int64:
		return strconv.AppendInt(out, v, 10)
	case bool:
		return strconv.AppendBool(out, v)
	case rawJSON:
		return append(out, v...)
	}
	return append(out, "null"...)
}

// appendString quotes s. Bytes that are no UTF-8 become U+FFFD: JSON has no way
// to say them.
func appendString(out []byte, s string) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			out = append(out, '\\', byte(r))
		case r == '\n':
			out = append(out, '\\', 'n')
		case r < 0x20:
			out = append(out, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			out = append(out, string(r)...)
		}
	}
	return append(out, '"')
}

func itoa(n int) string { return strconv.Itoa(n) }
