package devnodes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Plan merges several sets into one: a name stands once, where and as the first
// set has it. Two sets that mean different devices by one name are a conflict,
// reported as ErrConflict beside the plan. Nodes that cannot be made are left
// out and reported.
func Plan(sets ...[]Node) ([]Node, error) {
	var plan []Node
	var errs []error
	seen := map[string]int{}
	for _, nodes := range sets {
		for _, n := range nodes {
			if err := n.check(); err != nil {
				errs = append(errs, err)
				continue
			}
			if i, ok := seen[n.Name]; ok {
				if first := plan[i]; !first.same(n) {
					errs = append(errs, fmt.Errorf("node %q: %s instead of %s: %w",
						n.Name, n.describe(), first.describe(), ErrConflict))
				}
				continue
			}
			seen[n.Name] = len(plan)
			plan = append(plan, n)
		}
	}
	return plan, errors.Join(errs...)
}

// describe says in an error what the node is and whose.
func (n Node) describe() string {
	what := n.Type.String() + n.Number()
	switch n.Type {
	case Link:
		what = "link to " + n.Target
	case Directory:
		what = "directory"
	}
	if n.Module != "" {
		what += " of module " + n.Module
	}
	return what
}

// Static reads the modules.devname files of all module trees, the first
// tree's meaning of a name winning, and gives the nodes udev's modes and groups.
// A file that does not exist is a tree without static nodes. What is wrong in a
// file is reported beside the nodes of the rest.
func Static(files ...string) ([]Node, error) {
	var sets [][]Node
	var errs []error
	for _, file := range files {
		nodes, err := readFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		sets = append(sets, nodes)
	}
	plan, err := Plan(sets...)
	return Defaults(plan), errors.Join(append(errs, err)...)
}

func readFile(file string) ([]Node, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err // "open FILE: ..." already
	}
	defer f.Close()
	return ReadModulesDevname(f, file)
}
