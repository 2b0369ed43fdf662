package kmod

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// A Closure is all that some modules need to be loadable where only its files are
// there, as in an initrd.
type Closure struct {
	// Modules, each after what it needs.
	Modules []*Module
	// Builtin are those that need no file.
	Builtin []string
	// Firmware is what the modules may ask for.
	Firmware []Firmware
	// Conflicts are files of the same name in trees that lost, see Overridden.
	Conflicts []Conflict
}

// Firmware is one file that a module names with MODULE_FIRMWARE.
type Firmware struct {
	Name   string
	Path   string // "" if it is nowhere: kernels name more than anybody installs
	Module string
}

// A Conflict is a module that several trees have.
type Conflict struct {
	Name   string
	Used   string
	Others []string
}

// ClosureOptions say what belongs to a closure.
type ClosureOptions struct {
	Firmware bool
	// FirmwareDirs are searched in order; empty: FirmwareDirs below Root.
	FirmwareDirs []string
}

// FirmwareDirs are where the kernel looks (Documentation/driver-api/firmware/
// fw_search_path.rst), RELEASE to be filled in.
var FirmwareDirs = []string{"/lib/firmware/updates/RELEASE", "/lib/firmware/updates", "/lib/firmware/RELEASE", "/lib/firmware"}

// Closure collects dependencies, softdeps (before and after) and weakdeps of what
// the names stand for. A name that nothing has is an error that says so; all of
// them are joined.
func (c *Context) Closure(names []string, o ClosureOptions) (*Closure, error) {
	w := closureWalk{context: c, done: map[string]bool{}, closure: &Closure{}}
	var errs []error
	for _, name := range names {
		if err := w.name(name, 0); err != nil {
			errs = append(errs, err)
		}
	}
	if o.Firmware && len(errs) == 0 {
		errs = append(errs, c.addFirmware(w.closure, o.FirmwareDirs))
	}
	return w.closure, errors.Join(errs...)
}

type closureWalk struct {
	context *Context
	done    map[string]bool
	closure *Closure
}

func (w *closureWalk) name(name string, depth int) error {
	modules, err := w.context.Lookup(name)
	if err != nil {
		return err
	}
	for _, m := range modules {
		if err := w.module(m, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *closureWalk) module(m *Module, depth int) error {
	if w.done[m.Name] {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("%w: softdeps of %s are nested too deep", ErrCorrupt, m.Name)
	}
	w.done[m.Name] = true
	if own, ok, err := w.context.find(m.Name); err != nil {
		return err
	} else if ok && m.deps == nil {
		m = own
	}
	deps, err := w.context.Dependencies(m)
	if err != nil {
		return err
	}
	for _, dep := range deps {
		if err := w.module(dep, depth+1); err != nil {
			return err
		}
	}
	// Soft and weak ones may be missing: that is what they are for.
	config := w.context.Config()
	s, _ := config.SoftdepOf(m.Name)
	weak, _ := config.WeakdepOf(m.Name)
	for _, name := range slices.Concat(s.Pre, weak.Modules) {
		if err := w.name(name, depth+1); err != nil && !isNotFound(err) {
			return err
		}
	}
	if err := w.add(m); err != nil {
		return err
	}
	for _, name := range s.Post {
		if err := w.name(name, depth+1); err != nil && !isNotFound(err) {
			return err
		}
	}
	return nil
}

func (w *closureWalk) add(m *Module) error {
	if m.Path != "" {
		w.closure.Modules = append(w.closure.Modules, m)
		if others := w.context.Overridden(m); len(others) > 0 {
			w.closure.Conflicts = append(w.closure.Conflicts, Conflict{m.Name, m.Path, others})
		}
		return nil
	}
	builtin, err := w.context.Builtin(m.Name)
	if err != nil {
		return err
	}
	if builtin {
		w.closure.Builtin = append(w.closure.Builtin, m.Name)
		return nil
	}
	if _, ok := w.context.Config().InstallCommand(m.Name); ok {
		return nil // a name for a command
	}
	return fmt.Errorf("%w: %s", ErrNotFound, m.Name)
}

// Overridden returns the files that other trees have for a module.
func (c *Context) Overridden(m *Module) (others []string) {
	if len(c.trees) < 2 {
		return nil
	}
	for _, t := range c.trees {
		if e, found, err := t.entry(m.Name); err == nil && found {
			if path := t.file(e.path); path != m.Path {
				others = append(others, path)
			}
		}
	}
	return others
}

// addFirmware finds the firmware files of all modules.
func (c *Context) addFirmware(closure *Closure, dirs []string) error {
	if len(dirs) == 0 {
		for _, dir := range FirmwareDirs {
			dirs = append(dirs, strings.TrimSuffix(c.opts.Root, "/")+strings.ReplaceAll(dir, "RELEASE", c.release()))
		}
	}
	seen := map[string]bool{}
	for _, m := range closure.Modules {
		info, err := ReadModinfo(m.Path)
		if err != nil {
			return fmt.Errorf("read firmware of %s: %w", m.Name, err)
		}
		for _, f := range info.Fields {
			if f.Key == "firmware" && !seen[f.Value] {
				seen[f.Value] = true
				closure.Firmware = append(closure.Firmware, Firmware{f.Value, findFirmware(dirs, f.Value), m.Name})
			}
		}
	}
	return nil
}

// findFirmware looks for a file, plain or packed (CONFIG_FW_LOADER_COMPRESS).
func findFirmware(dirs []string, name string) string {
	if !fs.ValidPath(name) {
		return "" // no name may lead out of the directory
	}
	for _, dir := range dirs {
		for _, suffix := range []string{"", ".zst", ".xz"} {
			if path := dir + "/" + name + suffix; IsRegular(path) {
				return path
			}
		}
	}
	return ""
}

// release is the kernel's, as the first tree is named.
func (c *Context) release() string {
	if c.opts.Release != "" {
		return c.opts.Release
	}
	dir := c.trees[0].Dir
	return dir[strings.LastIndexByte(dir, '/')+1:]
}
