package kmod

import (
	"strings"
)

// A Tree is one module directory and its indexes:
//
//	modules.dep            PATH ':' {' ' PATH}       PATH as in the tree, or absolute
//	modules.dep.bin        key: module name; value: that line
//	modules.alias(.bin)    "alias" GLOB MODULE; key: GLOB, value: MODULE
//	modules.symbols(.bin)  "alias" "symbol:"SYMBOL MODULE
//	modules.builtin(.bin)  PATH of what is linked into the kernel
//	modules.builtin.alias.bin, modules.builtin.modinfo   what those say of themselves
//	modules.softdep, modules.weakdep   in modprobe.d's syntax, read with it
//	modules.devname        MODULE NODE (c|b)MAJOR:MINOR
//
// In text a line of modules.dep lists all that a module needs, itself first,
// each before what it needs in turn.
type Tree struct {
	Dir string

	dep, alias, symbols, builtin, builtinAlias Index
}

// OpenTree names a module directory. Nothing is read yet.
func OpenTree(dir string) *Tree {
	t := &Tree{Dir: dir}
	t.dep.base, t.dep.text = dir+"/modules.dep", depText
	t.alias.base, t.alias.text = dir+"/modules.alias", aliasText
	t.symbols.base, t.symbols.text = dir+"/modules.symbols", aliasText
	t.builtin.base, t.builtin.text = dir+"/modules.builtin", builtinText
	t.builtinAlias.base = dir + "/modules.builtin.alias"
	return t
}

// Close unmaps the indexes.
func (t *Tree) Close() {
	for _, x := range t.indexes() {
		x.Close()
	}
}

// Aliases is the index of the modules' own aliases.
func (t *Tree) Aliases() *Index { return &t.alias }

// Symbols is the index of exported symbols, as aliases "symbol:NAME".
func (t *Tree) Symbols() *Index { return &t.symbols }

func (t *Tree) indexes() []*Index {
	return []*Index{&t.dep, &t.alias, &t.symbols, &t.builtin, &t.builtinAlias}
}

func depText(line string, add func(key, value string)) {
	if path, _, ok := strings.Cut(line, ":"); ok {
		add(NameOfPath(path), line)
	}
}

func aliasText(line string, add func(key, value string)) {
	if f := strings.Fields(line); len(f) == 3 && f[0] == "alias" {
		add(Normalize(f[1]), Normalize(f[2]))
	}
}

func builtinText(line string, add func(key, value string)) {
	if line != "" {
		name := NameOfPath(line)
		add(name, name)
	}
}

// A depEntry is one line of modules.dep.
type depEntry struct {
	path string
	deps []string // paths, each before what it needs itself
}

// parseDepLine reads "PATH: DEP DEP...".
func parseDepLine(line string) (e depEntry, ok bool) {
	path, deps, ok := strings.Cut(line, ":")
	if !ok || path == "" {
		return depEntry{}, false
	}
	return depEntry{path: path, deps: strings.Fields(deps)}, true
}

// entry returns the module's line of modules.dep.
func (t *Tree) entry(name string) (e depEntry, found bool, err error) {
	line, found, err := t.dep.Lookup(name)
	if err != nil || !found {
		return e, false, err
	}
	e, ok := parseDepLine(line)
	return e, ok, nil
}

// file is the absolute name of a path from modules.dep.
func (t *Tree) file(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return t.Dir + "/" + path
}

// Builtin says whether the kernel image of this tree contains the module.
func (t *Tree) Builtin(name string) (bool, error) {
	_, found, err := t.builtin.Lookup(name)
	return found, err
}
