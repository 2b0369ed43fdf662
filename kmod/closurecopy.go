package kmod

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CopyTo makes a tree below dir that holds the closure and nothing else, with its
// indexes, as one tree dir/lib/modules/RELEASE whatever trees it comes from, and
// the firmware in dir/lib/firmware.
func (c *Context) CopyTo(dir, release string, closure *Closure, warn func(error)) error {
	target := filepath.Join(dir, "lib/modules", release)
	for _, m := range closure.Modules {
		if err := copyFile(filepath.Join(target, c.relPath(m)), m.Path); err != nil {
			return err
		}
	}
	for _, f := range closure.Firmware {
		if f.Path == "" {
			continue
		}
		name := f.Name + strings.TrimPrefix(f.Path[strings.LastIndex(f.Path, f.Name):], f.Name)
		if err := copyFile(filepath.Join(dir, "lib/firmware", name), f.Path); err != nil {
			return err
		}
	}
	if err := c.mergeLists(target); err != nil {
		return err
	}
	run := &Depmod{Dir: target, Release: release, Config: &DepmodConfig{}, Warn: warn}
	if err := run.Run(); err != nil {
		return fmt.Errorf("index %s: %w", target, err)
	}
	return run.WriteTo(target)
}

// relPath is a module's place in a tree. Those from outside go where packages
// put theirs; two modules with one name there are never in one closure.
func (c *Context) relPath(m *Module) string {
	if m.tree != nil {
		if rel, ok := strings.CutPrefix(m.Path, m.tree.Dir+"/"); ok {
			return rel
		}
	}
	return "extra/" + m.Path[strings.LastIndexByte(m.Path, '/')+1:]
}

// mergeLists writes what the kernel's build says of the trees: the link order and
// the built-in modules, tree after tree.
func (c *Context) mergeLists(target string) error {
	for _, name := range []string{"modules.order", "modules.builtin", "modules.builtin.modinfo"} {
		var all []byte
		for _, t := range c.trees {
			data, err := ReadFile(t.Dir + "/" + name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			all = append(all, data...)
		}
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := replaceFile(target+"/"+name, all); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a file's content and makes the directories above it.
func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
