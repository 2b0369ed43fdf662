package kmod

import (
	"bytes"
	"strconv"
	"strings"
)

// The configuration, modprobe.d(5). One command a line; '\' at a line's end joins
// it with the next; blank lines and lines that start with '#' are skipped:
//
//	alias GLOB MODULE
//	blacklist MODULE
//	options NAME OPTION...          NAME: a module or the alias it is asked for by
//	install GLOB COMMAND...
//	remove GLOB COMMAND...
//	softdep GLOB [pre: NAME...] [post: NAME...]
//	weakdep GLOB NAME...            kmod 33; for image builders, loads nothing
//
// '-' and '_' are one in every name. The first install, remove or softdep that
// matches a module counts; aliases and options add up.

// An Origin is where a rule was written.
type Origin struct {
	File string
	Line int // 0 if the file has no lines, as the kernel command line
}

func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return o.File + ":" + strconv.Itoa(o.Line)
}

// CommandLineFile names the kernel command line in an Origin.
const CommandLineFile = "/proc/cmdline"

// A Rule gives a module, or all that match a glob, one piece of text.
type Rule struct {
	Name   string // normalized
	Text   string // alias: the module; options, install, remove: rest of the line
	Origin Origin
}

// A Softdep says what to load before and after a module if it is there.
type Softdep struct {
	Name      string
	Pre, Post []string // as written; aliases are allowed
	Origin    Origin
}

// A Weakdep says what a module may ask the kernel for later.
type Weakdep struct {
	Name    string
	Modules []string
	Origin  Origin
}

// A Config is the sum of all configuration files, in the order of their names.
type Config struct {
	Aliases   []Rule
	Blacklist []Rule
	Options   []Rule
	Install   []Rule
	Remove    []Rule
	Softdeps  []Softdep
	Weakdeps  []Weakdep

	// Problems are the lines that were skipped, each with its reason.
	Problems []*LineError
}

// Parse adds the commands of one file. It never fails: a line that makes no
// sense goes to Problems and the next one is read, as modprobe must not lose a
// machine's storage driver to a typo in the sound card's options.
func (c *Config) Parse(data []byte, file string) {
	for n := 1; len(data) > 0; {
		line, next, lines := logicalLine(data)
		if line != "" && line[0] != '#' {
			c.command(line, Origin{file, n})
		}
		data, n = next, n+lines
	}
}

// logicalLine cuts one line off data, joined over '\' and without CR.
func logicalLine(data []byte) (line string, rest []byte, lines int) {
	var joined []byte
	for {
		lines++
		part := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			part, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		part = bytes.TrimSuffix(part, []byte{'\r'})
		if !bytes.HasSuffix(part, []byte{'\\'}) {
			if joined == nil {
				return string(part), data, lines
			}
			return string(append(joined, part...)), data, lines
		}
		joined = append(joined, part[:len(part)-1]...)
		if len(data) == 0 {
			return string(joined), nil, lines
		}
	}
}

// command reads one command into its list.
func (c *Config) command(line string, at Origin) {
	word, rest := nextWord(line)
	if word == "" || word[0] == '#' {
		return
	}
	name, rest := nextWord(rest)
	name = Normalize(name)
	value, _ := nextWord(rest)
	text := strings.TrimLeft(rest, " \t")
	switch word {
	case "blacklist":
		value = name
	case "alias", "options", "install", "remove", "softdep", "weakdep":
	case "include", "config":
		c.problem(at, "%s is no longer read; put the file into a modprobe.d directory", word)
		return
	default:
		c.problem(at, "unknown command %q", word)
		return
	}
	if name == "" || value == "" {
		c.problem(at, "%s without its arguments", word)
		return
	}
	switch word {
	case "alias":
		c.Aliases = append(c.Aliases, Rule{name, Normalize(value), at})
	case "blacklist":
		c.Blacklist = append(c.Blacklist, Rule{Name: name, Origin: at})
	case "options":
		c.Options = append(c.Options, Rule{name, text, at})
	case "install":
		c.Install = append(c.Install, Rule{name, text, at})
	case "remove":
		c.Remove = append(c.Remove, Rule{name, text, at})
	case "softdep":
		c.Softdeps = append(c.Softdeps, parseSoftdep(name, text, at))
	case "weakdep":
		c.Weakdeps = append(c.Weakdeps, Weakdep{name, strings.Fields(text), at})
	}
}

// parseSoftdep reads "pre: A B post: C". Names before either word belong to
// neither list: modules.softdep of stock kernels has such lines.
func parseSoftdep(name, text string, at Origin) Softdep {
	s := Softdep{Name: name, Origin: at}
	var list *[]string
	for _, word := range strings.Fields(text) {
		switch word {
		case "pre:":
			list = &s.Pre
		case "post:":
			list = &s.Post
		default:
			if list != nil {
				*list = append(*list, word)
			}
		}
	}
	return s
}

func nextWord(s string) (word, rest string) {
	s = strings.TrimLeft(s, " \t")
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

func (c *Config) problem(at Origin, format, word string) {
	msg := strings.Replace(strings.Replace(format, "%q", strconv.Quote(word), 1), "%s", word, 1)
	c.Problems = append(c.Problems, &LineError{at.File, at.Line, msg})
}

// ParseCommandLine adds MODULE.OPTION[=VALUE] and modprobe.blacklist=A,B of the
// kernel command line. Double quotes keep blanks within a word.
func (c *Config) ParseCommandLine(text string) {
	at := Origin{File: CommandLineFile}
	for _, word := range splitCommandLine(text) {
		module, option, ok := strings.Cut(word, ".")
		if !ok || !isModuleName(module) || option == "" || option[0] == '=' {
			continue
		}
		if module == "modprobe" {
			if list, ok := strings.CutPrefix(option, "blacklist="); ok {
				for _, name := range strings.Split(list, ",") {
					if name != "" {
						c.Blacklist = append(c.Blacklist, Rule{Name: Normalize(name), Origin: at})
					}
				}
				continue
			}
		}
		c.Options = append(c.Options, Rule{Normalize(module), option, at})
	}
}

// isModuleName tells "loop" in "loop.max_loop=8" from other words with a dot: the
// kernel's names are made of letters, digits, '_' and '-', not of digits alone.
func isModuleName(s string) bool {
	digits := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		digit := '0' <= c && c <= '9'
		if !digit && c != '_' && c != '-' && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
		digits = digits && digit
	}
	return !digits
}

// splitCommandLine cuts at blanks outside of double quotes. Quotes around a
// whole word go, as in the kernel; others stay for the module to see.
func splitCommandLine(text string) (words []string) {
	start, quoted := -1, false
	flush := func(end int) {
		if start >= 0 {
			word := text[start:end]
			if len(word) > 1 && word[0] == '"' && word[len(word)-1] == '"' {
				word = word[1 : len(word)-1]
			}
			words = append(words, word)
		}
		start = -1
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
			if start < 0 {
				start = i
			}
		case (c == ' ' || c == '\t' || c == '\n' || c == 0) && !quoted:
			flush(i)
		case start < 0:
			start = i
		}
	}
	flush(len(text))
	return words
}

// Blacklisted returns the rule that forbids the module, if any.
func (c *Config) Blacklisted(name string) (Rule, bool) {
	for _, r := range c.Blacklist {
		if r.Name == name {
			return r, true
		}
	}
	return Rule{}, false
}

// InstallCommand returns what to run instead of loading the module.
func (c *Config) InstallCommand(name string) (Rule, bool) { return firstMatch(c.Install, name) }

// RemoveCommand returns what to run instead of removing the module.
func (c *Config) RemoveCommand(name string) (Rule, bool) { return firstMatch(c.Remove, name) }

func firstMatch(rules []Rule, name string) (Rule, bool) {
	for _, r := range rules {
		if Match(r.Name, name) {
			return r, true
		}
	}
	return Rule{}, false
}

// OptionsFor joins the options of a module and of the alias it was asked for by.
func (c *Config) OptionsFor(name, alias string) string {
	var b strings.Builder
	for _, r := range c.Options {
		if r.Name != name && (alias == "" || r.Name != alias) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(r.Text)
	}
	return b.String()
}

// SoftdepOf returns the first softdep for a module.
func (c *Config) SoftdepOf(name string) (Softdep, bool) {
	for _, s := range c.Softdeps {
		if Match(s.Name, name) {
			return s, true
		}
	}
	return Softdep{}, false
}

// WeakdepOf returns the first weakdep for a module.
func (c *Config) WeakdepOf(name string) (Weakdep, bool) {
	for _, w := range c.Weakdeps {
		if Match(w.Name, name) {
			return w, true
		}
	}
	return Weakdep{}, false
}
