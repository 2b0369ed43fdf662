package cli

import (
	"fmt"
	"io"
	"strings"

	"firn/shim/internal/config"
)

// writeNspawnHelp prints systemd-nspawn's options as far as firn has them,
// from the table that the command line is parsed over.
func writeNspawnHelp(w io.Writer) error {
	fmt.Fprint(w, "firn nspawn [OPTIONS...] [PATH] [ARGUMENTS...]\n\n"+
		"Spawn a command or an operating system in a lightweight container.\n")
	group := ""
	var missing []string
	for _, o := range config.Options() {
		if !o.Supported {
			missing = append(missing, optionName(o))
			continue
		}
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(w, "\n%s:\n", group)
		}
		if _, err := fmt.Fprintf(w, "  %-34s %s\n", optionSynopsis(o), o.Help); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nKnown to systemd-nspawn and refused by this version:\n  %s\n",
		strings.Join(missing, " "))
	return err
}

func optionName(o config.OptionDoc) string {
	if o.Name == "" {
		return "-" + o.Short
	}
	return "--" + o.Name
}

// optionSynopsis is "-M --machine=NAME".
func optionSynopsis(o config.OptionDoc) string {
	var text string
	switch {
	case o.Short != "" && o.Name != "":
		text = "-" + o.Short + " --" + o.Name
	case o.Short != "":
		text = "-" + o.Short
	default:
		text = "   --" + o.Name
	}
	switch {
	case o.Argument == "":
	case o.Optional:
		text += "[=" + o.Argument + "]"
	default:
		text += "=" + o.Argument
	}
	return text
}
