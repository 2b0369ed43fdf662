package unit

import (
	"errors"
	"strings"

	"firn/init/unitfile"
)

// The value of an Exec...= setting (systemd.service(5), "Command lines"):
//
//	value    = [ command { ";" command } ]
//	command  = { prefix } path { argument }      with "@" among the prefixes the first argument is argv[0]
//	prefix   = "-" | "@" | ":" | "+" | "!" | "!!"
//	argument = a word of systemd.syntax(7); "\;" is a semicolon and no separator
//
// Specifiers are expanded in each word, after the words were told apart.

var (
	errNoProgram = errors.New("no program to execute")
	errPrefix    = errors.New("prefixes +, ! and !! exclude each other")
	errDirectory = errors.New("a directory, not a program")
)

// commands makes the parser of one Exec...= setting.
func commands(field func(u *Unit) *[]Command) parser {
	return func(r *reader, u *Unit, value string) error {
		list := field(u)
		rest := strings.TrimLeft(value, blanks)
		if rest == "" {
			*list = nil
			return nil
		}
		for rest != "" {
			var c Command
			var err error
			if c, rest, err = takeCommand(r, rest); err != nil {
				if c.Flags&IgnoreFailure == 0 {
					return refuse(err)
				}
				return err
			}
			if c.Path != "" {
				*list = append(*list, c)
			}
		}
		return nil
	}
}

const blanks = " \t\n\r"

// takeCommand reads up to the end of the text or a ";". Two of them in a row make a command without a Path.
func takeCommand(r *reader, text string) (Command, string, error) {
	var c Command
	var arguments []string
	for {
		word, rest, end, err := takeArgument(r, text)
		switch {
		case err != nil:
			return c, "", err
		case end:
			return finishCommand(c, arguments, rest)
		}
		text = rest
		if c.Path == "" {
			if err := c.program(r, word); err != nil {
				return c, "", err
			}
			continue
		}
		if word, err = r.expand(word); err != nil {
			return c, "", err
		}
		arguments = append(arguments, word)
	}
}

// argv0Follows marks, while a command is read, that its next word is argv[0].
const argv0Follows CommandFlags = 1 << 7

func finishCommand(c Command, arguments []string, rest string) (Command, string, error) {
	given := c.Flags&argv0Follows != 0
	c.Flags &^= argv0Follows
	switch {
	case c.Path == "":
		return c, rest, nil
	case given && len(arguments) == 0:
		return c, "", errNoProgram
	case given:
		c.Argv = arguments
	default:
		c.Argv = append([]string{c.Path}, arguments...)
	}
	return c, rest, nil
}

// takeArgument takes a raw word, decoded but not expanded; end is true at the text's end and at a ";".
func takeArgument(r *reader, text string) (word, rest string, end bool, err error) {
	text = strings.TrimLeft(text, blanks)
	if text == "" {
		return "", "", true, nil
	}
	if after, ok := strings.CutPrefix(text, ";"); ok && startsBlank(after) {
		return "", after, true, nil
	}
	if after, ok := strings.CutPrefix(text, `\;`); ok && startsBlank(after) {
		return ";", after, false, nil
	}
	w := unitfile.NewWords(text, "", unitfile.Unquote|unitfile.CUnescape)
	word, _, err = w.Next()
	if errors.Is(err, unitfile.ErrEscape) {
		// As systemd does: the line works, and the author should know.
		r.warn("unknown escape sequence, taken as it stands")
		w = unitfile.NewWords(text, "", unitfile.Unquote|unitfile.CUnescape|unitfile.UnescapeRelax)
		word, _, err = w.Next()
	}
	rest, _ = w.Rest()
	return word, rest, false, err
}

func startsBlank(s string) bool { return s == "" || strings.IndexByte(blanks, s[0]) >= 0 }

// program reads the first word.
func (c *Command) program(r *reader, word string) error {
	for ; word != ""; word = word[1:] {
		var flag CommandFlags
		switch word[0] {
		case '-':
			flag = IgnoreFailure
		case '@':
			flag = argv0Follows
		case ':':
			flag = NoVariables
		case '+':
			flag = FullPrivileges
		case '!':
			flag = NoUserSwitch
			if c.Flags&NoUserSwitch != 0 {
				c.Flags &^= NoUserSwitch
				flag = AmbientFallback
			}
		}
		if flag == 0 || c.Flags&flag != 0 {
			break
		}
		if users := FullPrivileges | NoUserSwitch | AmbientFallback; flag&users != 0 && c.Flags&users != 0 {
			return errPrefix
		}
		c.Flags |= flag
	}
	p, err := r.expand(word)
	if err != nil {
		return err
	}
	switch {
	case p == "":
		return errNoProgram
	case strings.HasSuffix(p, "/"):
		return errDirectory
	case strings.Contains(p, "/"):
		c.Path, err = cleanAbsolute(p)
		return err
	case p == "." || p == "..":
		return errDirectory
	}
	c.Path = p // looked up in $PATH when it is executed
	return nil
}
