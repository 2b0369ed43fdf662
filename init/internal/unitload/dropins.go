package unitload

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
)

// dropins gives the files of a unit's directories with a suffix: its own, its template's, those of its dashed prefixes,
// and at last its type's. They come in the order of their base names; the first of each name counts, and one that is a
// mask hides the others.
func (l *Loader) dropins(p place, dirSuffix, fileSuffix string) []string {
	chosen := map[string]string{}
	for _, dir := range l.index.dirsFor(p, dirSuffix) {
		entries, err := fs.ReadDir(l.fsys, dir[1:])
		if err != nil {
			l.index.warn(dir, bare(err))
			continue
		}
		for _, e := range entries {
			base := e.Name()
			if _, taken := chosen[base]; taken || base[0] == '.' || e.IsDir() || !strings.HasSuffix(base, fileSuffix) {
				continue
			}
			chosen[base] = path.Join(dir, base)
		}
	}
	var list []string
	for _, base := range slices.Sorted(maps.Keys(chosen)) {
		if dirSuffix != ".d" {
			if isNull(l.fsys, chosen[base]) {
				continue
			}
		} else if masked, err := isMask(l.fsys, chosen[base]); err != nil || masked {
			continue // hidden, or a link that leads nowhere
		}
		list = append(list, chosen[base])
	}
	return list
}

// isNull tells whether a file is a link to /dev/null. Links to units are not followed to their end: that a unit is
// masked does not undo a dependency on it.
func isNull(fsys fs.FS, p string) bool {
	target, err := fs.ReadLink(fsys, p[1:])
	return err == nil && target == "/dev/null"
}

// dirsFor lists the directories that belong to a unit, highest precedence first.
func (ix *index) dirsFor(p place, suffix string) []string {
	var names []string
	for _, n := range append([]unit.Name{p.name}, p.aliases...) {
		names = appendNames(names, n)
	}
	var list []string
	for _, dir := range ix.dirs { // an earlier directory beats a more specific name, says systemd's code and no manual
		for _, name := range names {
			if slices.Contains(ix.extra[name+suffix], path.Join(dir, name+suffix)) {
				list = append(list, path.Join(dir, name+suffix))
			}
		}
	}
	return append(list, ix.extra[p.name.Type().String()+suffix]...)
}

// appendNames adds a name, its template, and the prefixes of both up to each dash.
func appendNames(list []string, n unit.Name) []string {
	list = append(list, string(n))
	if template := n.Template(); template != "" {
		list = append(list, string(template))
	}
	suffix := "." + n.Type().String()
	prefix := n.Prefix()
	if strings.Contains(n.Stem(), "@") {
		suffix = "@" + suffix
	}
	prefix = strings.TrimRight(prefix, "-")
	for {
		i := strings.LastIndexByte(prefix, '-')
		if i <= 0 {
			return list
		}
		list = append(list, prefix[:i+1]+suffix)
		prefix = strings.TrimRight(prefix[:i], "-")
	}
}

// addLinks adds the dependencies that links in .wants/ and the like make.
func (l *Loader) addLinks(u *unit.Unit, p place) {
	for _, kind := range []struct {
		suffix string
		kind   unit.DepKind
	}{{".wants", unit.Wants}, {".requires", unit.Requires}, {".upholds", unit.Upholds}} {
		for _, file := range l.dropins(p, kind.suffix, "") {
			name, err := unit.ParseName(path.Base(file))
			if err != nil {
				u.Warnings = append(u.Warnings, unit.Warning{File: file, Text: fmt.Sprintf("%v: no dependency", err)})
				continue
			}
			if name = name.For(u.Name); name != u.Name {
				u.Deps.Add(kind.kind, unit.FromFile, name)
			}
		}
	}
}
