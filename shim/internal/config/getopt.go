package config

import (
	"errors"
	"fmt"
	"strings"
)

// arity says whether an option takes an argument.
type arity int

const (
	noArgument       arity = iota
	requiredArgument       // --name=ARG, --name ARG, -nARG, -n ARG
	optionalArgument       // --name or --name=ARG, never the next word
)

// given is one option of a command line.
type given struct {
	option *option
	value  string
	has    bool // an argument was given, if only an empty one
	from   Origin
}

// scanner reads options as getopt_long(3) does with "+": the first word that is
// no option ends them, and so does "--".
type scanner struct {
	words   []string
	cluster string // rest of a word of short options, as "bD" of "-qbD"
}

// next returns nil at the end of the options; s.words then holds the operands.
func (s *scanner) next() (*given, error) {
	if s.cluster != "" {
		return s.short()
	}
	if len(s.words) == 0 {
		return nil, nil
	}
	word := s.words[0]
	switch {
	case word == "--":
		s.words = s.words[1:]
		return nil, nil
	case strings.HasPrefix(word, "--"):
		s.words = s.words[1:]
		return s.long(word[2:])
	case len(word) > 1 && word[0] == '-':
		s.words = s.words[1:]
		s.cluster = word[1:]
		return s.short()
	}
	return nil, nil
}

func (s *scanner) long(word string) (*given, error) {
	name, value, has := strings.Cut(word, "=")
	o, err := findLong(name)
	if err != nil {
		return nil, err
	}
	g := &given{option: o, value: value, has: has, from: Origin{Option: "--" + o.name}}
	switch {
	case o.arity == noArgument && has:
		return nil, &ValueError{From: g.from, Err: errors.New("takes no argument")}
	case o.arity == noArgument:
		return g, nil
	case o.arity == requiredArgument && !has:
		if g.value, err = s.operand(g.from); err != nil {
			return nil, err
		}
		g.has = true
	}
	if g.has {
		g.from.Option += "="
	}
	return g, nil
}

// findLong finds an option by its name or by a beginning that only one has.
func findLong(name string) (*option, error) {
	var match *option
	var names []string
	for _, o := range optionTable() {
		if name != "" && o.name == name {
			return o, nil
		}
		if name != "" && o.name != "" && strings.HasPrefix(o.name, name) {
			match = o
			names = append(names, "--"+o.name)
		}
	}
	switch {
	case len(names) == 1:
		return match, nil
	case len(names) > 1:
		return nil, fmt.Errorf("--%s: ambiguous option (%s)", printable(name), strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("--%s: %w option%s", printable(name), ErrUnknown, didYouMean("--"+name, longNames()))
}

func (s *scanner) short() (*given, error) {
	letter := s.cluster[:1]
	s.cluster = s.cluster[1:]
	for _, o := range optionTable() {
		if o.short != letter {
			continue
		}
		g := &given{option: o, from: Origin{Option: "-" + letter}}
		if o.arity != requiredArgument {
			return g, nil
		}
		g.value, g.has, s.cluster = s.cluster, true, ""
		var err error
		if g.value == "" {
			g.value, err = s.operand(g.from)
		}
		return g, err
	}
	return nil, fmt.Errorf("-%s: %w option", printable(letter), ErrUnknown)
}

// operand takes the next word as an option's argument, whatever it looks like.
func (s *scanner) operand(from Origin) (string, error) {
	if len(s.words) == 0 {
		return "", &ValueError{From: from, Err: errors.New("needs an argument")}
	}
	value := s.words[0]
	s.words = s.words[1:]
	return value, nil
}
