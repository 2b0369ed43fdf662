package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/tests/require"
)

// dependencies is modules.dep: the path of each module with the paths of what it
// needs, all of it, the deepest last.
type dependencies struct {
	paths map[string]string   // name to path
	needs map[string][]string // path to paths
	built map[string]bool     // names in the kernel
}

func readDependencies(dir string) (dependencies, error) {
	d := dependencies{map[string]string{}, map[string][]string{}, map[string]bool{}}
	text, err := os.ReadFile(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(text)) {
		module, needs, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			return d, fmt.Errorf("modules.dep: line without a colon: %q", line)
		}
		d.paths[moduleName(module)] = module
		d.needs[module] = strings.Fields(needs)
	}
	text, err = os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil {
		return d, err
	}
	for line := range strings.Lines(string(text)) {
		d.built[moduleName(strings.TrimSpace(line))] = true
	}
	return d, nil
}

// moduleName is the kernel's name of a module file: a/b/snd-seq.ko.xz, snd_seq.
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// closure lists the files of modules and of what they need, in an order in which
// they can be loaded. What is built into the kernel needs no file.
func (d dependencies) closure(names []string) ([]string, error) {
	var order []string
	for _, name := range names {
		name = moduleName(name)
		path, ok := d.paths[name]
		switch {
		case !ok && d.built[name]:
			continue
		case !ok:
			return nil, fmt.Errorf("this kernel has no module %s", name)
		}
		needs := slices.Clone(d.needs[path])
		slices.Reverse(needs)
		for _, file := range append(needs, path) {
			if !slices.Contains(order, file) {
				order = append(order, file)
			}
		}
	}
	return order, nil
}

// packTree makes, below dir, a module tree of the given files with the indexes
// that depmod writes for them.
func (k kernel) packTree(tb testing.TB, dir string, files []string) error {
	tb.Helper()
	from, to := k.moduleDir(), filepath.Join(dir, "lib/modules", k.version)
	files = append([]string{"modules.order", "modules.builtin", "modules.builtin.modinfo"}, files...)
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(from, file))
		if err != nil {
			return err
		}
		target := filepath.Join(to, file)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return err
		}
	}
	out, err := exec.Command(require.Program(tb, "depmod"), "-b", dir, k.version).CombinedOutput()
	if err != nil {
		return fmt.Errorf("depmod: %w: %s", err, out)
	}
	return nil
}
