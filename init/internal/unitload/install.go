package unitload

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// Enabling is links: an [Install] section says which (systemd.unit(5), "[Install] Section Options"). Each plan here is
// pure: it reads, and gives the changes that Apply makes.

const (
	configDir  = "/etc/systemd/system"
	runtimeDir = "/run/systemd/system"
)

// Change is a link to make, or to remove where Target is "".
type Change struct{ Path, Target string }

func (c Change) String() string {
	if c.Target == "" {
		return "removed " + c.Path
	}
	return "created " + c.Path + " -> " + c.Target
}

var (
	// ErrNoInstance is returned for a template that is enabled without an instance, and has no DefaultInstance=.
	ErrNoInstance = errors.New("a template without DefaultInstance=: give it an instance")
	// ErrExists is returned where a file stands in the way of a link.
	ErrExists = errors.New("there is a file already")
)

// Enable plans the links that make units start with others.
func (l *Loader) Enable(names ...unit.Name) ([]Change, error) {
	p := plan{loader: l}
	err := p.each(names, func(u *unit.Unit, asked unit.Name) error { return p.enable(u, asked) })
	return p.changes, err
}

// Disable plans the removal of all links to units, those of Alias= and of other units' .wants/ and the like.
func (l *Loader) Disable(names ...unit.Name) ([]Change, error) {
	p := plan{loader: l}
	err := p.each(names, func(u *unit.Unit, asked unit.Name) error { return p.disable(u, asked) })
	return p.changes, err
}

// Mask plans links to /dev/null.
func (l *Loader) Mask(names ...unit.Name) ([]Change, error) {
	var changes []Change
	for _, n := range names {
		link := path.Join(configDir, string(n))
		target, err := fs.ReadLink(l.fsys, link[1:])
		switch {
		case err == nil && target == "/dev/null":
			continue
		case err == nil:
			return nil, fmt.Errorf("mask %s: %s: %w", n, link, ErrExists)
		}
		if _, err := fs.Stat(l.fsys, link[1:]); err == nil {
			return nil, fmt.Errorf("mask %s: %s: %w", n, link, ErrExists)
		}
		changes = append(changes, Change{link, "/dev/null"})
	}
	return changes, nil
}

// Unmask plans the removal of links to /dev/null.
func (l *Loader) Unmask(names ...unit.Name) ([]Change, error) {
	var changes []Change
	for _, n := range names {
		link := path.Join(configDir, string(n))
		if isNull(l.fsys, link) {
			changes = append(changes, Change{link, ""})
		}
	}
	return changes, nil
}

// plan gathers changes over units and those that they name in Also=.
type plan struct {
	loader  *Loader
	changes []Change
	done    map[unit.Name]bool
}

func (p *plan) each(names []unit.Name, do func(u *unit.Unit, asked unit.Name) error) error {
	p.done = map[unit.Name]bool{}
	for queue := slices.Clone(names); len(queue) > 0; {
		name := queue[0]
		queue = queue[1:]
		if p.done[name] {
			continue
		}
		p.done[name] = true
		u := p.loader.load(name)
		switch {
		case u.State == unit.Masked:
			return fmt.Errorf("%s: %w", name, unitfile.ErrMasked)
		case u.Fragment == "":
			return fmt.Errorf("%s: %w", name, ErrNotFound)
		}
		if err := do(u, name); err != nil {
			return err
		}
		queue = append(queue, u.Install.Also...)
	}
	return nil
}

func (p *plan) add(c Change) {
	if !slices.Contains(p.changes, c) {
		p.changes = append(p.changes, c)
	}
}

func (p *plan) enable(u *unit.Unit, asked unit.Name) error {
	name := u.Name
	if name.IsTemplate() && u.Install.DefaultInstance != "" {
		name = name.WithInstance(u.Install.DefaultInstance)
	}
	for _, alias := range u.Install.Aliases {
		if !canAlias(alias, u.Name) {
			return fmt.Errorf("enable %s: Alias=%s: %w", asked, alias, ErrAlias)
		}
		if err := p.link(path.Join(configDir, string(alias)), u.Fragment, asked); err != nil {
			return err
		}
	}
	for _, w := range wanted(&u.Install) {
		for _, by := range w.by {
			// A template may want to be wanted by a template, and is then its own link.
			if name.IsTemplate() && !by.IsTemplate() {
				return fmt.Errorf("enable %s: %w", asked, ErrNoInstance)
			}
			if err := p.link(path.Join(configDir, string(by)+w.suffix, string(name)), u.Fragment, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

type wants struct {
	suffix string
	by     []unit.Name
}

func wanted(i *unit.Install) []wants {
	return []wants{{".wants", i.WantedBy}, {".requires", i.RequiredBy}, {".upholds", i.UpheldBy}}
}

// link plans one link. One that leads to the same file is left; another link is replaced; a file is an error.
func (p *plan) link(link, target string, asked unit.Name) error {
	fsys := p.loader.fsys
	old, err := fs.ReadLink(fsys, link[1:])
	if err != nil {
		if _, err := fs.Lstat(fsys, link[1:]); err == nil {
			return fmt.Errorf("enable %s: %s: %w", asked, link, ErrExists)
		}
		p.add(Change{link, target})
		return nil
	}
	if !path.IsAbs(old) {
		old = path.Join(path.Dir(link), old)
	}
	a, err := resolveLinks(fsys, old)
	if err != nil {
		return fmt.Errorf("enable %s: %s: %w", asked, link, err)
	}
	if b, err := resolveLinks(fsys, target); err == nil && a == b {
		return nil
	}
	return fmt.Errorf("enable %s: %s leads to %s: %w", asked, link, old, ErrExists)
}

// disable plans the removal of the links to a unit in /etc: aliases, and links by any of its names.
func (p *plan) disable(u *unit.Unit, asked unit.Name) error {
	fsys := p.loader.fsys
	remove := func(dir, base string) {
		link := path.Join(dir, base)
		target, err := fs.ReadLink(fsys, link[1:])
		if err != nil || target == "/dev/null" {
			return
		}
		n, err := unit.ParseName(base)
		if err != nil {
			return
		}
		same := n == u.Name && dir != configDir
		instance := u.Name.IsTemplate() && n.Template() == u.Name && dir != configDir
		if same || instance || n != u.Name && path.Base(target) == path.Base(u.Fragment) && !(n.IsInstance() && u.Name.IsInstance()) {
			p.add(Change{link, ""})
		}
	}
	entries, err := fs.ReadDir(fsys, configDir[1:])
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("disable %s: %w", asked, err)
	}
	for _, e := range entries {
		dir := path.Join(configDir, e.Name())
		if !strings.HasSuffix(dir, ".wants") && !strings.HasSuffix(dir, ".requires") && !strings.HasSuffix(dir, ".upholds") {
			remove(configDir, e.Name())
			continue
		}
		inner, err := fs.ReadDir(fsys, dir[1:])
		if err != nil {
			return fmt.Errorf("disable %s: %w", asked, err)
		}
		for _, link := range inner {
			remove(dir, link.Name())
		}
	}
	return nil
}
