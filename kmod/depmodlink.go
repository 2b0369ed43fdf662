package kmod

import (
	"fmt"
	"slices"
	"strings"
)

// link finds for each wanted symbol the module that exports it. If several export
// one name the last module in order counts.
func (d *Depmod) link() {
	d.symbols = map[string]symbolOwner{}
	if d.Kernel != nil {
		for name, crc := range d.Kernel.symbols {
			d.symbols[name] = symbolOwner{crc: crc}
		}
	}
	for _, m := range d.modules {
		for _, s := range m.exports {
			d.symbols[d.bare(s.Name)] = symbolOwner{m, s.CRC}
		}
	}
	for _, m := range d.modules {
		d.linkModule(m)
	}
}

// bare drops the machine's prefix character.
func (d *Depmod) bare(symbol string) string {
	if d.Prefix != 0 && symbol != "" && symbol[0] == d.Prefix {
		return symbol[1:]
	}
	return symbol
}

func (d *Depmod) linkModule(m *depModule) {
	for _, want := range m.wants {
		name := d.bare(want.Name)
		owner, ok := d.symbols[name]
		if !ok {
			if d.Kernel != nil && want.Bind != 'w' {
				d.Warn(fmt.Errorf("%s needs unknown symbol %s", m.path, name))
			}
			continue
		}
		if d.Kernel != nil && d.Kernel.versions && want.CRC != 0 && owner.crc != want.CRC {
			d.Warn(fmt.Errorf("%s disagrees about version of symbol %s", m.path, name))
		}
		if owner.module == nil {
			continue
		}
		if d.Verbose != nil {
			d.Verbose(m.path, name, owner.module.path)
		}
		if !slices.Contains(m.deps, owner.module) {
			m.deps = append(m.deps, owner.module)
			owner.module.users++
		}
	}
	m.wants = nil
}

// sort ranks the modules so that each comes before what it uses. From the
// modules that nobody uses it takes the last found first, and goes on with what
// they alone used: of the many valid orders this is the one that kmod writes.
func (d *Depmod) sort() error {
	users := make([]int, len(d.modules))
	var ready []*depModule
	for i, m := range d.modules {
		if users[i] = m.users; m.users == 0 {
			ready = append(ready, m)
		}
	}
	sorted := 0
	for ; len(ready) > 0; sorted++ {
		m := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		m.rank = sorted
		for _, dep := range m.deps {
			if users[dep.index]--; users[dep.index] == 0 {
				ready = append(ready, dep)
			}
		}
	}
	if sorted < len(d.modules) {
		return d.cycleError(users)
	}
	return nil
}

// cycleError names each cycle among the modules that could not be ranked.
func (d *Depmod) cycleError(users []int) error {
	const fresh, open, closed = 0, 1, 2
	state := make([]int, len(d.modules))
	var cycles []string
	for _, start := range d.modules {
		if users[start.index] == 0 || state[start.index] != fresh {
			continue
		}
		// Depth first without recursion: a chain can be as long as the tree is large.
		path := []*depModule{start}
		next := map[*depModule]int{}
		for len(path) > 0 {
			m := path[len(path)-1]
			state[m.index] = open
			if next[m] == len(m.deps) {
				state[m.index] = closed
				path = path[:len(path)-1]
				continue
			}
			dep := m.deps[next[m]]
			next[m]++
			switch {
			case users[dep.index] == 0:
			case state[dep.index] == fresh:
				path = append(path, dep)
			case state[dep.index] == open:
				var names []string
				for _, on := range path[slices.Index(path, dep):] {
					names = append(names, on.name)
				}
				cycles = append(cycles, strings.Join(append(names, dep.name), " -> "))
			}
		}
	}
	return fmt.Errorf("%w: %s", ErrCycle, strings.Join(cycles, "; "))
}

// allDeps returns everything that m needs, each before what it needs itself.
func (m *depModule) allDeps(seen []int, mark int, out []*depModule) []*depModule {
	stack := append([]*depModule(nil), m.deps...)
	for len(stack) > 0 {
		dep := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if seen[dep.index] == mark {
			continue
		}
		seen[dep.index] = mark
		out = append(out, dep)
		stack = append(stack, dep.deps...)
	}
	slices.SortFunc(out, func(a, b *depModule) int { return a.rank - b.rank })
	return out
}
