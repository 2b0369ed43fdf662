package main

import (
	"errors"
	"io/fs"
	"strconv"

	"firn/kmod"
)

// showSymbols prints a module file's symbol versions, what it wants of others
// (--show-modversions) or what it exports (--show-exports).
func (m *modprobe) showSymbols(operands []string) int {
	if len(operands) == 0 {
		m.log.error("missing parameters. See -h.")
		return 1
	}
	path := operands[0]
	read := kmod.ReadVersions
	if m.exports {
		read = kmod.ReadExports
	}
	symbols, err := read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.log.fatal("Module %s not found.", path)
		return 1
	case errors.Is(err, kmod.ErrNoSection):
		m.log.fatal("could not get symbols of '%s': %s", path, err)
		return 1
	case err != nil:
		m.log.fatal("%s", err)
		return 1
	}
	list := jsonList{enabled: m.json, w: &m.out}
	for _, s := range symbols {
		crc := "0x" + padZero(strconv.FormatUint(s.CRC, 16), 8)
		if m.json {
			list.item(pair{"crc", crc}, pair{"symbol", s.Name})
		} else {
			m.out.puts(crc, "\t", s.Name, "\n")
		}
	}
	list.end()
	return 0
}

func padZero(s string, width int) string {
	for len(s) < width {
		s = "0" + s
	}
	return s
}
