// Command docgen writes firn's manual pages from the tables that the programs
// parse their command lines over, so that page and program cannot differ.
//
// Synopsis:
//
//	docgen DIRECTORY
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra/doc"

	"firn/shim/internal/cli"
	"firn/shim/internal/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: docgen DIRECTORY")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "docgen: cannot write manual pages: %v\n", err)
		os.Exit(1)
	}
}

func write(dir string) error {
	// A date that does not change keeps the pages the same from run to run.
	epoch := time.Unix(0, 0).UTC()
	header := &doc.GenManHeader{Section: "1", Source: "firn", Manual: "firn", Date: &epoch}
	if err := doc.GenManTree(cli.Root(), header, dir); err != nil {
		return err
	}
	for name, page := range map[string]func(io.Writer){"firn-nspawn.1": nspawn, "firn.nspawn.5": settings} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		page(f)
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// nspawn writes the page of firn nspawn over config.Options.
func nspawn(w io.Writer) {
	fmt.Fprint(w, `.TH FIRN-NSPAWN 1 "" firn firn
.SH NAME
firn-nspawn \- run a command or an operating system in a lightweight container
.SH SYNOPSIS
.B firn nspawn
[OPTIONS...] [PATH [ARGS...]]
.br
.B systemd-nspawn
[OPTIONS...] [PATH [ARGS...]]
.SH DESCRIPTION
Takes systemd-nspawn's command line and settings files. Differences: properties
are applied to the container's own cgroup, with systemd on the host or without;
read-only binds cannot be remounted by root inside; \fB--ephemeral\fR lays a
temporary directory over the root instead of copying it.
`)
	group := ""
	var missing []string
	for _, o := range config.Options() {
		if !o.Supported {
			missing = append(missing, name(o))
			continue
		}
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(w, ".SH %s\n", strings.ToUpper(escape(group)))
		}
		fmt.Fprintf(w, ".TP\n%s\n%s.\n", synopsis(o), escape(o.Help))
		if len(o.Values) > 0 {
			fmt.Fprintf(w, "One of %s.\n", escape(strings.Join(o.Values, ", ")))
		}
	}
	fmt.Fprintf(w, ".SH REFUSED OPTIONS\nKnown, and an error until they are supported:\n%s.\n",
		escape(strings.Join(missing, ", ")))
	fmt.Fprint(w, `.SH EXIT STATUS
0 if the container halted or powered off, 133 for a reboot under \fB--keep-unit\fR,
without \fB--boot\fR the program's own, 1 otherwise.
.SH SEE ALSO
.BR firn (1),
.BR firn.nspawn (5)
`)
}

// firnKeys explains the section that systemd.nspawn(5) does not have.
var firnKeys = map[string]string{
	"Root":       "The root directory, absolute; /var/lib/containers/NAME without it.",
	"SystemPath": "A NixOS system or a profile that leads to one, as the container sees it; its init is booted.",
	"Init":       "What Boot=yes starts: auto (the system's own), systemd, firn (firn-init), or a path inside.",
	"AutoStart":  "Whether to start the container with the host.",
}

// settings writes the page of the settings files over config.Keys.
func settings(w io.Writer) {
	fmt.Fprint(w, `.TH FIRN.NSPAWN 5 "" firn firn
.SH NAME
firn.nspawn \- container settings
.SH SYNOPSIS
/etc/systemd/nspawn/NAME.nspawn
.br
/run/systemd/nspawn/NAME.nspawn
.br
NAME.nspawn.d/*.conf beside either
.SH DESCRIPTION
The files of systemd.nspawn(5), with drop-ins and a section [Firn] of firn's own. An
unknown section or key is an error; names that begin with X- are passed over.
`)
	section := ""
	for _, k := range config.Keys() {
		if k.Section != section {
			section = k.Section
			fmt.Fprintf(w, ".SH [%s]\n", strings.ToUpper(section))
		}
		help := firnKeys[k.Name]
		if k.Section != "Firn" {
			help = "See systemd.nspawn(5)."
		}
		if k.Privileged {
			help += " Counts only in a trusted file."
		}
		fmt.Fprintf(w, ".TP\n\\fB%s=\\fR\n%s\n", escape(k.Name), escape(help))
	}
	fmt.Fprint(w, ".SH SEE ALSO\n.BR firn (1),\n.BR firn-nspawn (1)\n")
}

func name(o config.OptionDoc) string {
	if o.Name == "" {
		return "-" + o.Short
	}
	return "--" + o.Name
}

func synopsis(o config.OptionDoc) string {
	var forms []string
	if o.Short != "" {
		forms = append(forms, `\fB\-`+o.Short+`\fR`)
	}
	if o.Name != "" {
		forms = append(forms, `\fB\-\-`+escape(o.Name)+`\fR`)
	}
	text := strings.Join(forms, ", ")
	switch {
	case o.Argument == "":
	case o.Optional:
		text += `[=\fI` + escape(o.Argument) + `\fR]`
	default:
		text += `=\fI` + escape(o.Argument) + `\fR`
	}
	return text
}

// escape protects what troff would take for its own.
func escape(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
