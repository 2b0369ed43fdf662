package unitload

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
)

// FileState is what systemctl is-enabled says of a unit.
type FileState uint8

// States of unit files (systemctl(1), "is-enabled").
const (
	FileBad FileState = iota
	FileEnabled
	FileEnabledRuntime
	FileLinked
	FileLinkedRuntime
	FileAlias
	FileMasked
	FileMaskedRuntime
	FileStatic
	FileIndirect
	FileDisabled
	FileGenerated
	FileTransient
)

func (s FileState) String() string {
	return [...]string{"bad", "enabled", "enabled-runtime", "linked", "linked-runtime", "alias", "masked", "masked-runtime", "static",
		"indirect", "disabled", "generated", "transient"}[s]
}

// FileState tells how a unit stands, by any of its names.
func (l *Loader) FileState(name unit.Name) FileState {
	e, _, ok := l.index.lookup(name)
	if !ok {
		return FileBad
	}
	masked, err := isMask(l.fsys, e.path)
	runtime := strings.HasPrefix(e.path, "/run/")
	switch {
	case err != nil:
		return FileBad
	case masked && runtime:
		return FileMaskedRuntime
	case masked:
		return FileMasked
	case e.alias != "" && !(name.IsInstance() && e.alias == name.Template()):
		return FileAlias
	case strings.HasPrefix(e.path, "/run/systemd/generator"):
		return FileGenerated
	case strings.HasPrefix(e.path, "/run/systemd/transient/"):
		return FileTransient
	}
	u := l.load(name)
	if u.State == unit.LoadError {
		return FileBad
	}
	if state, ok := l.linkedState(u); ok {
		return state
	}
	switch {
	case e.link && e.alias == "" && !l.within(e.path) && runtime:
		return FileLinkedRuntime
	case e.link && e.alias == "" && !l.within(e.path):
		return FileLinked
	case len(u.Aliases) > 0 && l.hasLinkIn(configDir, u.Aliases):
		return FileIndirect
	case hasRules(&u.Install):
		return FileDisabled
	case len(u.Install.Also) > 0:
		return FileIndirect
	}
	return FileStatic
}

func hasRules(i *unit.Install) bool {
	return len(i.Aliases)+len(i.WantedBy)+len(i.RequiredBy)+len(i.UpheldBy) > 0
}

// within tells whether a link stays in the search path.
func (l *Loader) within(p string) bool {
	resolved, err := resolveLinks(l.fsys, p)
	return err == nil && slices.Contains(l.index.resolved, path.Dir(resolved))
}

func (l *Loader) hasLinkIn(dir string, names []unit.Name) bool {
	return slices.ContainsFunc(names, func(n unit.Name) bool {
		return l.index.entries[n].alias != "" && path.Dir(l.index.entries[n].path) == dir
	})
}

// linkedState looks for the links that enabling makes.
func (l *Loader) linkedState(u *unit.Unit) (FileState, bool) {
	names := []unit.Name{u.Name}
	if u.Name.IsTemplate() && u.Install.DefaultInstance != "" {
		names = append(names, u.Name.WithInstance(u.Install.DefaultInstance))
	}
	found := FileBad
	for _, n := range u.Install.Aliases {
		if e, ok := l.index.entries[n]; ok && e.alias == u.Name {
			found = better(found, stateOf(path.Dir(e.path)))
		}
	}
	for base, dirs := range l.index.extra {
		if strings.HasSuffix(base, ".d") {
			continue
		}
		for _, dir := range dirs {
			for _, n := range names {
				if target, err := fs.ReadLink(l.fsys, path.Join(dir, string(n))[1:]); err == nil && target != "/dev/null" {
					found = better(found, stateOf(path.Dir(dir)))
				}
			}
		}
	}
	return found, found != FileBad
}

// stateOf: links that a package itself brings do not count.
func stateOf(dir string) FileState {
	switch dir {
	case configDir:
		return FileEnabled
	case runtimeDir:
		return FileEnabledRuntime
	}
	return FileBad
}

func better(a, b FileState) FileState {
	if a == FileEnabled || b == FileBad {
		return a
	}
	return b
}
