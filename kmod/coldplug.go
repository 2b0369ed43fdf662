package kmod

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// A Plug is one module that devices ask for.
type Plug struct {
	Aliases []string // what the devices say
	Module  *Module
	Err     error // why it could not be loaded; ErrBlacklisted too
	Loaded  bool  // it was in the kernel before
}

// maxRounds bounds coldplug: a bus driver brings devices that ask for more, on
// real machines three or four levels deep.
const maxRounds = 16

// Coldplug loads what the devices under /sys ask for, independent modules in
// parallel, again and again until no new device asks for anything. The order is
// that of the aliases within each round. In a dry run there is one round.
func (l *Loader) Coldplug(ctx context.Context) ([]Plug, error) {
	c := coldplug{loader: l, asked: map[string]bool{}, known: map[string]int{}}
	for range maxRounds {
		news, err := c.round(ctx)
		if err != nil {
			return c.plugs, err
		}
		if !news || l.DryRun || ctx.Err() != nil {
			break
		}
	}
	return c.plugs, ctx.Err()
}

type coldplug struct {
	loader *Loader
	plugs  []Plug
	asked  map[string]bool // aliases
	known  map[string]int  // module -> plug
	plans  []*Plan         // of this round
	owner  []int           // plan -> plug
}

// round looks at the devices once and reports whether any asked for another module.
func (c *coldplug) round(ctx context.Context) (news bool, err error) {
	aliases, err := c.loader.Context.Modaliases()
	if err != nil {
		return false, err
	}
	before := len(c.plugs)
	c.plans, c.owner = nil, nil
	for _, alias := range aliases {
		if c.asked[alias] {
			continue
		}
		c.asked[alias] = true
		modules, err := c.loader.Context.Lookup(alias)
		if isNotFound(err) {
			continue
		}
		if err != nil {
			return false, err
		}
		for _, m := range modules {
			c.ask(alias, m)
		}
	}
	for i, err := range c.loader.Load(ctx, c.plans) {
		if !errors.Is(err, ErrAlreadyLoaded) {
			c.plugs[c.owner[i]].Err = err
		}
	}
	return len(c.plugs) > before, nil
}

// ask notes that an alias wants a module.
func (c *coldplug) ask(alias string, m *Module) {
	if i, ok := c.known[m.Name]; ok {
		c.plugs[i].Aliases = append(c.plugs[i].Aliases, alias)
		return
	}
	c.known[m.Name] = len(c.plugs)
	p := Plug{Aliases: []string{alias}, Module: m}
	plan, err := c.loader.planPlug(&p)
	if err != nil {
		p.Err = err
	} else if plan != nil {
		c.plans, c.owner = append(c.plans, plan), append(c.owner, len(c.plugs))
	}
	c.plugs = append(c.plugs, p)
}

// planPlug returns nil without an error if the module is there already.
func (l *Loader) planPlug(p *Plug) (*Plan, error) {
	if rule, ok := l.Context.Config().Blacklisted(p.Module.Name); ok {
		return nil, &BlacklistError{rule}
	}
	switch l.Context.State(p.Module.Name) {
	case Live, BuiltinState:
		p.Loaded = true
		return nil, nil
	}
	return l.Context.Plan(p.Module, PlanFlags{})
}

// A BlacklistError names the rule that forbids a module.
type BlacklistError struct{ Rule Rule }

func (e *BlacklistError) Error() string { return "blacklisted by " + e.Rule.Origin.String() }
func (e *BlacklistError) Unwrap() error { return ErrBlacklisted }

// Modaliases returns what the devices under /sys call themselves, sorted, each
// once: those on buses, the processor and the board.
func (c *Context) Modaliases() ([]string, error) {
	root := c.opts.Root
	files := []string{"/sys/devices/system/cpu/modalias", "/sys/class/dmi/id/modalias"}
	buses, err := listIn(root, "/sys/bus")
	if err != nil {
		return nil, err
	}
	for _, bus := range buses {
		devices, err := listIn(root, "/sys/bus/"+bus+"/devices")
		if err != nil {
			continue
		}
		for _, device := range devices {
			files = append(files, "/sys/bus/"+bus+"/devices/"+device+"/modalias")
		}
	}
	var aliases []string
	for _, file := range files {
		// A device without the file, or gone meanwhile, asks for nothing.
		data, err := readIn(root, file)
		if err != nil {
			continue
		}
		if alias := strings.TrimSpace(string(data)); alias != "" {
			aliases = append(aliases, alias)
		}
	}
	slices.Sort(aliases)
	return slices.Compact(aliases), nil
}
