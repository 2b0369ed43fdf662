package main

import (
	"context"
	"errors"

	"firn/kmod"
)

var coldplugOptions = []option{
	{'n', "dry-run", false, "only show"},
	{'v', "verbose", false, "say what was loaded"},
	{'C', "config", true, "configuration, in place of modprobe.d"},
	{'d', "dirname", true, "root of /lib/modules, or a module directory; may be repeated"},
	{'S', "set-version", true, "kernel release, in place of uname -r"},
	{0, "json", false, "output as JSON"},
	{'h', "help", false, "show this help"},
}

// runColdplug ends with 1 if a module could not be loaded; blacklisted ones and
// those without their hardware are no failure, as with udev.
func runColdplug(p *program, args []string) int {
	var w where
	dryRun, verbose := false, false
	list := jsonList{w: &p.out}
	found, operands, problem := getopt(args, coldplugOptions)
	if problem == "" && len(operands) > 0 {
		problem = "too many arguments provided."
	}
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		switch o.key {
		case "n":
			dryRun = true
		case "v":
			verbose = true
		case "json":
			list.enabled = true
		case "h":
			p.optionHelp("firn-kmod coldplug [options]", coldplugOptions)
			return 0
		default:
			_ = w.option(o)
		}
	}
	c := w.open()
	l := kmod.NewLoader(c)
	l.DryRun = dryRun
	plugs, err := l.Coldplug(context.Background())
	code := 0
	if err != nil {
		p.log.error("coldplug: %s", err)
		code = 1
	}
	for _, plug := range plugs {
		status := plugStatus(plug, dryRun)
		if status == "failed" {
			p.log.error("could not load '%s' for %s: %s", plug.Module.Name, plug.Aliases[0], plug.Err)
			code = 1
		}
		if list.enabled {
			list.item(pair{"module", plug.Module.Name}, pair{"status", status}, pair{"aliases", plug.Aliases}, pair{"reason", reason(plug.Err)})
		} else if dryRun || verbose {
			p.out.puts(plug.Module.Name, "\t", status, "\t", plug.Aliases[0], "\n")
		}
	}
	list.end()
	return code
}

func plugStatus(plug kmod.Plug, dryRun bool) string {
	switch {
	case plug.Loaded:
		return "already loaded"
	case plug.Err == nil && dryRun:
		return "to be loaded"
	case plug.Err == nil:
		return "loaded"
	case errors.Is(plug.Err, kmod.ErrBlacklisted):
		return "blacklisted"
	case errors.Is(plug.Err, kmod.ErrNoDevice):
		return "no device"
	}
	return "failed"
}
