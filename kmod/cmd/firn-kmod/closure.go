package main

import (
	"strings"

	"firn/kmod"
)

var closureOptions = []option{
	{0, "firmware", false, "the firmware files that the modules name, too"},
	{0, "firmware-dir", true, "directory of firmware; may be repeated"},
	{0, "copy-to", true, "make a tree of it below this directory, with indexes"},
	{'C', "config", true, "configuration, in place of modprobe.d"},
	{'d', "dirname", true, "root of /lib/modules, or a module directory; may be repeated"},
	{'S', "set-version", true, "kernel release, in place of uname -r"},
	{0, "json", false, "output as JSON"},
	{'h', "help", false, "show this help"},
}

func runClosure(p *program, args []string) int {
	var w where
	var o kmod.ClosureOptions
	target, json := "", false
	found, names, problem := getopt(args, closureOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, option := range found {
		switch option.key {
		case "firmware":
			o.Firmware = true
		case "firmware-dir":
			o.Firmware, o.FirmwareDirs = true, append(o.FirmwareDirs, kmod.AbsPath(option.value))
		case "copy-to":
			target = kmod.AbsPath(option.value)
		case "json":
			json = true
		case "h":
			p.optionHelp("firn-kmod closure [options] module...", closureOptions)
			return 0
		default:
			_ = w.option(option)
		}
	}
	if len(names) == 0 {
		p.log.error("missing module name.")
		return 1
	}
	c := w.open()
	closure, err := c.Closure(names, o)
	if err != nil {
		p.log.error("closure: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	for _, conflict := range closure.Conflicts {
		p.log.warning("module %s: %s overrides %s", conflict.Name, conflict.Used, strings.Join(conflict.Others, ", "))
	}
	if target != "" {
		release := w.release
		if release == "" {
			release = kmod.KernelRelease()
		}
		if err := c.CopyTo(target, release, closure, func(err error) { p.log.warning("%s", err) }); err != nil {
			p.log.error("copy closure: %s", err)
			return 1
		}
	}
	p.showClosure(closure, json)
	return 0
}

func (p *program) showClosure(closure *kmod.Closure, json bool) {
	list := jsonList{enabled: json, w: &p.out}
	for _, m := range closure.Modules {
		if json {
			list.item(pair{"module", m.Name}, pair{"path", m.Path})
		} else {
			p.out.puts(m.Path, "\n")
		}
	}
	for _, f := range closure.Firmware {
		switch {
		case json:
			list.item(pair{"firmware", f.Name}, pair{"path", f.Path}, pair{"module", f.Module})
		case f.Path != "":
			p.out.puts(f.Path, "\n")
		}
		if f.Path == "" {
			p.log.info("module %s names firmware %s, which is nowhere", f.Module, f.Name)
		}
	}
	list.end()
}
