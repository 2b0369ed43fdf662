package main

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"firn/kmod"
)

var modprobeOptions = []option{
	{'a', "all", false, "every argument is a module's name"},
	{'r', "remove", false, "remove instead of load"},
	{0, "remove-dependencies", false, "old name of --remove-holders"},
	{0, "remove-holders", false, "with -r: also remove the modules that use it"},
	{'w', "wait", true, "with -r: wait so many ms for a module in use"},
	{0, "first-time", false, "fail if there is nothing to do"},
	{'i', "ignore-install", false, "ignore install commands"},
	{'i', "ignore-remove", false, "ignore remove commands"},
	{'b', "use-blacklist", false, "blacklists apply to module names too"},
	{'f', "force", false, "--force-modversion and --force-vermagic"},
	{0, "force-modversion", false, "ignore the versions of symbols"},
	{0, "force-vermagic", false, "ignore the module's version magic"},
	{'R', "resolve-alias", false, "only print the modules an alias stands for"},
	{'D', "show-depends", false, "only print what would be loaded"},
	{'c', "showconfig", false, "print the configuration"},
	{'c', "show-config", false, "print the configuration"},
	{0, "show-modversions", false, "print the symbol versions that a module file wants"},
	{0, "dump-modversions", false, "as --show-modversions"},
	{0, "show-exports", false, "print the symbol versions that a module file exports"},
	{'n', "dry-run", false, "do all but the last step"},
	{'n', "show", false, "as --dry-run"},
	{'C', "config", true, "configuration, in place of modprobe.d"},
	{'d', "dirname", true, "root of /lib/modules, or a module directory; may be repeated"},
	{'S', "set-version", true, "kernel release, in place of uname -r"},
	{'s', "syslog", false, "messages to syslog"},
	{'q', "quiet", false, "no message if a module is not found"},
	{'v', "verbose", false, "print what is done"},
	{0, "json", false, "output of -R, -D and -c as JSON"},
	{'V', "version", false, "show version"},
	{'h', "help", false, "show this help"},
}

// modprobe is one run of it.
type modprobe struct {
	*program
	where
	all, remove, holders, firstTime, ignoreCommands, blacklist bool
	resolve, show, config, modversions, exports, dryRun        bool
	quiet, json                                                bool
	verbose                                                    int
	force                                                      kmod.Force
	wait                                                       time.Duration
	miss                                                       int // severity of "not found"
}

func runModprobe(p *program, args []string) int {
	m := &modprobe{program: p, miss: fatal}
	args = append(environmentOptions(), args...)
	found, operands, problem := getopt(args, modprobeOptions)
	if problem != "" {
		p.log.raw(problem)
		return 1
	}
	for _, o := range found {
		done, err := m.option(o)
		if err != nil {
			p.log.error("%s", err)
			return 1
		}
		if done {
			return 0
		}
	}
	m.passOn(found)
	return m.run(operands)
}

func runRemove(p *program, args []string) int {
	p.name, p.log.name = "modprobe", "modprobe"
	return runModprobe(p, append([]string{"-r", "-a"}, args...))
}

// option takes one option; done ends the program.
func (m *modprobe) option(o parsed) (done bool, err error) {
	switch o.key {
	case "a":
		m.all, m.miss = true, warning
	case "r":
		m.remove = true
	case "remove-dependencies", "remove-holders":
		m.holders = true
	case "w":
		ms, err := strconv.ParseUint(o.value, 0, 31)
		if err != nil {
			return false, errors.New("unexpected wait argument '" + o.value + "'")
		}
		m.wait = time.Duration(ms) * time.Millisecond
	case "first-time":
		m.firstTime = true
	case "i":
		m.ignoreCommands = true
	case "b":
		m.blacklist = true
	case "f":
		m.force = kmod.Force{Vermagic: true, Modversion: true}
	case "force-modversion":
		m.force.Modversion = true
	case "force-vermagic":
		m.force.Vermagic = true
	case "R":
		m.resolve = true
	case "D":
		m.show, m.dryRun = true, true
	case "c":
		m.config = true
	case "show-modversions", "dump-modversions":
		m.modversions = true
	case "show-exports":
		m.exports = true
	case "n":
		m.dryRun = true
	case "json":
		m.json = true
	case "s":
		m.log.useSyslog()
	case "q":
		m.quiet, m.log.level = true, -1
	case "v":
		m.verbose++
		m.log.level = max(m.log.level, min(warning+2*m.verbose, debugging))
	case "V":
		m.printVersion()
		return true, nil
	case "h":
		m.optionHelp("modprobe [options] [-i] [-b] modulename [parameter...]\n\tmodprobe [options] -a modulename...\n\tmodprobe [options] -r modulename...\n\tmodprobe [options] -c", modprobeOptions)
		return true, nil
	default:
		return false, m.where.option(o)
	}
	return false, nil
}

func (m *modprobe) run(operands []string) int {
	if m.modversions || m.exports {
		return m.showSymbols(operands)
	}
	if len(operands) == 0 && !m.config {
		m.log.error("missing parameters. See -h.")
		return 1
	}
	c := m.open()
	for _, problem := range c.Config().Problems {
		m.log.warning("%s", problem)
	}
	if m.config {
		return m.showConfig(c)
	}
	var parameters string
	if !m.all && !m.remove {
		operands, parameters = operands[:1], joinParameters(operands[1:])
	}
	code := 0
	switch {
	case m.resolve:
		code = m.resolveAliases(c, operands)
	case m.remove:
		code = m.removeAll(c, operands)
	default:
		code = m.insertAll(c, operands, parameters)
	}
	return code
}

// joinParameters writes operands as the kernel wants them: a value with blanks
// is quoted, from its '=' on.
func joinParameters(operands []string) string {
	quoted := make([]string, len(operands))
	for i, o := range operands {
		key, value, ok := strings.Cut(o, "=")
		if ok && strings.ContainsAny(value, " \t\n") && !strings.HasPrefix(value, "\"") {
			o = key + "=\"" + value + "\""
		}
		quoted[i] = o
	}
	return strings.Join(quoted, " ")
}

// lookup resolves one operand and complains if nothing has that name.
func (m *modprobe) lookup(c *kmod.Context, name string) ([]*kmod.Module, bool) {
	found, err := c.Lookup(name)
	switch {
	case errors.Is(err, kmod.ErrNotFound) || errors.Is(err, errNoFile):
		if m.remove {
			m.log.print(m.miss, "Module %s not found.", name)
		} else {
			m.log.print(m.miss, "Module %s not found in directory %s", name, m.dirs())
		}
	case err != nil:
		m.log.error("look up '%s': %s", name, err)
	}
	return found, err == nil
}

func (m *modprobe) resolveAliases(c *kmod.Context, operands []string) int {
	code := 0
	list := jsonList{enabled: m.json, w: &m.out}
	for _, name := range operands {
		found, ok := m.lookup(c, name)
		if !ok {
			code = 1
		}
		for _, module := range found {
			if m.json {
				list.item(pair{"alias", name}, pair{"module", module.Name})
			} else {
				m.out.puts(module.Name, "\n")
			}
		}
	}
	list.end()
	return code
}

func (m *modprobe) insertAll(c *kmod.Context, operands []string, parameters string) int {
	code := 0
	var plans []*kmod.Plan
	var names []string
	for _, name := range operands {
		found, ok := m.lookup(c, name)
		if !ok {
			code = 1
		}
		for _, module := range found {
			// Blacklists are about aliases, unless -b says names too.
			if _, listed := c.Config().Blacklisted(module.Name); listed && (m.blacklist || module.Alias != "") {
				continue
			}
			plan, err := c.Plan(module, kmod.PlanFlags{IgnoreCommand: m.ignoreCommands, Options: parameters})
			if err != nil {
				m.insertError(module.Name, err)
				code = 1
				continue
			}
			plans, names = append(plans, plan), append(names, module.Name)
			m.nameConflicts(c, plan)
		}
	}
	list := jsonList{enabled: m.json && m.show, w: &m.out}
	l := kmod.NewLoader(c)
	l.Force, l.DryRun, l.IgnoreLoaded = m.force, m.dryRun, m.show
	l.Log = func(step kmod.Step) { m.showStep(c, step, &list) }
	for i, err := range l.Load(context.Background(), plans) {
		if errors.Is(err, kmod.ErrAlreadyLoaded) {
			if !m.firstTime {
				continue
			}
			m.log.error("could not insert '%s': Module already in kernel", names[i])
			code = 1
		} else if err != nil && !m.dryRun {
			m.insertError(names[i], err)
			code = 1
		}
	}
	list.end()
	return code
}

// nameConflicts says, if asked to talk, which trees' modules lost to others.
func (m *modprobe) nameConflicts(c *kmod.Context, plan *kmod.Plan) {
	if m.verbose == 0 || len(c.Trees()) < 2 {
		return
	}
	for _, step := range plan.Steps {
		if others := c.Overridden(step.Module); len(others) > 0 {
			m.log.info("%s overrides %s", step.Module.Path, strings.Join(others, ", "))
		}
	}
}

// insertError reports in kmod's words and adds what to do about it.
func (m *modprobe) insertError(name string, err error) {
	var load *kmod.LoadError
	if !errors.As(err, &load) {
		m.log.error("could not insert '%s': %s", name, err)
		return
	}
	m.log.error("could not insert '%s': %s%s", name, load.Summary(), because(name, load))
}

// because adds the module's name, if it is a dependency, and the hint.
func because(name string, e *kmod.LoadError) string {
	var text string
	if e.Module != name && e.Module != "" {
		text = " (its dependency " + e.Module + ")"
	}
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// showStep prints one step as modprobe -v and -D do.
func (m *modprobe) showStep(c *kmod.Context, step kmod.Step, list *jsonList) {
	if m.verbose == 0 && !m.show {
		return
	}
	options := step.Options
	if options != "" {
		options += " "
	}
	options += step.Extra
	kind, what := "insmod", step.Module.Path
	switch {
	case step.Command != "":
		kind, what = "install", step.Command
	case what == "":
		builtin, _ := c.Builtin(step.Module.Name)
		if !m.show || !builtin {
			return
		}
		kind, what = "builtin", step.Module.Name
	}
	if list.enabled {
		list.item(pair{"action", kind}, pair{"module", step.Module.Name}, pair{"path", step.Module.Path},
			pair{"command", step.Command}, pair{"options", step.Params()})
		return
	}
	if kind == "builtin" {
		m.out.puts(kind, " ", what, "\n")
		return
	}
	m.out.puts(kind, " ", what, " ", options, "\n")
}

func (m *modprobe) removeAll(c *kmod.Context, operands []string) int {
	code := 0
	l := kmod.NewLoader(c)
	l.DryRun, l.IgnoreLoaded = m.dryRun, m.show
	r := &kmod.Remover{
		Loader: l, IgnoreCommand: m.ignoreCommands, FirstTime: m.firstTime, Holders: m.holders, Force: m.force.Vermagic && m.force.Modversion, Wait: m.wait,
		Log: func(step kmod.Step) {
			if m.verbose == 0 && !m.show {
				return
			}
			if step.Command != "" {
				m.out.puts("remove ", step.Command, "\n")
			} else {
				m.out.puts("rmmod ", step.Module.Name, "\n")
			}
		},
		Report: m.removeError,
	}
	for _, name := range operands {
		found, ok := m.lookup(c, name)
		if !ok {
			code = 1
		}
		for _, module := range found {
			if err := r.Remove(context.Background(), module); err != nil {
				m.removeError(module.Name, err)
				code = 1
			}
		}
	}
	return code
}

func (m *modprobe) removeError(name string, err error) {
	var load *kmod.LoadError
	switch {
	case errors.Is(err, kmod.ErrBuiltin):
		m.log.print(m.miss, "Module %s is builtin.", name)
	case errors.Is(err, kmod.ErrNotLoaded):
		m.log.print(m.miss, "Module %s is not in kernel.", name)
	case errors.Is(err, kmod.ErrInUse):
		m.log.print(m.miss, "Module %s is in use.", name)
	case errors.As(err, &load):
		m.log.error("could not remove '%s': %s%s", name, load.Summary(), because(name, load))
	default:
		m.log.print(m.miss, "Error running remove command for %s: %s", name, err)
	}
}
