package kmod

import (
	"fmt"
	"slices"
	"strings"
)

// A Reason is one thing that would load, stop or change a module.
type Reason struct {
	Effect string // "is", "loads", "stops", "changes"
	Text   string
	Origin Origin
}

// Why lists all that bears on a module, by whatever name it is asked for.
func (c *Context) Why(name string, lists []ListEntry) ([]Reason, error) {
	modules, err := c.Lookup(name)
	if err != nil && !isNotFound(err) {
		return nil, err
	}
	if len(modules) == 0 {
		modules = []*Module{{Name: Normalize(name)}}
	}
	var reasons []Reason
	for _, m := range modules {
		w := whyWalk{context: c, module: m}
		steps := []func() error{w.whatItIs, w.lists(lists), w.configuration, w.softdeps, w.aliases, w.users}
		for _, step := range steps {
			if err := step(); err != nil {
				return nil, err
			}
		}
		reasons = append(reasons, w.reasons...)
	}
	return reasons, nil
}

type whyWalk struct {
	context *Context
	module  *Module
	reasons []Reason
}

func (w *whyWalk) add(effect string, origin Origin, format string, args ...any) {
	w.reasons = append(w.reasons, Reason{effect, fmt.Sprintf(format, args...), origin})
}

func (w *whyWalk) whatItIs() error {
	c, m := w.context, w.module
	builtin, err := c.Builtin(m.Name)
	if err != nil {
		return err
	}
	switch {
	case builtin:
		w.add("is", Origin{}, "%s is built into the kernel", m.Name)
	case m.Path != "":
		w.add("is", Origin{File: m.Path}, "%s is a module file", m.Name)
		for _, other := range c.Overridden(m) {
			w.add("is", Origin{File: other}, "overridden by %s", m.Path)
		}
	default:
		var dirs []string
		for _, t := range c.trees {
			dirs = append(dirs, t.Dir)
		}
		w.add("stops", Origin{}, "no module file %s in %s", m.Name, strings.Join(dirs, ", "))
	}
	switch state := c.State(m.Name); state {
	case Live, Coming, Going:
		w.add("is", Origin{File: "/sys/module/" + m.Name}, "%s in the kernel, held by %d modules", state, len(c.Holders(m.Name)))
	}
	return nil
}

func (w *whyWalk) lists(lists []ListEntry) func() error {
	return func() error {
		for _, e := range lists {
			modules, err := w.context.Lookup(e.Name)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if slices.ContainsFunc(modules, func(m *Module) bool { return m.Name == w.module.Name }) {
				w.add("loads", e.Origin, "listed at boot as %s", e.Name)
			}
		}
		return nil
	}
}

func (w *whyWalk) configuration() error {
	config, name := w.context.Config(), w.module.Name
	for _, r := range config.Blacklist {
		if r.Name == name {
			w.add("stops", r.Origin, "blacklist: not loaded by alias or modules-load")
		}
	}
	for _, r := range config.Aliases {
		if r.Text == name {
			w.add("loads", r.Origin, "alias %s", r.Name)
		} else if Match(r.Name, name) {
			w.add("stops", r.Origin, "alias: the name stands for %s", r.Text)
		}
	}
	if r, ok := config.InstallCommand(name); ok {
		w.add("stops", r.Origin, "install command instead: %s", r.Text)
	}
	if r, ok := config.RemoveCommand(name); ok {
		w.add("changes", r.Origin, "remove command: %s", r.Text)
	}
	for _, r := range config.Options {
		if r.Name == name || w.module.Alias != "" && r.Name == w.module.Alias {
			w.add("changes", r.Origin, "options: %s", r.Text)
		}
	}
	return nil
}

// softdeps shows the module's own and those that name it, by any alias.
func (w *whyWalk) softdeps() error {
	config, name := w.context.Config(), w.module.Name
	if s, ok := config.SoftdepOf(name); ok {
		w.add("changes", s.Origin, "softdep: pre %v post %v", s.Pre, s.Post)
	}
	for _, s := range config.Softdeps {
		for _, soft := range slices.Concat(s.Pre, s.Post) {
			modules, err := w.context.Lookup(soft)
			if isNotFound(err) {
				continue
			}
			if err != nil {
				return err
			}
			if slices.ContainsFunc(modules, func(m *Module) bool { return m.Name == name }) {
				w.add("loads", s.Origin, "softdep of %s", s.Name)
			}
		}
	}
	return nil
}

func (w *whyWalk) aliases() error {
	for _, t := range w.context.trees {
		err := t.alias.Walk(func(key string, v Value) bool {
			if v.Text == w.module.Name && (w.module.tree == nil || w.module.tree == t) {
				w.add("loads", Origin{File: t.alias.base}, "alias %s", key)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// users are the modules that need it.
func (w *whyWalk) users() error {
	for _, t := range w.context.trees {
		err := t.dep.Walk(func(key string, v Value) bool {
			e, ok := parseDepLine(v.Text)
			if ok && slices.ContainsFunc(e.deps, func(path string) bool { return NameOfPath(path) == w.module.Name }) {
				w.add("loads", Origin{File: t.dep.base}, "needed by %s", key)
			}
			return true
		})
		if err != nil {
			return err
		}
	}
	return nil
}
