// Package unitload finds the files that make units, reads them, and joins units to a graph (systemd.unit(5)).
//
// Role: the stage between a file system and the plan. Input: an fs.FS that is a system's root, and the names that are
// wanted. Output: Set, the units with everything they refer to, as plain data: a unit that is missing, masked or broken
// is in it too and says so. Nothing here starts anything; enabling and disabling (install.go) is the one part that
// writes, and only links below /etc/systemd/system.
//
// # Which files make a unit
//
// The first directory of the search path (paths.go) that has a name wins. What it has may be
//
//	a file                                          the fragment
//	a link to /dev/null, or an empty file           the unit is masked
//	a link to another name within the search path   an alias: the other name's unit has this name too
//	any other link                                  the fragment, wherever it lies (NixOS links each unit to the store)
//
// An instance without a file of its own takes its template's. Drop-ins come from NAME.d/ of all its names, of its
// template, of its dashed prefixes (a-b-.service.d for a-b-c.service) and of its type (service.d), in all directories;
// of two with one file name the more specific and earlier counts. Links in NAME.wants/, .requires/ and .upholds/ are
// dependencies by their own names.
package unitload

import (
	"errors"
	"fmt"
	"io/fs"

	"firn/init/internal/specifier"
	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// Loader reads units of one system. It keeps what it has seen of the directories: a new Loader sees them anew. It is
// not safe for use by several goroutines at once.
type Loader struct {
	fsys     fs.FS
	facts    *specifier.Facts
	defaults unit.Defaults
	index    *index
}

// New scans the search path's directories. The root must resolve absolute links within itself; see Root.
func New(fsys fs.FS, facts *specifier.Facts, defaults unit.Defaults) (*Loader, error) {
	ix, err := scan(fsys, SearchPath)
	if err != nil {
		return nil, err
	}
	return &Loader{fsys: fsys, facts: facts, defaults: defaults, index: ix}, nil
}

// Names lists all unit names that have a file or a link, templates too, sorted.
func (l *Loader) Names() []unit.Name { return l.index.sortedNames() }

// Warnings are what was wrong with the directories themselves.
func (l *Loader) Warnings() []unit.Warning { return l.index.warnings }

// Load returns the named units and, through any number of steps, all that they refer to.
func (l *Loader) Load(names ...unit.Name) *Set {
	s := newSet()
	l.LoadInto(s, names...)
	return s
}

// LoadInto adds units to a set, and joins them to those in it. Units that are there are not read again.
func (l *Loader) LoadInto(s *Set, names ...unit.Name) {
	for queue := names; len(queue) > 0; {
		name := queue[0]
		queue = queue[1:]
		if s.Get(name) != nil {
			continue
		}
		u := l.load(name)
		if known := s.Get(u.Name); known != nil { // a name that only now turned out to be one of its aliases
			s.alias(name, known)
			continue
		}
		s.add(u)
		s.byName[name] = u
		for _, d := range u.Deps {
			queue = append(queue, d.Name)
		}
		queue = append(queue, l.mountsFor(u)...)
	}
	s.join()
}

// load reads one unit with the dependencies that follow from itself alone.
func (l *Loader) load(name unit.Name) *unit.Unit {
	place := l.index.resolve(name)
	file, err := l.read(place)
	context := specifier.Context{Name: place.name, Fragment: place.fragment, Facts: l.facts}
	u := unit.Parse(place.name, file.File, &l.defaults, context.Expand)
	u.Aliases, u.Fragment, u.Dropins = place.aliases, place.fragment, file.dropins
	u.Warnings = append(u.Warnings, file.warnings...)
	if err == nil {
		err = place.err
	}
	if err != nil {
		setError(u, place, err)
	}
	if u.State == unit.Loaded {
		l.addLinks(u, place)
		addImplicit(u)
	}
	return u
}

// setError overrides what Parse has said: without a fragment, Parse saw an empty text.
func setError(u *unit.Unit, place place, err error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.State, u.Err = unit.NotFound, nil
		if t := u.Name.Type(); t == unit.SliceType && place.fragment == "" {
			u.State = unit.Loaded // slices need no file
			return
		}
		u.Err = fmt.Errorf("%s: %w", u.Name, ErrNotFound)
	case errors.Is(err, unitfile.ErrMasked):
		u.State, u.Err = unit.Masked, fmt.Errorf("%s: %w", u.Name, unitfile.ErrMasked)
	default: // unreadable, or a text that systemd refuses as a whole
		u.State, u.Err = unit.LoadError, err
	}
	if u.State == unit.Masked || u.State == unit.NotFound {
		u.Warnings, u.Notes = nil, nil
	}
}

// text is what a unit's files say.
type text struct {
	*unitfile.File
	dropins  []string
	warnings []unit.Warning
}

// read reads the fragment and appends the drop-ins. The result is never without a File.
func (l *Loader) read(p place) (text, error) {
	t := text{File: &unitfile.File{Name: p.fragment}}
	if p.err != nil && !(errors.Is(p.err, fs.ErrNotExist) && p.name.Type() == unit.SliceType) {
		return t, p.err
	}
	if p.fragment != "" {
		file, err := readFile(l.fsys, p.fragment)
		if err != nil {
			return t, err
		}
		t.File = file
	}
	for _, dropin := range l.dropins(p, ".d", ".conf") {
		file, err := readFile(l.fsys, dropin)
		if err != nil { // as systemd does: one bad drop-in does not take the unit with it
			t.warnings = append(t.warnings, warningOf(dropin, err))
			continue
		}
		t.Append(file)
		t.dropins = append(t.dropins, dropin)
	}
	return t, nil
}

func warningOf(file string, err error) unit.Warning {
	var line *unitfile.LineError
	if errors.As(err, &line) {
		return unit.Warning{File: line.Name, Line: line.Line, Text: line.Err.Error()}
	}
	return unit.Warning{File: file, Text: err.Error()}
}

func readFile(fsys fs.FS, name string) (*unitfile.File, error) { return unitfile.Read(fsys, name[1:]) }
