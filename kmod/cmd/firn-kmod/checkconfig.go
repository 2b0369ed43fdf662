package main

import (
	"strings"

	"firn/kmod"
)

var checkConfigOptions = []option{
	{'f', "file", true, "the kernel's configuration, in place of /proc/config.gz and /boot/config-RELEASE"},
	{'k', "set-version", true, "kernel release, in place of uname -r"},
	{'v', "verbose", false, "also show what holds"},
	{0, "json", false, "output as JSON"},
	{'h', "help", false, "show this help"},
}

// runCheckConfig ends with 0 if all requirements hold, 1 if not, 2 if that could
// not be found out.
func runCheckConfig(p *program, args []string) int {
	file, release, verbose := "", "", false
	list := jsonList{w: &p.out}
	found, lists, problem := getopt(args, checkConfigOptions)
	if problem != "" {
		p.log.raw(problem)
		return 2
	}
	for _, o := range found {
		switch o.key {
		case "f":
			file = o.value
		case "k":
			release = o.value
		case "v":
			verbose = true
		case "json":
			list.enabled = true
		case "h":
			p.optionHelp("firn-kmod check-config [options] list...", checkConfigOptions)
			return 0
		}
	}
	if len(lists) == 0 {
		p.log.raw("missing list of requirements.")
		return 2
	}
	config, source, err := kernelConfig(file, release)
	if err != nil {
		p.log.error("%s", err)
		return 2
	}
	code := 0
	for _, path := range lists {
		requirements, err := readRequirements(path)
		if err != nil {
			p.log.error("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
			return 2
		}
		for _, r := range requirements {
			holds, has := r.Holds(config)
			if !holds {
				code = 1
			}
			switch {
			case list.enabled:
				list.item(pair{"option", "CONFIG_" + r.Name}, pair{"kind", r.Kind}, pair{"holds", holds}, pair{"wants", r.Wants()},
					pair{"has", has}, pair{"note", r.Note}, pair{"origin", r.Origin.String()})
			case !holds || verbose:
				word := map[bool]string{true: "ok", false: "wrong"}[holds]
				p.out.puts(r.Origin.String(), ": ", word, ": CONFIG_", r.Name, " is to be ", r.Wants(), ", ", source, " has ", has, "\n")
			}
		}
	}
	list.end()
	return code
}

func readRequirements(path string) ([]kmod.Requirement, error) {
	data, err := kmod.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return kmod.ParseRequirements(data, path)
}

func kernelConfig(file, release string) (kmod.KernelConfig, string, error) {
	if file != "" {
		config, err := kmod.ReadKernelConfig(file)
		return config, file, err
	}
	return kmod.FindKernelConfig("", release)
}
