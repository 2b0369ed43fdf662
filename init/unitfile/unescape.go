package unitfile

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// simpleEscapes are the one-letter escapes of systemd.syntax(7), table 1.
var simpleEscapes = map[byte]string{
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
	'\\': "\\", '"': "\"", '\'': "'", 's': " ",
}

// Unescape decodes the C escapes of systemd.syntax(7) in a whole value. An
// escape that the manual does not list, or one that stands for NUL, is
// ErrEscape.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			i++
			continue
		}
		decoded, n, err := unescapeOne(s[i:])
		if err != nil {
			return "", err
		}
		out.WriteString(decoded)
		i += n
	}
	return out.String(), nil
}

// unescapeOne decodes the sequence at the start of s, which is a backslash. It
// returns what it stands for and how many bytes it took.
func unescapeOne(s string) (string, int, error) {
	if len(s) < 2 {
		return "", 0, ErrTrailingBackslash
	}
	if plain, ok := simpleEscapes[s[1]]; ok {
		return plain, 2, nil
	}
	switch c := s[1]; {
	case c == 'x':
		return codeEscape(s, 2, 2, 16)
	case c == 'u':
		return codeEscape(s, 2, 4, 16)
	case c == 'U':
		return codeEscape(s, 2, 8, 16)
	case '0' <= c && c <= '7':
		return codeEscape(s, 1, 3, 8)
	}
	return "", 0, ErrEscape
}

// codeEscape decodes exactly the given number of digits from s[start:]: a byte
// for \xHH and \NNN, a code point for \u and \U.
func codeEscape(s string, start, digits, base int) (string, int, error) {
	end := start + digits
	if len(s) < end {
		return "", 0, ErrEscape
	}
	for _, c := range []byte(s[start:end]) {
		if !isDigit(c, base) { // ParseUint would also take a sign or "_"
			return "", 0, ErrEscape
		}
	}
	code, err := strconv.ParseUint(s[start:end], base, 32)
	if err != nil || code == 0 {
		return "", 0, ErrEscape
	}
	if digits <= 3 {
		if code > 0xff {
			return "", 0, ErrEscape
		}
		return string([]byte{byte(code)}), end, nil
	}
	if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
		return "", 0, ErrEscape
	}
	return string(rune(code)), end, nil
}

func isDigit(c byte, base int) bool {
	if base == 8 {
		return '0' <= c && c <= '7'
	}
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
