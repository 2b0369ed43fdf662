package kmod

import (
	"bytes"
	"fmt"
	"strings"
)

// Symbols of a module:
//
//	__versions     { crc(8, or 4 on 32 bit) name(56, or 60) }*   what it wants, with CONFIG_MODVERSIONS
//	.symtab        undefined symbols: what it wants; "__crc_NAME": the version of an export
//	__ksymtab_strings  NAME 00 ...           what it exports
//
// In .symtab a __crc_ symbol is absolute (its value is the CRC), or, since Linux
// 4.9 on some machines and 6.3 on all, lies in a section whose 32 bits are the CRC.

// A Symbol is a name with its version, 0 if it has none.
type Symbol struct {
	Name string
	CRC  uint64
	// Undefined says how a wanted symbol is bound: 'U', or 'w' if it is weak.
	Bind byte
}

// ReadVersions returns the symbols a module file wants, with their versions.
func ReadVersions(path string) ([]Symbol, error) {
	return readSymbols(path, (*elfFile).versions)
}

// ReadExports returns the symbols a module file exports.
func ReadExports(path string) ([]Symbol, error) {
	return readSymbols(path, (*elfFile).exports)
}

func readSymbols(path string, read func(*elfFile) ([]Symbol, error)) ([]Symbol, error) {
	im, err := openImage(path)
	if err != nil {
		return nil, err
	}
	defer im.Close()
	f, err := openElf(im)
	if err != nil {
		return nil, err
	}
	return read(f)
}

func (f *elfFile) versions() ([]Symbol, error) {
	section, err := f.named("__versions", nil)
	if err != nil {
		return nil, err
	}
	const entry = 64
	crcSize := 4
	if f.wide {
		crcSize = 8
	}
	var symbols []Symbol
	for ; len(section) >= entry; section = section[entry:] {
		name, _, ok := bytes.Cut(section[crcSize:entry], []byte{0})
		if !ok {
			return nil, fmt.Errorf("%w: %s: name in __versions has no end", ErrCorrupt, f.image.path)
		}
		s := Symbol{Name: strings.TrimPrefix(string(name), "."), Bind: 'U'}
		if f.wide {
			s.CRC = f.order.Uint64(section)
		} else {
			s.CRC = uint64(f.order.Uint32(section))
		}
		symbols = append(symbols, s)
	}
	return symbols, nil
}

// A symtabEntry is one row of .symtab.
type symtabEntry struct {
	name    int64 // offset in .strtab
	info    byte
	section uint16
	value   uint64
}

const (
	shnUndef = 0
	shnAbs   = 0xfff1
	stbWeak  = 2
	sttReg   = 13 // STT_SPARC_REGISTER: no symbol at all
)

// symtab returns the raw table, its row size and its strings.
func (f *elfFile) symtab() (table []byte, row int, names string, err error) {
	if table, err = f.named(".symtab", nil); err != nil {
		return nil, 0, "", err
	}
	strings, err := f.named(".strtab", nil)
	if err != nil {
		return nil, 0, "", err
	}
	row = 16
	if f.wide {
		row = 24
	}
	return table, row, string(strings), nil
}

func (f *elfFile) entry(b []byte) symtabEntry {
	if f.wide {
		return symtabEntry{int64(f.order.Uint32(b)), b[4], f.order.Uint16(b[6:]), f.order.Uint64(b[8:])}
	}
	return symtabEntry{int64(f.order.Uint32(b)), b[12], f.order.Uint16(b[14:]), uint64(f.order.Uint32(b[4:]))}
}

// exports lists "__crc_" symbols and, where a kernel without CONFIG_MODVERSIONS
// built the module, the names in __ksymtab_strings.
func (f *elfFile) exports() ([]Symbol, error) {
	table, row, names, err := f.symtab()
	if err != nil {
		return nil, err
	}
	var symbols []Symbol
	for at := row; at+row <= len(table); at += row {
		e := f.entry(table[at:])
		name, ok := cstring(names, e.name)
		if !ok {
			return nil, fmt.Errorf("%w: %s: symbol name at %d", ErrCorrupt, f.image.path, e.name)
		}
		export, ok := strings.CutPrefix(name, "__crc_")
		if !ok {
			continue
		}
		crc, err := f.crc(e)
		if err != nil {
			return nil, err
		}
		symbols = append(symbols, Symbol{Name: export, CRC: crc})
	}
	if len(symbols) > 0 {
		return symbols, nil
	}
	return f.exportStrings()
}

func (f *elfFile) crc(e symtabEntry) (uint64, error) {
	if e.section == shnAbs || e.section == shnUndef || int(e.section) >= len(f.sections) {
		return e.value, nil
	}
	s := f.sections[e.section]
	if s.kind == shtNobits || e.value > uint64(s.size) || uint64(s.size)-e.value < 4 {
		return 0, fmt.Errorf("%w: %s: version at %d of %s", ErrCorrupt, f.image.path, e.value, s.name)
	}
	b, err := f.image.bytes(s.offset+int64(e.value), 4, nil)
	if err != nil {
		return 0, err
	}
	return uint64(f.order.Uint32(b)), nil
}

func (f *elfFile) exportStrings() ([]Symbol, error) {
	section, err := f.named("__ksymtab_strings", nil)
	if err != nil {
		return nil, err
	}
	var symbols []Symbol
	for _, name := range strings.Split(string(section), "\x00") {
		if name != "" {
			symbols = append(symbols, Symbol{Name: name})
		}
	}
	return symbols, nil
}
