package unitload

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// index is what the directories of the search path hold, each looked at once.
type index struct {
	fsys     fs.FS
	dirs     []string // those that exist, highest precedence first, one name for each
	resolved []string // where they are
	entries  map[unit.Name]entry
	aliases  map[unit.Name][]unit.Name // by the name that is meant
	// extra has the directories that belong to a name by their base names, such as "ssh.service.d", in order.
	extra    map[string][]string
	places   map[string]string // while scanning: where directories are that links name
	warnings []unit.Warning
}

// entry is what the first directory that has a name holds for it.
type entry struct {
	path  string
	alias unit.Name // "": the file at path is the fragment
	link  bool
}

var extraSuffixes = []string{".d", ".wants", ".requires", ".upholds"}

func scan(fsys fs.FS, searchPath []string) (*index, error) {
	ix := &index{fsys: fsys, entries: map[unit.Name]entry{}, aliases: map[unit.Name][]unit.Name{}, extra: map[string][]string{},
		places: map[string]string{}}
	listings := make([][]fs.DirEntry, 0, len(searchPath))
	for _, dir := range searchPath {
		resolved, err := resolveLinks(fsys, dir)
		if err != nil {
			ix.warn(dir, err)
			continue
		}
		if slices.Contains(ix.resolved, resolved) { // /lib is /usr/lib on most systems
			continue
		}
		list, err := fs.ReadDir(fsys, resolved[1:])
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				ix.warn(dir, bare(err))
			}
			continue
		}
		ix.dirs, ix.resolved, listings = append(ix.dirs, dir), append(ix.resolved, resolved), append(listings, list)
	}
	if len(ix.dirs) == 0 {
		return ix, nil
	}
	for i, list := range listings {
		for _, e := range list {
			ix.entry(ix.dirs[i], e)
		}
	}
	ix.places = nil
	for name, e := range ix.entries {
		if e.alias != "" {
			ix.aliases[e.alias] = append(ix.aliases[e.alias], name)
		}
	}
	for _, list := range ix.aliases {
		slices.Sort(list)
	}
	return ix, nil
}

func (ix *index) warn(file string, err error) {
	ix.warnings = append(ix.warnings, unit.Warning{File: file, Text: err.Error()})
}

func (ix *index) entry(dir string, e fs.DirEntry) {
	base := e.Name()
	for _, suffix := range extraSuffixes {
		if strings.HasSuffix(base, suffix) {
			ix.extra[base] = append(ix.extra[base], path.Join(dir, base))
			return
		}
	}
	name, err := unit.ParseName(base)
	if err != nil {
		return // README, .#backup~ and the like
	}
	if _, taken := ix.entries[name]; taken {
		return
	}
	p := path.Join(dir, base)
	found := entry{path: p, link: e.Type()&fs.ModeSymlink != 0}
	if found.link {
		var ok bool
		if found.alias, ok = ix.aliasOf(name, p); !ok {
			return
		}
	}
	ix.entries[name] = found
}

// aliasOf tells which other name a link means, if any; false: the link counts for nothing.
func (ix *index) aliasOf(name unit.Name, p string) (unit.Name, bool) {
	target, err := fs.ReadLink(ix.fsys, p[1:])
	if err != nil {
		ix.warn(p, bare(err))
		return "", false
	}
	if !strings.HasPrefix(target, "/") {
		target = path.Join(path.Dir(p), target)
	}
	dir, known := ix.places[path.Dir(target)]
	if !known {
		if dir, err = resolveLinks(ix.fsys, path.Dir(target)); err != nil {
			ix.warn(p, err)
			return "", false
		}
		ix.places[path.Dir(target)] = dir
	}
	other, err := unit.ParseName(path.Base(target))
	if err != nil || other == name || !slices.Contains(ix.resolved, dir) {
		return "", true // a link to a file: the fragment, wherever it is
	}
	if !canAlias(name, other) {
		ix.warn(p, fmt.Errorf("link to %s: %w", other, ErrAlias))
		return "", false
	}
	return other, true
}

// canAlias tells whether a name may stand for another (systemd.unit(5), "aliases").
func canAlias(name, other unit.Name) bool {
	switch {
	case name.Type() != other.Type():
		return false
	case name.IsTemplate() != other.IsTemplate():
		return name.IsInstance() && other.IsTemplate()
	}
	return true
}

func (ix *index) sortedNames() []unit.Name { return slices.Sorted(maps.Keys(ix.entries)) }

// place is where a unit's text is.
type place struct {
	name     unit.Name   // the unit's own: that of its fragment
	aliases  []unit.Name // its other names, sorted
	fragment string      // absolute, "": none
	err      error       // fs.ErrNotExist, unitfile.ErrMasked, or what is wrong with the links
}

// resolve follows aliases and templates to a fragment.
func (ix *index) resolve(name unit.Name) place {
	p := place{name: name}
	for hops := 0; ; hops++ {
		if hops > maxLinks {
			return place{name: name, err: fmt.Errorf("%s: %w", name, ErrLoop)}
		}
		e, key, ok := ix.lookup(p.name)
		if !ok {
			p.err = fs.ErrNotExist
			p.aliases = ix.namesOf(p.name, name)
			return p
		}
		if e.alias != "" {
			next := e.alias
			if next.IsTemplate() {
				next = next.WithInstance(p.name.Instance())
			}
			if next != p.name {
				p.name = next
				continue
			}
			// An instance that is linked to its own template.
			key = e.alias
			if e, ok = ix.entries[key]; !ok {
				p.err = fs.ErrNotExist
				return p
			}
		}
		p.fragment = e.path
		p.aliases = ix.namesOf(p.name, name)
		if key == p.name {
			// A file for this instance alone: the template's aliases lead to it, and are its names once asked for.
			p.aliases = slices.DeleteFunc(p.aliases, func(n unit.Name) bool { return n != name && ix.entries[n].alias == "" })
		}
		p.err = ix.check(e)
		return p
	}
}

// lookup finds what stands for a name, or else for its template.
func (ix *index) lookup(name unit.Name) (entry, unit.Name, bool) {
	if e, ok := ix.entries[name]; ok {
		return e, name, true
	}
	template := name.Template()
	e, ok := ix.entries[template]
	return e, template, ok && template != ""
}

// check tells whether a fragment can be read at all.
func (ix *index) check(e entry) error {
	masked, err := isMask(ix.fsys, e.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fs.ErrNotExist // a dangling link
	case err != nil:
		return fmt.Errorf("%s: %w", e.path, err)
	case masked:
		return unitfile.ErrMasked
	}
	return nil
}

// namesOf gathers the aliases of a name, direct or through other aliases or its template, and the name asked for.
func (ix *index) namesOf(name, asked unit.Name) []unit.Name {
	found := []unit.Name{}
	queue := []unit.Name{name}
	if asked != name {
		found = append(found, asked)
	}
	for len(queue) > 0 && len(found) < maxAliases {
		n := queue[0]
		queue = queue[1:]
		list := ix.aliases[n]
		if template := n.Template(); template != "" {
			for _, alias := range ix.aliases[template] {
				list = append(slices.Clip(list), alias.WithInstance(n.Instance()))
			}
		}
		for _, alias := range list {
			if alias != name && !slices.Contains(found, alias) && !(alias.IsInstance() && alias.Template() == n.Template() && alias.Instance() != n.Instance()) {
				found = append(found, alias)
				queue = append(queue, alias)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

const maxAliases = 1000
