package unit

import (
	"errors"
	"path"
	"strings"

	"firn/init/unitfile"
)

// Escaping of strings and paths in unit names (systemd.unit(5), "String Escaping for Inclusion in Unit Names"): "/"
// becomes "-"; a leading "." and all but letters, digits, ":", "_" and "." become \xHH. A path first loses its leading
// and trailing slashes, and "/" alone is "-".

// ErrEscape is returned for an escaped text that stands for nothing.
var ErrEscape = errors.New("not an escaped string")

// Escape makes any text fit to be part of a unit's name.
func Escape(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/':
			out.WriteByte('-')
		case c == '.' && i == 0, strings.IndexByte(letters+digits+":_.", c) < 0:
			out.WriteString(`\x`)
			out.WriteByte("0123456789abcdef"[c>>4])
			out.WriteByte("0123456789abcdef"[c&15])
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// Unescape takes an escaped text back.
func Unescape(s string) (string, error) {
	if strings.IndexByte(s, '\\') < 0 {
		return strings.ReplaceAll(s, "-", "/"), nil
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		switch s[i] {
		case '-':
			out.WriteByte('/')
		case '\\':
			if len(s) < i+4 || s[i+1] != 'x' {
				return "", ErrEscape
			}
			decoded, err := unitfile.Unescape(s[i : i+4])
			if err != nil {
				return "", ErrEscape
			}
			out.WriteString(decoded)
			i += 4
			continue
		default:
			out.WriteByte(s[i])
		}
		i++
	}
	return out.String(), nil
}

// EscapePath makes the stem of the unit that stands for an absolute path.
func EscapePath(p string) string {
	p = strings.Trim(path.Clean("/"+p), "/")
	if p == "" {
		return "-"
	}
	return Escape(p)
}

// UnescapePath takes a stem back to an absolute path.
func UnescapePath(s string) (string, error) {
	if s == "-" {
		return "/", nil
	}
	p, err := Unescape(s)
	if err != nil || p == "" || p[0] == '/' || p[len(p)-1] == '/' || path.Clean("/"+p) != "/"+p {
		return "", ErrEscape
	}
	return "/" + p, nil
}

// PathName is the name of the unit of a type that stands for a path: "/srv/a b" is srv-a\x20b.mount.
func PathName(p string, t Type) Name { return Name(EscapePath(p) + "." + t.String()) }
