package main

import (
	"context"

	"firn/kmod"
)

var modulesLoadOptions = []option{
	{'n', "dry-run", false, "do all but the last step"},
	{'v', "verbose", false, "say what became of every entry"},
	{0, "json", false, "output as JSON"},
	{'C', "config", true, "configuration, in place of modprobe.d"},
	{'d', "dirname", true, "root of /lib/modules; may be repeated"},
	{'S', "set-version", true, "kernel release, in place of uname -r"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

// runModulesLoad loads modules-load.d's lists, or the files that are named. Its
// status is systemd-modules-load's: 1 if a module could not be loaded or an
// explicit file not be read; missing, blacklisted, refused for want of the
// capability or without its hardware is no failure.
func runModulesLoad(p *program, args []string) int {
	var w where
	verbose, dryRun := false, false
	list := jsonList{w: &p.out}
	found, files, problem := getopt(args, modulesLoadOptions)
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
		case "V":
			p.printVersion()
			return 0
		case "h":
			p.optionHelp("firn-kmod modules-load [options] [file...]", modulesLoadOptions)
			return 0
		default:
			_ = w.option(o)
		}
	}
	entries, code := p.readLists(files)
	c := w.open()
	l := kmod.NewLoader(c)
	l.DryRun = dryRun
	denied := false
	for _, o := range kmod.LoadModules(context.Background(), entries, l) {
		if list.enabled {
			list.item(pair{"module", o.Name}, pair{"origin", o.Origin.String()}, pair{"status", o.Status.String()}, pair{"reason", reason(o.Err)})
		}
		switch {
		case o.Status.Failure():
			p.log.error("%s: could not load '%s': %s", o.Origin, o.Name, o.Err)
			code = 1
		case o.Status == kmod.StatusDenied && !denied:
			p.log.warning("%s: '%s' and what else is listed: %s", o.Origin, o.Name, o.Err)
			denied = true
		case o.Status == kmod.StatusMissing || o.Status == kmod.StatusNoDevice:
			p.log.warning("%s: '%s': %s", o.Origin, o.Name, o.Err)
		}
		if verbose && !list.enabled {
			p.out.puts(o.Origin.String(), ": ", o.Name, ": ", o.Status.String(), "\n")
		}
	}
	list.end()
	return code
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (p *program) readLists(files []string) (entries []kmod.ListEntry, code int) {
	if len(files) == 0 {
		entries, err := kmod.ReadLists("", kmod.KernelCommandLine(""))
		if err != nil {
			p.log.error("%s", err)
			code = 1
		}
		return entries, code
	}
	for _, file := range files {
		more, err := kmod.ReadList("", kmod.AbsPath(file))
		if err != nil {
			p.log.error("%s", err)
			code = 1
		}
		entries = append(entries, more...)
	}
	return entries, code
}
