package kmod

import (
	"fmt"
	"strings"
)

// A Module is one answer to a lookup.
type Module struct {
	Name string
	// Alias is what the module was found by when that was not its own name: the
	// alias as asked for or, from modprobe.d, the glob as written there. Options
	// and blacklists can refer to it.
	Alias string
	// Path is the module's file; "" if it is built in, or only a name that an
	// alias or an install command gave.
	Path string

	tree *Tree
	deps []string // of modules.dep, paths in the tree
}

// Lookup returns the modules that a name stands for, in kmod's order. The first
// source that knows the name wins:
//
//  1. aliases of the configuration, all that match
//  2. a module of this name
//  3. "symbol:NAME", the modules that export it
//  4. a name with an install or remove command
//  5. the modules' own aliases, all that match
//  6. what is built into the kernel, by name, then by alias
//
// A name with a '/' in front or "./" is a file. ErrNotFound if there is nothing.
func (c *Context) Lookup(name string) ([]*Module, error) {
	if strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") {
		m, err := c.fromPath(name)
		if err != nil {
			return nil, err
		}
		return []*Module{m}, nil
	}
	alias := Normalize(name)
	for _, source := range lookupSources {
		found, err := source(c, alias)
		if err != nil || len(found) > 0 {
			return found, err
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
}

var lookupSources = []func(*Context, string) ([]*Module, error){
	(*Context).byConfigAlias,
	(*Context).byName,
	(*Context).bySymbol,
	(*Context).byCommand,
	(*Context).byAlias,
	(*Context).byBuiltin,
	(*Context).byBuiltinAlias,
}

func (c *Context) byConfigAlias(name string) (found []*Module, err error) {
	for _, r := range c.Config().Aliases {
		if Match(r.Name, name) {
			m, err := c.module(r.Text, r.Name)
			if err != nil {
				return nil, err
			}
			found = append(found, m)
		}
	}
	return found, nil
}

func (c *Context) byName(name string) ([]*Module, error) {
	m, ok, err := c.find(name)
	if err != nil || !ok {
		return nil, err
	}
	return []*Module{m}, nil
}

func (c *Context) bySymbol(name string) ([]*Module, error) {
	if !strings.HasPrefix(name, "symbol:") {
		return nil, nil
	}
	return c.byIndex(name, func(t *Tree) *Index { return &t.symbols })
}

func (c *Context) byCommand(name string) ([]*Module, error) {
	config := c.Config()
	for _, rules := range [][]Rule{config.Install, config.Remove} {
		for _, r := range rules {
			if r.Name == name {
				return []*Module{{Name: name}}, nil
			}
		}
	}
	return nil, nil
}

func (c *Context) byAlias(name string) ([]*Module, error) {
	return c.byIndex(name, func(t *Tree) *Index { return &t.alias })
}

func (c *Context) byBuiltin(name string) ([]*Module, error) {
	builtin, err := c.Builtin(name)
	if err != nil || !builtin {
		return nil, err
	}
	return []*Module{{Name: name}}, nil
}

func (c *Context) byBuiltinAlias(name string) ([]*Module, error) {
	return c.byIndex(name, func(t *Tree) *Index { return &t.builtinAlias })
}

// byIndex asks an alias index of every tree. An alias of a module that another
// tree overrides does not count: merged, the module would not be there.
func (c *Context) byIndex(name string, index func(*Tree) *Index) (found []*Module, err error) {
	for _, t := range c.trees {
		values, err := index(t).Glob(name)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			m, err := c.module(v.Text, name)
			if err != nil {
				return nil, err
			}
			if m.tree != nil && m.tree != t {
				continue
			}
			found = append(found, m)
		}
	}
	return found, nil
}

// module makes a Module for a name that an alias gave, whether it exists or not.
func (c *Context) module(name, alias string) (*Module, error) {
	m, ok, err := c.find(name)
	if err != nil {
		return nil, err
	}
	if !ok {
		m = &Module{Name: name}
	}
	m.Alias = alias
	return m, nil
}

// Named returns the module of exactly this name, a file or built in.
func (c *Context) Named(name string) (*Module, error) {
	name = Normalize(name)
	m, ok, err := c.find(name)
	if err != nil || ok {
		return m, err
	}
	builtin, err := c.Builtin(name)
	if err != nil {
		return nil, err
	}
	if !builtin {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, name)
	}
	return &Module{Name: name}, nil
}

// find looks for a module by its own name in all trees. As if depmod had seen
// them merged under its default "search updates built-in": a module below
// updates/ goes before all others; else the tree named first wins.
func (c *Context) find(name string) (best *Module, ok bool, err error) {
	bestUpdate := false
	for _, t := range c.trees {
		e, found, err := t.entry(name)
		if err != nil {
			return nil, false, err
		}
		if !found {
			continue
		}
		update := strings.HasPrefix(e.path, "updates/")
		if best == nil || update && !bestUpdate {
			best = &Module{Name: name, Path: t.file(e.path), tree: t, deps: e.deps}
			bestUpdate = update
		}
	}
	return best, best != nil, nil
}

// fromPath is the module in a file. Its dependencies are those of the module
// of that name in the trees, as far as they know it.
func (c *Context) fromPath(path string) (*Module, error) {
	fd, err := openFile(path)
	if err != nil {
		return nil, err
	}
	closeFd(fd)
	m, ok, err := c.find(NameOfPath(path))
	if err != nil {
		return nil, err
	}
	if !ok {
		m = &Module{Name: NameOfPath(path)}
	}
	m.Path = AbsPath(path)
	return m, nil
}

// Builtin says whether any tree's kernel has the module linked in.
func (c *Context) Builtin(name string) (bool, error) {
	for _, t := range c.trees {
		if builtin, err := t.Builtin(name); err != nil || builtin {
			return builtin, err
		}
	}
	return false, nil
}

// Dependencies returns all modules that m needs, each after what it needs itself.
func (c *Context) Dependencies(m *Module) ([]*Module, error) {
	if len(c.trees) > 1 {
		return c.crossDependencies(m)
	}
	deps := make([]*Module, 0, len(m.deps))
	for i := len(m.deps) - 1; i >= 0; i-- {
		deps = append(deps, &Module{Name: NameOfPath(m.deps[i]), Path: m.tree.file(m.deps[i]), tree: m.tree})
	}
	return deps, nil
}
