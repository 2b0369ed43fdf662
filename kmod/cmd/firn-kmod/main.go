// Firn-kmod is the kernel module loader: every tool of kmod(8) in one program,
// by the name it is called by (modprobe, insmod, rmmod, lsmod, modinfo, depmod,
// and systemd-modules-load) or by its first argument:
//
//	firn-kmod modprobe|insmod|rmmod|lsmod|modinfo|depmod ARGS...   as kmod(8) has them
//	firn-kmod list|config|static-nodes|insert|remove ARGS...       as kmod's subcommands
//	firn-kmod modules-load [FILE...]         what modules-load.d(5) names
//	firn-kmod closure [--firmware] MODULE... what an initrd needs for these
//	firn-kmod coldplug [-n]                  what the devices under /sys ask for
//	firn-kmod check-config LIST              a kernel's configuration against a list
//	firn-kmod why MODULE                     what would load or stop it, with file:line
//
// Several module trees at once: -d DIR more than once, KMOD_TREES=DIR:DIR, or
// /etc/kmod-trees, one directory a line.
// --json on whatever lists.
//
// Input is argv, the environment and what package kmod reads; output is text in
// kmod's own format, or the kernel changed. This is the last stage: it decides
// nothing that package kmod could.
package main

import (
	"os"
	"strings"
)

// version is set by the build: -X main.version=...
var version = "devel"

// compatVersion is the release of kmod whose options this program has.
const compatVersion = "34"

// A tool is one of the programs in this one.
type tool struct {
	name string
	help string // one line for the list of commands
	run  func(p *program, args []string) int
}

// A program is one run of a tool.
type program struct {
	name string // as in its messages
	log  logger
	out  writer
}

// tools is filled here rather than in a literal: the help command prints it.
func tools() []tool {
	return []tool{
		{"modprobe", "load and remove modules with what they depend on", runModprobe},
		{"insmod", "load one module file", runInsmod},
		{"rmmod", "remove modules", runRmmod},
		{"lsmod", "list the loaded modules", runLsmod},
		{"modinfo", "show what modules say about themselves", runModinfo},
		{"depmod", "write the indexes of a module tree", runDepmod},
		{"list", "as lsmod", runLsmod},
		{"config", "show the effective configuration", runConfig},
		{"static-nodes", "show the device nodes that load modules when opened", runStaticNodes},
		{"insert", "as modprobe", runModprobe},
		{"remove", "as modprobe -r", runRemove},
		{"modules-load", "load what modules-load.d lists", runModulesLoad},
		{"closure", "show or copy all that modules need", runClosure},
		{"coldplug", "load the modules of the devices that are there", runColdplug},
		{"check-config", "compare a kernel's configuration with a list", runCheckConfig},
		{"why", "explain what would load or stop a module", runWhy},
	}
}

func main() {
	name := os.Args[0][strings.LastIndexByte(os.Args[0], '/')+1:]
	args := os.Args[1:]
	if name == "systemd-modules-load" {
		name = "modules-load"
	}
	switch name {
	case "modprobe", "insmod", "rmmod", "lsmod", "modinfo", "depmod", "modules-load":
	default:
		os.Exit(runCommand(args))
	}
	os.Exit(dispatch(name, args))
}

func dispatch(name string, args []string) int {
	for _, t := range tools() {
		if t.name == name {
			p := &program{name: name, log: newLogger(name), out: writer{fd: 1}}
			code := t.run(p, args)
			if !p.out.flush() && code == 0 {
				code = 1
			}
			return code
		}
	}
	return -1
}

// runCommand is the program called by its own name, kmod(8).
func runCommand(args []string) int {
	p := &program{name: "firn-kmod", log: newLogger("firn-kmod"), out: writer{fd: 1}}
	defer p.out.flush()
	if len(args) == 0 {
		p.log.error("missing command, see --help")
		return 1
	}
	switch args[0] {
	case "-h", "--help", "help":
		p.usage()
		return 0
	case "-V", "--version", "version":
		p.printVersion()
		return 0
	}
	if strings.HasPrefix(args[0], "-") {
		p.log.error("invalid option %s", args[0])
		return 1
	}
	if code := dispatch(args[0], args[1:]); code >= 0 {
		return code
	}
	p.log.error("invalid command '%s'", args[0])
	return 1
}

func (p *program) usage() {
	p.out.puts("firn-kmod - kernel modules: load, remove, list, index, explain\nUsage:\n\tfirn-kmod [options] command [command_options]\n\n" +
		"Options:\n\t-V, --version     show version\n\t-h, --help        show this help\n\nCommands:\n")
	for _, t := range tools() {
		p.out.puts("  ", t.name, strings.Repeat(" ", 13-len(t.name)), t.help, "\n")
	}
	p.out.puts("\nIt is each of modprobe, insmod, rmmod, lsmod, modinfo and depmod when called by that name.\n")
}

// printVersion has the form of kmod's, since scripts take the number out of it.
func (p *program) printVersion() {
	p.out.puts("kmod version ", compatVersion, "\n+ZSTD +XZ +ZLIB -LIBCRYPTO firn-kmod ", version, "\n")
}
