package kmod

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// read fills in what the files say, several at a time. A file that cannot be read
// stays in the tree's list, without symbols or aliases, as depmod has it: the
// rest of the machine's modules must still load.
func (d *Depmod) read() {
	errs := make([]error, len(d.modules))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var r moduleReader
			for {
				i := int(next.Add(1)) - 1
				if i >= len(d.modules) {
					return
				}
				errs[i] = r.read(d.modules[i], d.Kernel)
			}
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			d.Warn(fmt.Errorf("read symbols of %s: %w", d.modules[i].path, err))
		}
	}
}

// A moduleReader keeps one worker's buffers.
type moduleReader struct {
	symtab, strtab []byte
	buffers
}

// read takes from a module file what the indexes need.
func (r *moduleReader) read(m *depModule, kernel *KernelSymbols) error {
	im, err := r.buffers.open(m.path)
	if err != nil {
		return err
	}
	defer im.Close()
	f, err := openElf(im)
	if err != nil {
		return err
	}
	info, err := f.named(".modinfo", r.symtab)
	if err != nil && !errors.Is(err, ErrNoSection) {
		return err
	}
	eachModinfo(string(info), func(key, value string) {
		switch key {
		case "alias", "softdep", "weakdep":
			m.fields = append(m.fields, Field{key, value})
		}
	})
	// Few modules export anything, and only those have the section.
	if f.section("__ksymtab_strings") != nil {
		m.exports, err = f.exports()
	}
	if err != nil && !errors.Is(err, ErrNoSection) {
		return err
	}
	if m.wants, err = r.wanted(f); err != nil || kernel == nil {
		return err
	}
	return m.addVersions(f)
}

// addVersions adds the versions of the wanted symbols, and what only __versions
// knows (module_layout), for the comparison with a kernel's symbols.
func (m *depModule) addVersions(f *elfFile) error {
	versions, err := f.versions()
	if errors.Is(err, ErrNoSection) {
		return nil
	}
	index := map[string]int{}
	for i, s := range m.wants {
		index[s.Name] = i
	}
	for _, s := range versions {
		if i, ok := index[s.Name]; ok {
			m.wants[i].CRC = s.CRC
		} else {
			m.wants = append(m.wants, s)
		}
	}
	return err
}

// wanted lists the undefined symbols in .symtab's order, which decides between
// several valid topological orders and so must be kmod's.
func (r *moduleReader) wanted(f *elfFile) ([]Symbol, error) {
	table := f.section(".symtab")
	names := f.section(".strtab")
	if table == nil || names == nil {
		return nil, fmt.Errorf("%s: .symtab: %w", f.image.path, ErrNoSection)
	}
	row := int64(16)
	if f.wide {
		row = 24
	}
	// Undefined symbols are global, and those follow the local ones, of which
	// there can be ten times as many; sh_info says where they start.
	first := f.firstGlobal(table, row)
	globals := *table
	globals.offset, globals.size = table.offset+first, table.size-first
	symtab, err := f.content(&globals, r.symtab)
	if err != nil {
		return nil, err
	}
	strtab, err := f.content(names, r.strtab)
	if err != nil {
		return nil, err
	}
	// Of an unpacked image these are its own bytes, no buffers to read into.
	if f.image.data == nil {
		r.symtab, r.strtab = symtab, strtab
	}
	return f.undefined(symtab, strtab, int(row))
}

// firstGlobal is the offset of the first global symbol, past entry 0.
func (f *elfFile) firstGlobal(table *section, row int64) int64 {
	first := max(row, row*int64(table.info))
	if first > table.size {
		return min(row, table.size)
	}
	return first
}

func (f *elfFile) undefined(table, names []byte, row int) ([]Symbol, error) {
	count := 0
	for at := 0; at+row <= len(table); at += row {
		if e := f.entry(table[at:]); e.section == shnUndef {
			count++
		}
	}
	symbols := make([]Symbol, 0, count)
	// One string for all names of the module.
	var text strings.Builder
	ends := make([]int, 0, count)
	for at := 0; at+row <= len(table); at += row {
		e := f.entry(table[at:])
		if e.section != shnUndef || e.info&15 == sttReg {
			continue
		}
		name, ok := cbytes(names, e.name)
		if !ok {
			return nil, fmt.Errorf("%w: %s: symbol name at %d", ErrCorrupt, f.image.path, e.name)
		}
		if len(name) == 0 {
			continue
		}
		bind := byte('U')
		if e.info>>4 == stbWeak {
			bind = 'w'
		}
		text.Write(name)
		ends = append(ends, text.Len())
		symbols = append(symbols, Symbol{Bind: bind})
	}
	all, start := text.String(), 0
	for i, end := range ends {
		symbols[i].Name, start = all[start:end], end
	}
	return symbols, nil
}

// cbytes is the NUL-terminated name at an offset.
func cbytes(table []byte, at int64) ([]byte, bool) {
	if at < 0 || at >= int64(len(table)) {
		return nil, false
	}
	rest := table[at:]
	for i, c := range rest {
		if c == 0 {
			return rest[:i], true
		}
	}
	return nil, false
}
