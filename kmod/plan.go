package kmod

// A Plan says what loading one module means, in order.
type Plan struct {
	Target *Module
	Steps  []Step
}

// A Step is one module of a plan.
type Step struct {
	Module *Module
	// Command is the install command that takes the module's place, "" if it is
	// loaded itself.
	Command string
	// Options are the configuration's parameters, Extra those of the caller.
	Options, Extra string
	// Required: without it the target cannot load. The others come from softdeps.
	Required bool
	// After holds the earlier steps of the plan that softdeps put before this
	// one. What it needs, Dependencies tells.
	After []int
}

// PlanFlags alter a plan.
type PlanFlags struct {
	// IgnoreCommand loads the target itself even if there is an install command
	// for it, and leaves out its softdeps, as modprobe -i does.
	IgnoreCommand bool
	// Options are appended to the target's.
	Options string
}

// Plan makes the plan for one module of a Lookup: its dependencies, each with its
// softdeps around it, then the module between its own.
//
// A module that softdeps reach more than once is planned only the first time;
// one that is both a dependency and reached by a softdep can occur twice, which
// is harmless (the second finds it loaded) and is what modprobe prints.
func (c *Context) Plan(m *Module, flags PlanFlags) (*Plan, error) {
	p := planner{
		context:  c,
		config:   c.Config(),
		visited:  map[moduleKey]bool{},
		required: map[moduleKey]bool{},
		ignore:   map[moduleKey]bool{},
		last:     map[moduleKey]int{},
		plan:     &Plan{Target: m},
	}
	if err := p.add(m, true, flags.IgnoreCommand); err != nil {
		return nil, err
	}
	p.finish(flags.Options)
	return p.plan, nil
}

// A module found by an alias is another one than the same found by name: it has
// other options, and libkmod plans it apart.
type moduleKey struct{ name, alias string }

func (m *Module) key() moduleKey { return moduleKey{m.Name, m.Alias} }

type planner struct {
	context  *Context
	config   *Config
	visited  map[moduleKey]bool
	required map[moduleKey]bool
	ignore   map[moduleKey]bool // install commands do not apply: it has softdeps
	last     map[moduleKey]int  // newest step of each module
	plan     *Plan
}

func (p *planner) add(m *Module, required, ignoreCommand bool) error {
	if p.visited[m.key()] {
		return nil
	}
	p.visited[m.key()] = true
	deps, err := p.context.Dependencies(m)
	if err != nil {
		return err
	}
	if required {
		p.required[m.key()] = true
		for _, dep := range deps {
			p.required[dep.key()] = true
		}
	}
	for _, dep := range deps {
		if err := p.withSoftdeps(dep); err != nil {
			return err
		}
	}
	if ignoreCommand {
		p.ignore[m.key()] = true
		p.step(m, nil)
		return nil
	}
	return p.withSoftdeps(m)
}

// withSoftdeps plans m between its softdeps. Where there are any, they take
// precedence over an install command, see modprobe.d(5).
func (p *planner) withSoftdeps(m *Module) error {
	pre, post, err := p.softdeps(m)
	if err != nil {
		return err
	}
	var after []int
	for _, soft := range pre {
		if err := p.add(soft, false, false); err != nil {
			return err
		}
		if i, ok := p.last[soft.key()]; ok {
			after = append(after, i)
		}
	}
	p.ignore[m.key()] = len(pre)+len(post) > 0
	self := p.step(m, after)
	for _, soft := range post {
		start := len(p.plan.Steps)
		if err := p.add(soft, false, false); err != nil {
			return err
		}
		for i := start; i < len(p.plan.Steps); i++ {
			p.plan.Steps[i].After = append(p.plan.Steps[i].After, self)
		}
	}
	return nil
}

// softdeps resolves the softdeps of a module; names that nothing matches vanish.
func (p *planner) softdeps(m *Module) (pre, post []*Module, err error) {
	s, ok := p.config.SoftdepOf(m.Name)
	if !ok {
		return nil, nil, nil
	}
	if pre, err = p.resolve(s.Pre); err != nil {
		return nil, nil, err
	}
	post, err = p.resolve(s.Post)
	return pre, post, err
}

func (p *planner) resolve(names []string) (found []*Module, err error) {
	for _, name := range names {
		modules, err := p.context.Lookup(name)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, modules...)
	}
	return found, nil
}

func (p *planner) step(m *Module, after []int) int {
	i := len(p.plan.Steps)
	p.last[m.key()] = i
	p.plan.Steps = append(p.plan.Steps, Step{Module: m, After: after})
	return i
}

// finish fills in what is known only when the whole plan is: commands, options
// and what is required.
func (p *planner) finish(options string) {
	for i := range p.plan.Steps {
		step := &p.plan.Steps[i]
		m := step.Module
		step.Required = p.required[m.key()]
		step.Options = p.config.OptionsFor(m.Name, m.Alias)
		if m.key() == p.plan.Target.key() {
			step.Extra = options
		}
		if rule, ok := p.config.InstallCommand(m.Name); ok && !p.ignore[m.key()] {
			step.Command = rule.Text
		}
	}
}

// Params are all parameters, as the kernel gets them.
func (s *Step) Params() string {
	if s.Options == "" || s.Extra == "" {
		return s.Options + s.Extra
	}
	return s.Options + " " + s.Extra
}
