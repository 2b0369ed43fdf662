package main

import (
	"errors"
	"os"
	"strings"

	"firn/kmod"
)

var depmodOptions = []option{
	{'a', "all", false, "index all modules (the default)"},
	{'A', "quick", false, "only if a module is newer than modules.dep"},
	{'b', "basedir", true, "root of the module directory"},
	{'m', "moduledir", true, "directory of the trees below it (/lib/modules)"},
	{'M', "moduledir-default", false, "print the default of -m"},
	{'o', "outdir", true, "root below which the indexes are written"},
	{'C', "config", true, "configuration, in place of depmod.d"},
	{'e', "errsyms", false, "with -F or -E: report symbols nobody provides"},
	{'E', "symvers", true, "the kernel's Module.symvers"},
	{'F', "filesyms", true, "the kernel's System.map"},
	{'n', "dry-run", false, "print the text files instead of writing"},
	{'n', "show", false, "as --dry-run"},
	{'P', "symbol-prefix", true, "a character in front of symbols to ignore"},
	{'v', "verbose", false, "print which symbol makes which dependency"},
	{'w', "warn", false, "report duplicates"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

const moduleDir = "/lib/modules"

// depmod is one run of it.
type depmod struct {
	*program
	base, moduleDir, out                                string
	configs                                             []string
	systemMap, symvers                                  string
	all, quick, errors, dryRun, verbose, warnDuplicates bool
	prefix                                              byte
}

func runDepmod(p *program, args []string) int {
	d := &depmod{program: p, moduleDir: moduleDir}
	found, operands, problem := getopt(args, depmodOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		done, err := d.option(o)
		if err != nil {
			p.log.error("%s", err)
			return 1
		}
		if done {
			return 0
		}
	}
	if err := d.run(operands); err != nil {
		p.log.fatal("%s", err)
		return 1
	}
	return 0
}

func (d *depmod) option(o parsed) (done bool, err error) {
	switch o.key {
	case "a":
		d.all = true
	case "A":
		d.quick = true
	case "b":
		d.base = kmod.AbsPath(o.value)
	case "m":
		d.moduleDir = "/" + strings.Trim(o.value, "/")
	case "M":
		d.program.out.puts(moduleDir, "\n")
		return true, nil
	case "o":
		d.out = kmod.AbsPath(o.value)
	case "C":
		d.configs = append(d.configs, o.value)
	case "e":
		d.errors = true
	case "E":
		d.symvers = o.value
	case "F":
		d.systemMap = o.value
	case "n":
		d.dryRun = true
	case "P":
		if len(o.value) != 1 {
			return false, errors.New("-P only takes a single char")
		}
		d.prefix = o.value[0]
	case "v":
		d.verbose = true
	case "w":
		d.warnDuplicates = true
	case "V":
		d.printVersion()
		return true, nil
	case "h":
		d.optionHelp("depmod -[aA] [options] [version] [file...]", depmodOptions)
		return true, nil
	}
	return false, nil
}

func (d *depmod) run(operands []string) error {
	if d.systemMap != "" && d.symvers != "" {
		return errors.New("-E and -F options are mutually exclusive")
	}
	release := kmod.KernelRelease()
	if len(operands) > 0 && !strings.HasSuffix(operands[0], ".ko") && !strings.Contains(operands[0], "/") {
		if release, operands = operands[0], operands[1:]; !isRelease(release) {
			return errors.New("bad version passed: " + release)
		}
	}
	for _, file := range operands {
		if !strings.HasPrefix(file, "/") {
			return errors.New(file + ": not absolute path")
		}
	}
	config, err := d.readConfig()
	if err != nil {
		return err
	}
	run := &kmod.Depmod{
		Dir: d.base + d.moduleDir + "/" + release, Release: release, Config: config, Prefix: d.prefix, Duplicates: d.warnDuplicates,
		Warn: func(err error) { d.log.warning("%s", err) },
	}
	if !d.all {
		run.Files = operands
	}
	if d.verbose {
		run.Verbose = func(user, symbol, provider string) {
			d.program.out.puts(user, " needs \"", symbol, "\": ", provider, "\n")
		}
	}
	if d.quick && len(run.Files) == 0 {
		if fresh, err := run.UpToDate(); err != nil || fresh {
			return err
		}
	}
	if run.Kernel, err = d.kernelSymbols(); err != nil {
		return err
	}
	if err := run.Run(); err != nil {
		return err
	}
	if d.dryRun {
		return run.WriteText(&d.program.out)
	}
	target := run.Dir
	if d.out != "" {
		target = d.out + d.moduleDir + "/" + release
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	}
	return run.WriteTo(target)
}

func (d *depmod) kernelSymbols() (*kmod.KernelSymbols, error) {
	switch {
	case !d.errors && d.symvers == "":
		return nil, nil
	case d.systemMap != "":
		return kmod.ReadSystemMap(d.systemMap)
	case d.symvers != "":
		return kmod.ReadSymvers(d.symvers)
	}
	d.log.warning("-e needs -E or -F")
	return nil, nil
}

func (d *depmod) readConfig() (*kmod.DepmodConfig, error) {
	paths := kmod.DepmodDirs
	if len(d.configs) > 0 {
		paths = d.configs
	}
	files, err := kmod.ListConfFiles("", paths)
	if err != nil {
		return nil, err
	}
	config := &kmod.DepmodConfig{}
	for _, file := range files {
		data, err := kmod.ReadFile(file.Path)
		if err != nil {
			d.log.warning("%s", err)
			continue
		}
		config.Parse(data, file.Path)
	}
	for _, problem := range config.Problems {
		d.log.error("%s", problem)
	}
	return config, nil
}

// isRelease knows a kernel's release by its two numbers: "6.1.0-x".
func isRelease(s string) bool {
	major, rest, ok := strings.Cut(s, ".")
	return ok && major != "" && strings.Trim(major, "0123456789") == "" && rest != "" && '0' <= rest[0] && rest[0] <= '9'
}
