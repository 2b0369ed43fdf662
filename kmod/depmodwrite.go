package kmod

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

// An output is one file that depmod writes.
type output struct {
	name  string
	write func(*Depmod) ([]byte, error)
}

// outputs are in the order in which depmod -n prints the text ones.
var outputs = []output{
	{"modules.dep", (*Depmod).depFile},
	{"modules.dep.bin", (*Depmod).depIndex},
	{"modules.alias", (*Depmod).aliasFile},
	{"modules.alias.bin", (*Depmod).aliasIndex},
	{"modules.softdep", (*Depmod).softdepFile},
	{"modules.weakdep", (*Depmod).weakdepFile},
	{"modules.symbols", (*Depmod).symbolFile},
	{"modules.symbols.bin", (*Depmod).symbolIndex},
	{"modules.builtin.bin", (*Depmod).builtinIndex},
	{"modules.builtin.alias.bin", (*Depmod).builtinAliasIndex},
	{"modules.devname", (*Depmod).devnameFile},
}

// WriteText prints the text files one after the other.
func (d *Depmod) WriteText(w io.Writer) error {
	for _, o := range outputs {
		if strings.HasSuffix(o.name, ".bin") {
			continue
		}
		data, err := o.write(d)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", o.name, err)
		}
	}
	return nil
}

// WriteTo writes all files into a directory, each complete or not at all.
func (d *Depmod) WriteTo(dir string) error {
	for _, o := range outputs {
		data, err := o.write(d)
		if err != nil {
			return fmt.Errorf("write %s: %w", o.name, err)
		}
		if err := replaceFile(dir+"/"+o.name, data); err != nil {
			return fmt.Errorf("write index: %w", err)
		}
	}
	return nil
}

// depLines calls yield with each module's line of modules.dep, without LF.
func (d *Depmod) depLines(yield func(m *depModule, line []byte)) {
	seen := make([]int, len(d.modules))
	var deps []*depModule
	var line []byte
	for i, m := range d.modules {
		deps = m.allDeps(seen, i+1, deps[:0])
		line = append(append(line[:0], m.relPath...), ':')
		for _, dep := range deps {
			line = append(append(line, ' '), dep.relPath...)
		}
		yield(m, line)
	}
}

func (d *Depmod) depFile() ([]byte, error) {
	var out []byte
	d.depLines(func(_ *depModule, line []byte) { out = append(append(out, line...), '\n') })
	return out, nil
}

func (d *Depmod) depIndex() ([]byte, error) {
	var b trieBuilder
	d.depLines(func(m *depModule, line []byte) { d.insert(&b, m.name, string(line), m.index) })
	return b.bytes(), nil
}

func (d *Depmod) insert(b *trieBuilder, key, value string, priority int) {
	if b.insert(key, value, uint32(priority)) && d.Duplicates {
		d.Warn(fmt.Errorf("duplicate entry %s for %s", key, value))
	}
}

// eachField calls yield for one key's values over all modules.
func (d *Depmod) eachField(key string, yield func(m *depModule, value string)) {
	for _, m := range d.modules {
		for _, f := range m.fields {
			if f.Key == key {
				yield(m, f.Value)
			}
		}
	}
}

func (d *Depmod) aliasFile() ([]byte, error) {
	out := []byte("# Aliases extracted from modules themselves.\n")
	d.eachField("alias", func(m *depModule, value string) { out = appendLine(out, "alias", value, m.name) })
	return out, nil
}

func (d *Depmod) aliasIndex() ([]byte, error) {
	var b trieBuilder
	d.eachField("alias", func(m *depModule, value string) { d.insert(&b, Normalize(value), m.name, m.index) })
	return b.bytes(), nil
}

func (d *Depmod) softdepFile() ([]byte, error) {
	out := []byte("# Soft dependencies extracted from modules themselves.\n")
	d.eachField("softdep", func(m *depModule, value string) { out = appendLine(out, "softdep", m.name, value) })
	return out, nil
}

func (d *Depmod) weakdepFile() ([]byte, error) {
	out := []byte("# Weak dependencies extracted from modules themselves.\n")
	d.eachField("weakdep", func(m *depModule, value string) { out = appendLine(out, "weakdep", m.name, value) })
	return out, nil
}

func appendLine(out []byte, words ...string) []byte {
	for i, word := range words {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, word...)
	}
	return append(out, '\n')
}

// moduleSymbols are the symbols that modules export, in the file's order.
func (d *Depmod) moduleSymbols() []string {
	names := make([]string, 0, len(d.symbols))
	for name, owner := range d.symbols {
		if owner.module != nil {
			names = append(names, name)
		}
	}
	symbolOrder(names)
	return names
}

func (d *Depmod) symbolFile() ([]byte, error) {
	out := []byte("# Aliases for symbols, used by symbol_request().\n")
	for _, name := range d.moduleSymbols() {
		out = appendLine(out, "alias", "symbol:"+name, d.symbols[name].module.name)
	}
	return out, nil
}

func (d *Depmod) symbolIndex() ([]byte, error) {
	var b trieBuilder
	for _, name := range d.moduleSymbols() {
		m := d.symbols[name].module
		d.insert(&b, "symbol:"+name, m.name, m.index)
	}
	return b.bytes(), nil
}

// builtinIndex turns modules.builtin, which the kernel's build writes, into its
// index. Without that file the index is empty, not even a header.
func (d *Depmod) builtinIndex() ([]byte, error) {
	data, err := ReadFile(d.Dir + "/modules.builtin")
	if err != nil {
		d.warnMissing(err)
		return nil, nil
	}
	var b trieBuilder
	_ = eachLine(data, func(_ int, line string) error {
		if line != "" {
			b.insert(NameOfPath(line), "", 0)
		}
		return nil
	})
	return b.bytes(), nil
}

// builtinAliasIndex collects the built-in modules' aliases from
// modules.builtin.modinfo.
func (d *Depmod) builtinAliasIndex() ([]byte, error) {
	data, err := ReadFile(d.Dir + "/modules.builtin.modinfo")
	if err != nil {
		d.warnMissing(err)
		return nil, nil
	}
	var b trieBuilder
	_ = eachBuiltin(data, func(module string, f Field) {
		if f.Key == "alias" {
			d.insert(&b, Normalize(f.Value), module, 0)
		}
	})
	return b.bytes(), nil
}

func (d *Depmod) warnMissing(err error) {
	if !errors.Is(err, fs.ErrNotExist) || d.Warn != nil {
		d.Warn(err)
	}
}

// devnameFile lists the device nodes that make the kernel ask for a module:
// those with an alias "devname:NODE" and one "char-major-MAJOR-MINOR" or
// "block-major-MAJOR-MINOR". The first of each counts.
func (d *Depmod) devnameFile() ([]byte, error) {
	var out []byte
	for _, m := range d.modules {
		node, device := "", ""
		for _, f := range m.fields {
			if f.Key != "alias" {
				continue
			}
			if name, ok := strings.CutPrefix(f.Value, "devname:"); ok && node == "" {
				node = name
			} else if text := deviceNumber(f.Value); text != "" && device == "" {
				device = text
			}
		}
		switch {
		case node != "" && device != "":
			if out == nil {
				out = []byte("# Device nodes to trigger on-demand module loading.\n")
			}
			out = appendLine(out, m.name, node, device)
		case node != "":
			d.Warn(fmt.Errorf("module %s has devname (%s) but lacks major and minor information", m.name, node))
		}
	}
	return out, nil
}

// deviceNumber turns "char-major-10-229" into "c10:229".
func deviceNumber(alias string) string {
	kind := "c"
	rest, ok := strings.CutPrefix(alias, "char-major-")
	if !ok {
		if rest, ok = strings.CutPrefix(alias, "block-major-"); !ok {
			return ""
		}
		kind = "b"
	}
	major, minor, ok := strings.Cut(rest, "-")
	a, err1 := strconv.ParseUint(major, 10, 32)
	b, err2 := strconv.ParseUint(minor, 10, 32)
	if !ok || err1 != nil || err2 != nil {
		return ""
	}
	return kind + strconv.FormatUint(a, 10) + ":" + strconv.FormatUint(b, 10)
}
