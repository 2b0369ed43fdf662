package kmod

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// depmod turns a tree of module files into its indexes:
//
//	scan     files; of several with one module name one counts (depmod.d)
//	order    modules.order first, in its order; the rest by path
//	read     each file's .modinfo and symbols, in parallel
//	link     who exports what whom needs: the graph
//	sort     a topological order; cycles are an error
//	write    text and binary indexes, each renamed into place

// A Depmod is one run over one tree.
type Depmod struct {
	Dir     string // the tree
	Release string // for depmod.d's override and external
	Config  *DepmodConfig
	// Files, if not empty, are the only modules looked at, absolute paths.
	Files []string
	// Kernel holds the kernel's own symbols, to find unknown ones with. May be nil.
	Kernel *KernelSymbols
	// Prefix is a character in front of symbols on some machines, 0 if none.
	Prefix byte
	// Warn is told of defects that do not stop the run.
	Warn func(error)
	// Verbose, if not nil, is told of each dependency and the symbol behind it.
	Verbose func(user, symbol, provider string)
	// Duplicates makes entries that occur twice in an index a warning.
	Duplicates bool

	modules []*depModule
	symbols map[string]symbolOwner
}

// A depModule is one module of the tree.
type depModule struct {
	name    string
	path    string // absolute
	relPath string // as in modules.dep
	index   int    // place in the order of all

	// From the file:
	fields  []Field
	exports []Symbol
	wants   []Symbol

	deps  []*depModule // direct
	users int          // how many have this among deps
	rank  int          // topological: users before what they use
}

// A symbolOwner is who exports a symbol; the kernel itself if module is nil.
type symbolOwner struct {
	module *depModule
	crc    uint64
}

// ErrCycle is a dependency cycle between modules.
var ErrCycle = errors.New("dependency cycle")

// Run does everything but writing.
func (d *Depmod) Run() error {
	if err := d.scan(); err != nil {
		return err
	}
	d.order()
	d.read()
	d.link()
	return d.sort()
}

// scan finds the files. The first found keeps its place when another with the
// same module name takes over.
func (d *Depmod) scan() error {
	externals := d.Config.externals(d.Release)
	byName := map[string]int{}
	priorities := []int{}
	add := func(path string) {
		rel := strings.TrimPrefix(path, d.Dir+"/")
		name := NameOfPath(path)
		priority := d.Config.priority(name, rel, d.Release, externals)
		m := &depModule{name: name, path: path, relPath: rel}
		if i, ok := byName[name]; ok {
			if priority < priorities[i] {
				d.modules[i], priorities[i] = m, priority
			}
			return
		}
		byName[name] = len(d.modules)
		d.modules, priorities = append(d.modules, m), append(priorities, priority)
	}
	if len(d.Files) > 0 {
		for _, path := range d.Files {
			add(path)
		}
		return nil
	}
	s := treeScan{exclude: d.Config.Exclude, found: add, problem: d.Warn}
	if err := s.walk(d.Dir, nil); err != nil {
		return fmt.Errorf("search modules: %w", err)
	}
	for _, dir := range externals {
		if err := s.walk(dir, nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.Warn(fmt.Errorf("search modules: %w", err))
		}
	}
	return nil
}

// UpToDate says whether no module is newer than modules.dep.
func (d *Depmod) UpToDate() (bool, error) {
	s := treeScan{exclude: d.Config.Exclude}
	for _, dir := range append([]string{d.Dir}, d.Config.externals(d.Release)...) {
		newer, err := s.newerThan(dir, d.Dir+"/modules.dep")
		if err != nil || newer {
			return false, err
		}
	}
	return true, nil
}

// order sorts by modules.order, which the kernel's build writes in link order:
// among modules for the same device the first is preferred.
func (d *Depmod) order() {
	data, err := ReadFile(d.Dir + "/modules.order")
	if err != nil {
		d.Warn(err)
	}
	place := map[string]int{}
	_ = eachLine(data, func(n int, line string) error {
		place[line] = n
		return nil
	})
	last := len(place) + 1
	for _, m := range d.modules {
		m.index = last
		// The file is about the kernel's own: no external directory's path is in it.
		if n, ok := place[uncompressedName(m.relPath)]; ok && m.relPath[0] != '/' {
			m.index = n
		}
	}
	slices.SortStableFunc(d.modules, func(a, b *depModule) int { return a.index - b.index })
	for i, m := range d.modules {
		m.index = i
	}
}

// uncompressedName cuts the packing off "x.ko.xz".
func uncompressedName(path string) string {
	if i := strings.LastIndex(path, ".ko"); i >= 0 {
		return path[:i+3]
	}
	return path
}
