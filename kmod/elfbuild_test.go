package kmod

import (
	"bytes"
	"encoding/binary"
)

// A fakeModule is what a test's module file says.
type fakeModule struct {
	info    []string // "KEY=VALUE"
	exports []string
	wants   []string
	big     bool // big endian
	narrow  bool // 32 bit
}

// bytes makes the ELF file: .modinfo, __ksymtab_strings, __versions, .strtab,
// .symtab, .shstrtab.
func (m fakeModule) bytes() []byte {
	var order binary.AppendByteOrder = binary.LittleEndian
	if m.big {
		order = binary.BigEndian
	}
	word := func(b []byte, v uint64) []byte {
		if m.narrow {
			return order.AppendUint32(b, uint32(v))
		}
		return order.AppendUint64(b, v)
	}
	modinfo := []byte{}
	for _, entry := range m.info {
		modinfo = append(append(modinfo, entry...), 0)
	}
	ksymtab := []byte{}
	for _, name := range m.exports {
		ksymtab = append(append(ksymtab, name...), 0)
	}
	versions, strtab := []byte{}, []byte{0}
	symtab := m.symbol(nil, order, 0, 0)
	for i, name := range m.wants {
		entry := make([]byte, 64)
		crc := word(nil, uint64(0x1000+i))
		copy(entry, crc)
		copy(entry[len(crc):], name)
		versions = append(versions, entry...)
		symtab = m.symbol(symtab, order, len(strtab), 1<<4)
		strtab = append(append(strtab, name...), 0)
	}
	sections := []struct {
		name       string
		kind, info uint32
		flags      uint64
		data       []byte
	}{{}, {".modinfo", 1, 0, 2, modinfo}, {"__ksymtab_strings", 1, 0, 2, ksymtab}, {"__versions", 1, 0, 2, versions},
		{".strtab", 3, 0, 0, strtab}, {".symtab", 2, 1, 0, symtab}, {".shstrtab", 3, 0, 0, nil}}
	names := []byte{0}
	at := make([]int, len(sections))
	for i := 1; i < len(sections); i++ {
		at[i] = len(names)
		names = append(append(names, sections[i].name...), 0)
	}
	sections[len(sections)-1].data = names
	headerSize, entrySize := 64, 64
	if m.narrow {
		headerSize, entrySize = 52, 40
	}
	out := make([]byte, headerSize)
	offsets := make([]int, len(sections))
	for i, s := range sections {
		offsets[i] = len(out)
		out = append(out, s.data...)
	}
	table := len(out)
	for i, s := range sections {
		out = order.AppendUint32(out, uint32(at[i]))
		out = order.AppendUint32(out, s.kind)
		out = word(out, s.flags)
		out = word(out, 0)
		out = word(out, uint64(offsets[i]))
		out = word(out, uint64(len(s.data)))
		out = order.AppendUint32(out, 0)
		out = order.AppendUint32(out, s.info)
		out = word(word(out, 1), 0)
	}
	copy(out, []byte{0x7f, 'E', 'L', 'F', 2, 1, 1})
	if m.narrow {
		out[4] = 1
	}
	if m.big {
		out[5] = 2
	}
	half := func(at, v int) { copy(out[at:], order.AppendUint16(nil, uint16(v))) }
	half(18, 62)
	if m.narrow {
		copy(out[32:], order.AppendUint32(nil, uint32(table)))
		half(46, entrySize)
		half(48, len(sections))
		half(50, len(sections)-1)
	} else {
		copy(out[40:], order.AppendUint64(nil, uint64(table)))
		half(58, entrySize)
		half(60, len(sections))
		half(62, len(sections)-1)
	}
	return out
}

// symbol appends an undefined symbol.
func (m fakeModule) symbol(b []byte, order binary.AppendByteOrder, name int, info byte) []byte {
	b = order.AppendUint32(b, uint32(name))
	if m.narrow {
		b = append(b, make([]byte, 8)...)
		return append(b, info, 0, 0, 0)
	}
	b = append(b, info, 0, 0, 0)
	return append(b, make([]byte, 16)...)
}

func (m fakeModule) String() string { return string(bytes.Clone(m.bytes())) }
