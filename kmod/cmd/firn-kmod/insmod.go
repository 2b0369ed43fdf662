package main

import (
	"context"
	"errors"
	"io/fs"

	"firn/kmod"
)

var insmodOptions = []option{
	{'f', "force", false, "ignore the module's version magic and symbol versions"},
	{'s', "syslog", false, "messages to syslog"},
	{'v', "verbose", false, "more messages"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

func runInsmod(p *program, args []string) int {
	found, operands, problem := getopt(args, insmodOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	l := kmod.NewLoader(kmod.New(kmod.Options{}))
	for _, o := range found {
		switch o.key {
		case "f":
			l.Force = kmod.Force{Vermagic: true, Modversion: true}
		case "s":
			p.log.useSyslog()
		case "v":
			p.log.level = info
		case "V":
			p.printVersion()
			return 0
		case "h":
			p.optionHelp("insmod [options] filename [parameter...]", insmodOptions)
			return 0
		}
	}
	if len(operands) == 0 {
		p.log.error("missing filename.")
		return 1
	}
	path := operands[0]
	parameters := joinParameters(operands[1:])
	if parameters != "" {
		p.log.info("insert module %s with parameters %s", path, parameters)
	}
	err := l.Insert(context.Background(), path, parameters)
	if err == nil {
		return 0
	}
	var load *kmod.LoadError
	switch {
	case errors.As(err, &load):
		p.log.error("could not insert module %s: %s%s", path, load.Summary(), because(load.Module, load))
	case errors.Is(err, fs.ErrNotExist):
		p.log.error("could not load module %s: No such file or directory", path)
	default:
		p.log.error("could not insert module %s: %s", path, err)
	}
	return 1
}
