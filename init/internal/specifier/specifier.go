// Package specifier expands the %-specifiers of unit files (systemd.unit(5), "Specifiers").
//
// Role: a leaf of the stage that makes units out of text. Input: a value, the unit it stands in, and Facts about the
// system, which the caller has gathered. Output: the value as it counts. It reads nothing itself.
//
//	text = { "%%" | "%" letter | any other byte }
//
// A letter that stands for nothing stays as it is, with its percent sign: so does systemd, and units rely on it.
package specifier

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"firn/init/internal/unit"
)

// Facts are what specifiers tell of the system. An empty one is not known, unless its comment says else.
type Facts struct {
	MachineID, BootID string // 32 hexadecimal digits
	Hostname          string
	PrettyHostname    string // of machine-info(5); empty: the short host name
	Kernel            string // release, as uname -r
	Architecture      string // as ConditionArchitecture= names it
	Shell             string // root's; empty: /bin/sh
	// Of os-release(5); may be empty.
	ID, VersionID, VariantID, BuildID, ImageID, ImageVersion string
}

var (
	// ErrUnknown is returned for a specifier whose fact is not known here.
	ErrUnknown = errors.New("not known on this system")
	// ErrTooLong is returned for a text that grows beyond any use.
	ErrTooLong = errors.New("longer than 1 MiB with its specifiers expanded")
)

// Context is where a value stands.
type Context struct {
	Name     unit.Name
	Fragment string // the unit's file; empty: none
	Facts    *Facts
}

const maxText = 1 << 20

// Expand replaces the specifiers of a value.
func (c *Context) Expand(text string) (string, error) {
	i := strings.IndexByte(text, '%')
	if i < 0 {
		return text, nil
	}
	var out strings.Builder
	for i >= 0 && i+1 < len(text) {
		out.WriteString(text[:i])
		value, known, err := c.lookup(text[i+1])
		switch {
		case err != nil:
			return "", fmt.Errorf("%%%c: %w", text[i+1], err)
		case known:
			out.WriteString(value)
		default:
			out.WriteString(text[i : i+2])
		}
		if out.Len() > maxText {
			return "", ErrTooLong
		}
		text = text[i+2:]
		i = strings.IndexByte(text, '%')
	}
	out.WriteString(text)
	return out.String(), nil
}

func (c *Context) lookup(letter byte) (value string, known bool, err error) {
	if value, known, err = c.ofName(letter); known || err != nil {
		return value, known, err
	}
	if value, known = fixed[letter]; known {
		return value, true, nil
	}
	return c.ofSystem(letter)
}

// fixed are those that are the same in every system manager.
var fixed = map[byte]string{
	'%': "%", 'C': "/var/cache", 'E': "/etc", 'L': "/var/log", 'S': "/var/lib", 't': "/run", 'T': "/tmp", 'V': "/var/tmp",
	'u': "root", 'U': "0", 'g': "root", 'G': "0", 'h': "/root",
}

func (c *Context) ofName(letter byte) (string, bool, error) {
	n := c.Name
	switch letter {
	case 'n':
		return string(n), true, nil
	case 'N':
		return n.Stem(), true, nil
	case 'p':
		return n.Prefix(), true, nil
	case 'P':
		return unescaped(n.Prefix())
	case 'i':
		return n.Instance(), true, nil
	case 'I':
		return unescaped(n.Instance())
	case 'j':
		return lastPart(n.Prefix()), true, nil
	case 'J':
		return unescaped(lastPart(n.Prefix()))
	case 'f':
		return c.filename()
	case 'd':
		return "/run/credentials/" + string(n), true, nil
	case 'y', 'Y':
		if c.Fragment == "" {
			return "", false, ErrUnknown
		}
		if letter == 'Y' {
			return path.Dir(c.Fragment), true, nil
		}
		return c.Fragment, true, nil
	}
	return "", false, nil
}

func unescaped(s string) (string, bool, error) {
	value, err := unit.Unescape(s)
	return value, err == nil, err
}

func lastPart(prefix string) string { return prefix[strings.LastIndexByte(prefix, '-')+1:] }

// filename is the path that the instance stands for, or else the prefix.
func (c *Context) filename() (string, bool, error) {
	s := c.Name.Instance()
	if s == "" {
		s = c.Name.Prefix()
	}
	value, err := unit.Unescape(s)
	if err != nil {
		return "", false, err
	}
	return path.Clean("/" + value), true, nil
}

func (c *Context) ofSystem(letter byte) (string, bool, error) {
	f := c.Facts
	required := func(value string) (string, bool, error) {
		if value == "" {
			return "", false, ErrUnknown
		}
		return value, true, nil
	}
	short, _, _ := strings.Cut(f.Hostname, ".")
	switch letter {
	case 'a':
		return required(f.Architecture)
	case 'b':
		return required(f.BootID)
	case 'H':
		return required(f.Hostname)
	case 'l':
		return required(short)
	case 'm':
		return required(f.MachineID)
	case 'v':
		return required(f.Kernel)
	case 'q':
		if f.PrettyHostname != "" {
			return f.PrettyHostname, true, nil
		}
		return required(short)
	case 's':
		if f.Shell == "" {
			return "/bin/sh", true, nil
		}
		return f.Shell, true, nil
	}
	release := map[byte]string{'o': f.ID, 'w': f.VersionID, 'W': f.VariantID, 'B': f.BuildID, 'M': f.ImageID, 'A': f.ImageVersion}
	value, known := release[letter]
	return value, known, nil
}
