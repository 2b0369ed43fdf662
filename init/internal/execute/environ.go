package execute

import (
	"fmt"
	"slices"
	"strings"

	"firn/init/unitfile"
)

// merge puts sets of NAME=VALUE into one. Of a name in several, the last counts.
func merge(sets ...[]string) []string {
	var env []string
	at := make(map[string]int)
	for _, set := range sets {
		for _, v := range set {
			name, _, _ := strings.Cut(v, "=")
			if i, ok := at[name]; ok {
				env[i] = v
				continue
			}
			at[name] = len(env)
			env = append(env, v)
		}
	}
	return env
}

// unset takes out what UnsetEnvironment= names: a name, or a name with one value.
func unset(env, unwanted []string) []string {
	return slices.DeleteFunc(env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(unwanted, name) || slices.Contains(unwanted, v)
	})
}

// lookup gives a variable's value.
func lookup(env []string, name string) (string, bool) {
	for _, v := range slices.Backward(env) {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			return rest, true
		}
	}
	return "", false
}

// expandArgs puts variables into a command line (systemd.service(5), "Command lines"): $NAME as a word of its own becomes
// any number of words, ${NAME} anywhere becomes its value, $$ becomes $. The program's own name is as it stands.
func expandArgs(argv, env []string) []string {
	if len(argv) == 0 {
		return nil
	}
	out := []string{argv[0]}
	for _, arg := range argv[1:] {
		if name, ok := strings.CutPrefix(arg, "$"); ok && isName(name) {
			value, _ := lookup(env, name)
			words, err := unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.Relax)
			if err == nil {
				out = append(out, words...)
			}
			continue
		}
		out = append(out, expand(arg, env))
	}
	return out
}

func isName(s string) bool {
	if s == "" || '0' <= s[0] && s[0] <= '9' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

func expand(arg string, env []string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(arg, "$")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		end := closing(rest)
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			arg = rest[1:]
		case strings.HasPrefix(rest, "{") && end > 0:
			b.WriteString(braced(rest[1:end], env))
			arg = rest[end+1:]
		default:
			b.WriteByte('$')
			arg = rest
		}
	}
}

// closing finds the brace that closes the one at the start, -1 if there is none.
func closing(s string) int {
	depth := 0
	for i, c := range []byte(s) {
		switch c {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
		if depth == 0 {
			return -1
		}
	}
	return -1
}

// braced is what stands between braces: a name, a name with a value to take if it is not there or empty (:-), or one to
// take if it is there (:+).
func braced(text string, env []string) string {
	name, other, with := text, "", false
	for _, op := range []string{":-", ":+"} {
		if n, o, ok := strings.Cut(text, op); ok && isName(n) {
			name, other, with = n, o, op == ":+"
			value, _ := lookup(env, name)
			if (value != "") == with {
				return expand(other, env)
			}
			if with {
				return ""
			}
			return value
		}
	}
	if !isName(name) {
		return "${" + text + "}"
	}
	value, _ := lookup(env, name)
	return value
}

// parseEnvFile reads an EnvironmentFile= (systemd.exec(5)):
//
//	line    = [ name "=" value ] | comment
//	comment = ( "#" | ";" ) anything
//	value   = { plain | "'" any "'" | '"' any '"' }     blanks around it do not count
//
// A backslash before a line end joins lines; before another character it protects that, within double quotes only
// $ ` " and itself. A line that is none of these is an error with its number.
func parseEnvFile(text string) (env []string, err error) {
	p := envParser{rest: text, line: 1}
	for p.rest != "" {
		name, value, ok, problem := p.next()
		if problem != "" {
			err = fmt.Errorf("line %d: %s", p.line, problem)
			continue
		}
		if ok {
			env = append(env, name+"="+value)
		}
	}
	return env, err
}

type envParser struct {
	rest string
	line int
}

func (p *envParser) next() (name, value string, ok bool, problem string) {
	p.rest = strings.TrimLeft(p.rest, " \t\r")
	if p.rest == "" {
		return
	}
	if strings.IndexByte("#;\n", p.rest[0]) >= 0 {
		p.skipLine()
		return
	}
	end := strings.IndexAny(p.rest, "=\n")
	if end < 0 || p.rest[end] == '\n' {
		p.skipLine()
		return "", "", false, "no assignment"
	}
	name = strings.TrimSpace(p.rest[:end])
	p.rest = p.rest[end+1:]
	value = p.value()
	if !isName(name) {
		return "", "", false, fmt.Sprintf("%q is no name of a variable", name)
	}
	return name, value, true, ""
}

func (p *envParser) skipLine() {
	_, p.rest, _ = strings.Cut(p.rest, "\n")
	p.line++
}

func (p *envParser) value() string {
	var b strings.Builder
	keep := 0 // blanks at the end beyond this do not count
	quote := byte(0)
	for p.rest != "" {
		c := p.rest[0]
		p.rest = p.rest[1:]
		if c == '\n' {
			p.line++
		}
		switch {
		case quote == '\'' && c != '\'', quote == '"' && c != '"' && c != '\\':
			b.WriteByte(c)
			keep = b.Len()
		case quote != 0 && c == quote:
			quote = 0
			keep = b.Len()
		case c == '\\' && p.rest != "":
			p.escaped(&b, quote)
			keep = b.Len()
		case c == '\n':
			return b.String()[:keep]
		case c == '\'' || c == '"':
			quote = c
			keep = b.Len()
		case (c == ' ' || c == '\t' || c == '\r') && b.Len() == 0 && keep == 0:
		default:
			b.WriteByte(c)
			if c != ' ' && c != '\t' && c != '\r' {
				keep = b.Len()
			}
		}
	}
	return b.String()[:keep]
}

func (p *envParser) escaped(b *strings.Builder, quote byte) {
	c := p.rest[0]
	p.rest = p.rest[1:]
	if c == '\n' {
		p.line++
		return
	}
	if quote == '"' && strings.IndexByte("$`\"\\", c) < 0 {
		b.WriteByte('\\')
	}
	b.WriteByte(c)
}
