package devnodes

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// modules.devname, written by depmod(8) for modules that carry both a
// devname:NAME alias and a char-major-MAJOR-MINOR or block-major-MAJOR-MINOR
// alias:
//
//	file    = { line "\n" }
//	line    = comment | blank | entry
//	comment = "#" { any }                 in the first column
//	entry   = module SP name SP type major ":" minor [ SP { any } ]
//	type    = "c" | "b"
//	module  = { non-blank }               as in modules.dep, without .ko
//	name    = path below /dev
//	major, minor = decimal, at most 4095 and 1048575
//
// kmod reads an entry with scanf, so blanks may be any white space and anything
// may follow; names and numbers it does not check, while here an entry that
// would leave /dev or does not fit a dev_t is malformed.

// defaultMode is what the kernel gives a node of devtmpfs whose driver does not
// say otherwise (drivers/base/devtmpfs.c), and kmod prints for every node.
const defaultMode = 0o600

// maxLine bounds a line of modules.devname; kmod's own buffer is 4096 bytes.
const maxLine = 4096

// ReadModulesDevname reads one modules.devname; name is said in errors. Nodes
// come in the file's order with mode 0600. Malformed lines are left out and
// reported together, as NAME:LINE, beside the nodes of all other lines.
func ReadModulesDevname(r io.Reader, name string) ([]Node, error) {
	var nodes []Node
	var errs []error
	br := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		line, err := readLine(br)
		if err == io.EOF {
			break
		}
		if errors.Is(err, errLongLine) {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, number, err))
			continue
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("read %s: %w", name, err))
			break
		}
		if len(line) > 0 && line[0] == '#' || len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		n, err := parseEntry(line)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, number, err))
			continue
		}
		nodes = append(nodes, n)
	}
	return nodes, errors.Join(errs...)
}

var errLongLine = fmt.Errorf("line longer than %d bytes", maxLine)

// readLine returns the next line without its end. A line beyond the reader's
// buffer is read to its end and thrown away, so that memory stays bounded.
func readLine(br *bufio.Reader) ([]byte, error) {
	line, err := br.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = br.ReadSlice('\n')
		}
		if err != nil && err != io.EOF {
			return nil, err
		}
		return nil, errLongLine
	}
	if err == io.EOF && len(line) > 0 {
		return line, nil
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}

func parseEntry(line []byte) (Node, error) {
	fields := bytes.Fields(line)
	if len(fields) < 3 {
		return Node{}, ErrMalformed
	}
	number := fields[2]
	n := Node{
		Module: string(fields[0]),
		Name:   string(fields[1]),
		Type:   Type(number[0]),
		Mode:   defaultMode,
	}
	if !n.Type.IsDevice() {
		return Node{}, ErrMalformed
	}
	major, minor, ok := bytes.Cut(number[1:], []byte(":"))
	if !ok {
		return Node{}, ErrMalformed
	}
	var err error
	if n.Major, err = parseNumber(major); err != nil {
		return Node{}, fmt.Errorf("major number %q: %w", major, err)
	}
	if n.Minor, err = parseNumber(minor); err != nil {
		return Node{}, fmt.Errorf("minor number %q: %w", minor, err)
	}
	if err := n.check(); err != nil {
		return Node{}, err
	}
	return n, nil
}

func parseNumber(text []byte) (uint32, error) {
	v, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil {
		return 0, errors.Unwrap(err) // "invalid syntax", "value out of range"
	}
	return uint32(v), nil
}
