package kmod

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Of an ELF file this reads what module tools need: the section headers and some
// sections, of either class and byte order (modinfo serves foreign kernels too).
// See elf(5). debug/elf would do, at 60 µs of start-up and one allocation per
// symbol.
//
//	ELF header   magic(4) class(1) data(1) ... e_shoff e_shentsize e_shnum e_shstrndx
//	section      sh_name sh_type sh_flags sh_addr sh_offset sh_size sh_link sh_info ...
//
// Sections used: .modinfo; .symtab and .strtab; __ksymtab_strings; __versions;
// __kcrctab, __kcrctab_gpl.

type elfFile struct {
	image    *image
	wide     bool // 64 bit
	order    binary.ByteOrder
	headers  []byte // section headers as in the file
	offset   int64  // where they are
	sections []section
}

type section struct {
	name         string
	kind         uint32
	info         uint32 // sh_info: of .symtab, the first global symbol
	flags        uint64
	offset, size int64
}

const (
	shtNobits  = 8
	shfAlloc   = 2
	maxSection = 1 << 16
)

// openElf reads a module's headers.
func openElf(im *image) (*elfFile, error) {
	head, err := im.bytes(0, min(64, im.size), nil)
	if err != nil {
		return nil, err
	}
	if len(head) < 52 || !bytes.HasPrefix(head, elfMagic) {
		return nil, fmt.Errorf("%w: %s is no ELF file", ErrCorrupt, im.path)
	}
	f := &elfFile{image: im, wide: head[4] == 2, order: binary.LittleEndian}
	if head[5] == 2 {
		f.order = binary.BigEndian
	}
	if head[4] != 1 && head[4] != 2 || f.wide && len(head) < 64 {
		return nil, fmt.Errorf("%w: %s: ELF class %d", ErrCorrupt, im.path, head[4])
	}
	var entry, count, names int
	if f.wide {
		f.offset = int64(f.order.Uint64(head[40:]))
		entry, count, names = f.half(head[58:]), f.half(head[60:]), f.half(head[62:])
	} else {
		f.offset = int64(f.order.Uint32(head[32:]))
		entry, count, names = f.half(head[46:]), f.half(head[48:]), f.half(head[50:])
	}
	if entry != f.entrySize() || count == 0 || names >= count {
		return nil, fmt.Errorf("%w: %s has no section table", ErrCorrupt, im.path)
	}
	if f.headers, err = im.bytes(f.offset, int64(entry*count), nil); err != nil {
		return nil, err
	}
	return f, f.readSections(count, names)
}

func (f *elfFile) half(b []byte) int { return int(f.order.Uint16(b)) }

func (f *elfFile) entrySize() int {
	if f.wide {
		return 64
	}
	return 40
}

func (f *elfFile) readSections(count, names int) error {
	f.sections = make([]section, count)
	nameOffsets := make([]uint32, count)
	for i := range f.sections {
		b := f.headers[i*f.entrySize():]
		s := &f.sections[i]
		nameOffsets[i], s.kind = f.order.Uint32(b), f.order.Uint32(b[4:])
		if f.wide {
			s.flags = f.order.Uint64(b[8:])
			s.offset, s.size = int64(f.order.Uint64(b[24:])), int64(f.order.Uint64(b[32:]))
			s.info = f.order.Uint32(b[44:])
		} else {
			s.flags = uint64(f.order.Uint32(b[8:]))
			s.offset, s.size = int64(f.order.Uint32(b[16:])), int64(f.order.Uint32(b[20:]))
			s.info = f.order.Uint32(b[28:])
		}
	}
	table, err := f.content(&f.sections[names], nil)
	if err != nil {
		return err
	}
	all := string(table) // names are substrings of one copy
	for i, at := range nameOffsets {
		name, ok := cstring(all, int64(at))
		if !ok {
			return fmt.Errorf("%w: %s: name of section %d", ErrCorrupt, f.image.path, i)
		}
		f.sections[i].name = name
	}
	return nil
}

// cstring is the NUL-terminated string at an offset.
func cstring(table string, at int64) (string, bool) {
	if at < 0 || at >= int64(len(table)) {
		return "", false
	}
	for i := at; i < int64(len(table)); i++ {
		if table[i] == 0 {
			return table[at:i], true
		}
	}
	return "", false
}

// section finds a section by name.
func (f *elfFile) section(name string) *section {
	for i := range f.sections {
		if f.sections[i].name == name {
			return &f.sections[i]
		}
	}
	return nil
}

// content reads a section, into buf if that is large enough.
func (f *elfFile) content(s *section, buf []byte) ([]byte, error) {
	if s == nil || s.kind == shtNobits {
		return nil, nil
	}
	return f.image.bytes(s.offset, s.size, buf)
}

// named reads the section of this name, ErrNoSection if there is none.
func (f *elfFile) named(name string, buf []byte) ([]byte, error) {
	s := f.section(name)
	if s == nil {
		return nil, fmt.Errorf("%s: %s: %w", f.image.path, name, ErrNoSection)
	}
	return f.content(s, buf)
}
