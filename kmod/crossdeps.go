package kmod

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// crossDependencies is Dependencies over several trees. A tree's modules.dep
// knows nothing of the others, so each module's own "depends=" field, which the
// kernel's build writes, is asked too, and every name is resolved over all
// trees: an override takes its own dependencies along.
func (c *Context) crossDependencies(m *Module) ([]*Module, error) {
	w := crossWalk{context: c, done: map[string]bool{m.Name: true}}
	if err := w.needs(m, 0); err != nil {
		return nil, err
	}
	return w.order, nil
}

type crossWalk struct {
	context *Context
	done    map[string]bool
	order   []*Module
}

// maxDepth is far above any real chain (about 10); it ends a malicious one.
const maxDepth = 1000

func (w *crossWalk) needs(m *Module, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: dependencies of %s are nested too deep", ErrCorrupt, m.Name)
	}
	names, err := directDepends(m)
	if err != nil {
		return err
	}
	for i := len(m.deps) - 1; i >= 0; i-- {
		names = append(names, NameOfPath(m.deps[i]))
	}
	for _, name := range names {
		if w.done[name] {
			continue
		}
		w.done[name] = true
		dep, ok, err := w.context.find(name)
		if err != nil {
			return err
		}
		if !ok {
			builtin, err := w.context.Builtin(name)
			if err != nil {
				return err
			}
			if builtin {
				continue
			}
			return fmt.Errorf("%s needs %s: %w in any tree", m.Name, name, ErrNotFound)
		}
		if err := w.needs(dep, depth+1); err != nil {
			return err
		}
		w.order = append(w.order, dep)
	}
	return nil
}

// directDepends reads "depends=" out of the module's file.
func directDepends(m *Module) ([]string, error) {
	if m.Path == "" {
		return nil, nil
	}
	info, err := ReadModinfo(m.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // the tree was indexed elsewhere, as an initrd's is
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range strings.Split(info.Value("depends"), ",") {
		if name != "" {
			names = append(names, Normalize(name))
		}
	}
	return names, nil
}
