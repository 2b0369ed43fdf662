package kmod

import (
	"fmt"
	"strconv"
	"strings"
)

// KernelSymbols are the symbols that the kernel image exports. From System.map
//
//	ADDRESS TYPE __ksymtab_NAME
//
// names only; from Module.symvers, with versions,
//
//	0xCRC NAME vmlinux EXPORT_TYPE
type KernelSymbols struct {
	symbols  map[string]uint64
	versions bool
}

// ReadSystemMap reads a System.map.
func ReadSystemMap(path string) (*KernelSymbols, error) {
	k := newKernelSymbols()
	err := eachFileLine(path, func(f []string) {
		if len(f) == 3 {
			if name, ok := strings.CutPrefix(f[2], "__ksymtab_"); ok {
				k.symbols[name] = 0
			}
		}
	})
	return k, err
}

// ReadSymvers reads a Module.symvers.
func ReadSymvers(path string) (*KernelSymbols, error) {
	k := newKernelSymbols()
	k.versions = true
	err := eachFileLine(path, func(f []string) {
		if len(f) >= 3 && f[2] == "vmlinux" {
			crc, err := strconv.ParseUint(strings.TrimPrefix(f[0], "0x"), 16, 64)
			if err == nil {
				k.symbols[f[1]] = crc
			}
		}
	})
	return k, err
}

// newKernelSymbols holds what the linker and the loader provide without an export.
func newKernelSymbols() *KernelSymbols {
	return &KernelSymbols{symbols: map[string]uint64{"__this_module": 0, "_GLOBAL_OFFSET_TABLE_": 0, "TOC.": 0}}
}

func eachFileLine(path string, yield func(fields []string)) error {
	data, err := ReadFile(path)
	if err != nil {
		return fmt.Errorf("read kernel symbols: %w", err)
	}
	return eachLine(data, func(_ int, line string) error {
		yield(strings.Fields(line))
		return nil
	})
}
