package unit

import (
	"errors"
	"math"
	"path"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// into makes a parser of a reader of values and the place where the value belongs.
func into[T any](field func(u *Unit) *T, read func(r *reader, value string) (T, error)) parser {
	return func(r *reader, u *Unit, value string) error {
		v, err := read(r, value)
		if err != nil {
			return err
		}
		*field(u) = v
		return nil
	}
}

// each makes a parser that appends to a list, which an empty value resets.
func each[T any](field func(u *Unit) *[]T, read func(r *reader, value string) ([]T, error)) parser {
	return func(r *reader, u *Unit, value string) error {
		if value == "" {
			*field(u) = nil
			return nil
		}
		list, err := read(r, value)
		*field(u) = append(*field(u), list...) // what was fine of a list with an error counts
		return err
	}
}

// one makes a reader of a list's line that holds one element.
func one[T any](read func(r *reader, value string) (T, error)) func(r *reader, value string) ([]T, error) {
	return func(r *reader, value string) ([]T, error) {
		v, err := read(r, value)
		if err != nil {
			return nil, err
		}
		return []T{v}, nil
	}
}

// many makes a reader of a line with several words, each an element.
func many[T any](read func(r *reader, word string) (T, error)) func(r *reader, value string) ([]T, error) {
	return func(r *reader, value string) ([]T, error) {
		words, err := unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.RetainEscape)
		if err != nil {
			return nil, err
		}
		var list []T
		var problem error
		for _, word := range words {
			v, err := read(r, word)
			if err != nil {
				problem = err
				continue
			}
			list = append(list, v)
		}
		return list, problem
	}
}

func boolean(_ *reader, value string) (bool, error) { return unitfile.ParseBool(value) }

func tristate(_ *reader, value string) (Tristate, error) {
	if value == "" {
		return Unset, nil
	}
	on, err := unitfile.ParseBool(value)
	if err != nil {
		return Unset, err
	}
	if on {
		return Yes, nil
	}
	return No, nil
}

func expanded(r *reader, value string) (string, error) { return r.expand(value) }

// span reads a time span in seconds.
func span(_ *reader, value string) (Span, error) { return parseSpan(value, unitfile.Second) }

// spanOrNever reads a time span of which 0 is no limit.
func spanOrNever(r *reader, value string) (Span, error) {
	s, err := span(r, value)
	if s == 0 && err == nil {
		s = Infinity
	}
	return s, err
}

// spanOrOff reads a time span of which infinity is the same as 0: switched off.
func spanOrOff(r *reader, value string) (Span, error) {
	s, err := span(r, value)
	if s == Infinity {
		s = 0
	}
	return s, err
}

func parseSpan(value string, unit uint64) (Span, error) {
	us, err := unitfile.ParseTimespan(value, unit)
	switch {
	case err != nil:
		return 0, err
	case us > math.MaxInt64/1000:
		return Infinity, nil
	}
	return Span(us * 1000), nil
}

func unsigned(_ *reader, value string) (uint32, error) {
	n, err := strconv.ParseUint(value, 0, 32)
	return uint32(n), numberError(err)
}

func signed(_ *reader, value string) (int32, error) {
	n, err := strconv.ParseInt(value, 0, 32)
	return int32(n), numberError(err)
}

func long(_ *reader, value string) (int64, error) {
	n, err := strconv.ParseInt(value, 0, 64)
	return n, numberError(err)
}

func size(_ *reader, value string) (uint64, error) { return unitfile.ParseSize(value) }

func mode(_ *reader, value string) (uint32, error) {
	n, err := strconv.ParseUint(value, 8, 32)
	if err == nil && n > 0o7777 {
		err = ErrRange
	}
	return uint32(n), numberError(err)
}

// within bounds a number.
func within(low, high int64) func(r *reader, value string) (int64, error) {
	return func(r *reader, value string) (int64, error) {
		n, err := long(r, value)
		if err == nil && (n < low || n > high) {
			err = ErrRange
		}
		return n, err
	}
}

// numberError drops what strconv repeats of the value.
func numberError(err error) error {
	var n *strconv.NumError
	switch {
	case !errors.As(err, &n):
		return err
	case n.Err == strconv.ErrRange:
		return ErrRange
	}
	return ErrValue
}

// absolute reads a path with specifiers and makes it shortest.
func absolute(r *reader, value string) (string, error) {
	p, err := r.expand(value)
	if err != nil {
		return "", err
	}
	return cleanAbsolute(p)
}

func cleanAbsolute(p string) (string, error) {
	switch {
	case p == "" || p[0] != '/':
		return "", ErrNotAbsolute
	case len(p) >= maxPath || strings.ContainsAny(p, "\x00\n"):
		return "", ErrPath
	}
	for element := range strings.SplitSeq(p, "/") {
		if element == ".." {
			return "", ErrPath
		}
	}
	return path.Clean(p), nil
}

// absoluteOrNone also takes an empty value.
func absoluteOrNone(r *reader, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	return absolute(r, value)
}

const maxPath = 4096 // PATH_MAX

// relative checks a path below a place of its kind's own.
func relative(p string) (string, error) {
	if p == "" || p[0] == '/' {
		return "", ErrPath
	}
	clean, err := cleanAbsolute("/" + p)
	if err != nil || clean == "/" {
		return "", ErrPath
	}
	return clean[1:], nil
}

// choice reads one of some words, which count from 0.
func choice[T ~uint8](words ...string) func(r *reader, value string) (T, error) {
	return func(_ *reader, value string) (T, error) {
		for i, word := range words {
			if word == value {
				return T(i), nil
			}
		}
		return 0, choiceError(words)
	}
}

func choiceError(words []string) error { return &wordError{words} }

type wordError struct{ words []string }

func (e *wordError) Error() string { return "not one of " + strings.Join(e.words, ", ") }

func (e *wordError) Unwrap() error { return ErrValue }

// unitName reads a unit's name with specifiers; a template is not one that exists.
func unitName(r *reader, value string) (Name, error) {
	s, err := r.expand(value)
	if err != nil {
		return "", err
	}
	n, err := ParseName(s)
	if err == nil && n.IsTemplate() {
		err = errTemplate
	}
	return n, err
}

var errTemplate = errors.New("a template: give it an instance")

// unitOf reads a unit's name of one type.
func unitOf(t Type) func(r *reader, value string) (Name, error) {
	return func(r *reader, value string) (Name, error) {
		n, err := unitName(r, value)
		if err == nil && n.Type() != t {
			return "", ErrValue
		}
		return n, err
	}
}
