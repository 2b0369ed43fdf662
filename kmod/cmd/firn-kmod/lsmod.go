package main

import (
	"strconv"
	"strings"

	"firn/kmod"
)

var lsmodOptions = []option{
	{'s', "syslog", false, "messages to syslog"},
	{'v', "verbose", false, "more messages"},
	{0, "json", false, "output as JSON"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

func runLsmod(p *program, args []string) int {
	found, operands, problem := getopt(args, lsmodOptions)
	if problem != "" || len(operands) > 0 {
		if problem == "" {
			problem = "too many arguments provided."
		}
		p.log.raw(problem)
		return 1
	}
	json := false
	for _, o := range found {
		switch o.key {
		case "s":
			p.log.useSyslog()
		case "json":
			json = true
		case "V":
			p.printVersion()
			return 0
		case "h":
			p.optionHelp(p.name+" [options]", lsmodOptions)
			return 0
		}
	}
	modules, err := kmod.New(kmod.Options{}).Loaded()
	if err != nil {
		p.log.error("could not get list of modules: %s", err)
		return 1
	}
	if json {
		list := jsonList{enabled: true, w: &p.out}
		for _, m := range modules {
			list.item(pair{"module", m.Name}, pair{"size", m.Size}, pair{"refs", m.Refs}, pair{"holders", m.Holders}, pair{"state", m.State.String()})
		}
		list.end()
		return 0
	}
	p.out.puts("Module                  Size  Used by\n")
	for _, m := range modules {
		p.out.puts(padRight(m.Name, 19), " ", padLeft(strconv.FormatInt(m.Size, 10), 8), "  ", strconv.Itoa(m.Refs))
		if len(m.Holders) > 0 {
			p.out.puts(" ", strings.Join(m.Holders, ","))
		}
		p.out.puts("\n")
	}
	return 0
}

func padRight(s string, width int) string { return s + strings.Repeat(" ", max(0, width-len(s))) }
func padLeft(s string, width int) string  { return strings.Repeat(" ", max(0, width-len(s))) + s }
