package main

import (
	"errors"
	"strings"

	"firn/kmod"
)

var rmmodOptions = []option{
	{'f', "force", false, "remove even if in use; may crash the machine"},
	{'s', "syslog", false, "messages to syslog"},
	{'v', "verbose", false, "more messages"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

func runRmmod(p *program, args []string) int {
	found, operands, problem := getopt(args, rmmodOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	c := kmod.New(kmod.Options{})
	r := &kmod.Remover{Loader: kmod.NewLoader(c)}
	for _, o := range found {
		switch o.key {
		case "f":
			r.Force = true
		case "s":
			p.log.useSyslog()
		case "v":
			p.log.level = info
		case "V":
			p.printVersion()
			return 0
		case "h":
			p.optionHelp("rmmod [options] modulename ...", rmmodOptions)
			return 0
		}
	}
	if len(operands) == 0 {
		p.log.error("missing module name.")
		return 1
	}
	code := 0
	for _, name := range operands {
		if !p.remove(c, r, name) {
			code = 1
		}
	}
	return code
}

// remove refuses what is not there or in use, then asks the kernel.
func (p *program) remove(c *kmod.Context, r *kmod.Remover, operand string) bool {
	name := kmod.NameOfPath(operand)
	if !r.Force {
		switch c.State(name) {
		case kmod.Absent:
			p.log.error("Module %s is not currently loaded", operand)
			return false
		case kmod.BuiltinState:
			p.log.error("Module %s is builtin.", operand)
			return false
		}
		if holders := c.Holders(name); len(holders) > 0 {
			p.log.error("Module %s is in use by: %s", operand, strings.Join(holders, " "))
			return false
		}
		if c.Refcount(name) > 0 {
			p.log.error("Module %s is in use", operand)
			return false
		}
	}
	p.log.info("rmmod %s", name)
	err := r.Delete(name)
	if err == nil {
		return true
	}
	var load *kmod.LoadError
	if errors.As(err, &load) {
		p.log.error("could not remove module %s: %s%s", operand, load.Summary(), because(name, load))
	} else {
		p.log.error("could not remove module %s: %s", operand, err)
	}
	return false
}
