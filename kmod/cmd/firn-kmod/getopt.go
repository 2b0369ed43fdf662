package main

import "strings"

// Options are read as getopt_long(3) does: short ones can be clustered, a value
// follows or is glued on, long names can be cut short while they stay unique,
// "--" ends the options, and operands may stand between options.

// An option is one that a tool knows.
type option struct {
	short byte // 0: none
	long  string
	value bool // takes one
	help  string
}

// A parsed option; key is its short letter, or its long name if it has none.
type parsed struct {
	key   string
	value string
}

// getopt splits args. A bad option is reported the way getopt words it.
func getopt(args []string, options []option) (found []parsed, operands []string, problem string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return found, append(operands, args[i+1:]...), ""
		case strings.HasPrefix(arg, "--"):
			name, value, glued := strings.Cut(arg[2:], "=")
			o, problem := longOption(options, name)
			if problem != "" {
				return nil, nil, problem
			}
			if o.value && !glued {
				if i++; i >= len(args) {
					return nil, nil, "option '--" + o.long + "' requires an argument"
				}
				value = args[i]
			} else if !o.value && glued {
				return nil, nil, "option '--" + o.long + "' doesn't allow an argument"
			}
			found = append(found, parsed{o.key(), value})
		case len(arg) > 1 && arg[0] == '-':
			for j := 1; j < len(arg); j++ {
				o := shortOption(options, arg[j])
				if o == nil {
					return nil, nil, "invalid option -- '" + arg[j:j+1] + "'"
				}
				if !o.value {
					found = append(found, parsed{o.key(), ""})
					continue
				}
				value := arg[j+1:]
				if value == "" {
					if i++; i >= len(args) {
						return nil, nil, "option requires an argument -- '" + arg[j:j+1] + "'"
					}
					value = args[i]
				}
				found = append(found, parsed{o.key(), value})
				break
			}
		default:
			operands = append(operands, arg)
		}
	}
	return found, operands, ""
}

func (o *option) key() string {
	if o.short == 0 {
		return o.long
	}
	return string(rune(o.short))
}

func shortOption(options []option, c byte) *option {
	for i := range options {
		if options[i].short == c {
			return &options[i]
		}
	}
	return nil
}

func longOption(options []option, name string) (match *option, problem string) {
	for i := range options {
		if options[i].long == name {
			return &options[i], ""
		}
	}
	for i := range options {
		o := &options[i]
		if strings.HasPrefix(o.long, name) {
			if match != nil && match.key() != o.key() {
				return nil, "option '--" + name + "' is ambiguous"
			}
			match = o
		}
	}
	if match == nil {
		return nil, "unrecognized option '--" + name + "'"
	}
	return match, ""
}

// optionHelp prints the options as kmod's tools do.
func (p *program) optionHelp(synopsis string, options []option) {
	p.out.puts("Usage:\n\t", synopsis, "\n\nOptions:\n")
	for _, o := range options {
		text := "    "
		if o.short != 0 {
			text = "-" + string(rune(o.short)) + ", "
		}
		text += "--" + o.long
		if o.value {
			text += " VALUE"
		}
		p.out.puts("\t", text, strings.Repeat(" ", max(1, 32-len(text))), o.help, "\n")
	}
}
