package main

import (
	"firn/kmod"
)

var whyOptions = []option{
	{'C', "config", true, "configuration, in place of modprobe.d"},
	{'d', "dirname", true, "root of /lib/modules, or a module directory; may be repeated"},
	{'S', "set-version", true, "kernel release, in place of uname -r"},
	{'v', "verbose", false, "all aliases and users, not only the first"},
	{0, "json", false, "output as JSON"},
	{'h', "help", false, "show this help"},
}

// shownAliases is how many of a module's aliases and users are shown without -v:
// some have thousands.
const shownAliases = 5

func runWhy(p *program, args []string) int {
	var w where
	verbose := false
	list := jsonList{w: &p.out}
	found, names, problem := getopt(args, whyOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		switch o.key {
		case "v":
			verbose = true
		case "json":
			list.enabled, verbose = true, true
		case "h":
			p.optionHelp("firn-kmod why [options] module...", whyOptions)
			return 0
		default:
			_ = w.option(o)
		}
	}
	if len(names) == 0 {
		p.log.raw("missing module name.")
		return 1
	}
	c := w.open()
	lists, err := kmod.ReadLists("", kmod.KernelCommandLine(""))
	if err != nil {
		p.log.warning("%s", err)
	}
	for _, name := range names {
		reasons, err := c.Why(name, lists)
		if err != nil {
			p.log.error("%s", err)
			return 1
		}
		p.showReasons(name, reasons, verbose, &list)
	}
	list.end()
	return 0
}

func (p *program) showReasons(name string, reasons []kmod.Reason, verbose bool, list *jsonList) {
	if !list.enabled {
		p.out.puts(name, ":\n")
	}
	fromIndex := 0
	for _, r := range reasons {
		if r.Effect == "loads" && r.Origin.Line == 0 && r.Origin.File != kmod.CommandLineFile {
			if fromIndex++; fromIndex > shownAliases && !verbose {
				continue
			}
		}
		if list.enabled {
			list.item(pair{"module", name}, pair{"effect", r.Effect}, pair{"text", r.Text}, pair{"origin", r.Origin.String()})
			continue
		}
		p.out.puts("  ", padRight(r.Effect, 8), r.Text)
		if origin := r.Origin.String(); origin != "" {
			p.out.puts("  (", origin, ")")
		}
		p.out.puts("\n")
	}
	if more := fromIndex - shownAliases; more > 0 && !verbose {
		p.out.puts("  ... and ", itoa(more), " more aliases and users, see -v\n")
	}
}
