package unitfile

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const blanks = " \t\n\r"

// Parse reads one file's text. The name stands in every Line and error; it is
// not opened. On an error the File read so far is not returned.
func Parse(r io.Reader, name string) (*File, error) {
	p := parser{file: &File{Name: name}}
	lines := newLineReader(r)
	for {
		line, err := lines.next()
		if err == io.EOF {
			return p.file, nil
		}
		if err == nil {
			err = p.line(line)
		}
		switch err {
		case nil:
		case ErrNUL, ErrNotUTF8, ErrLineTooLong, ErrSectionHeader:
			return nil, &LineError{Name: name, Line: line.number, Err: err}
		default:
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
}

type parser struct {
	file *File
}

// line takes one logical line, which is neither blank nor a comment.
func (p *parser) line(l logicalLine) error {
	if !utf8.ValidString(l.text) {
		return ErrNotUTF8
	}
	text := strings.Trim(l.text, blanks)
	if text[0] == '[' {
		return p.header(text, l.number)
	}
	key, value, ok := strings.Cut(text, "=")
	key = strings.TrimRight(key, blanks)
	switch {
	case !ok:
		p.warn(l.number, ErrNoEquals)
	case key == "":
		p.warn(l.number, ErrNoKey)
	case len(p.file.Sections) == 0:
		p.warn(l.number, ErrOutsideSection)
	default:
		s := &p.file.Sections[len(p.file.Sections)-1]
		s.Assignments = append(s.Assignments, Assignment{
			Key:   key,
			Value: strings.TrimLeft(value, blanks),
			File:  p.file.Name,
			Line:  l.number,
		})
	}
	return nil
}

func (p *parser) header(text string, line int) error {
	name, closed := strings.CutSuffix(text[1:], "]")
	if !closed || name == "" || strings.ContainsAny(name, "[]") {
		return ErrSectionHeader
	}
	p.file.Sections = append(p.file.Sections, Section{Name: name, File: p.file.Name, Line: line})
	return nil
}

func (p *parser) warn(line int, problem error) {
	p.file.Warnings = append(p.file.Warnings, Warning{Name: p.file.Name, Line: line, Err: problem})
}
