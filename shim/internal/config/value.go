package config

import (
	"encoding/json"
	"fmt"
)

// Origin is the place in the user's text that a value comes from. For a
// settings file it prints `/etc/systemd/nspawn/web.nspawn:12: [Network] Bridge=`,
// for the command line `--bind=`.
type Origin struct {
	File   string // path of the settings file; empty for the command line
	Line   int    // first line of the assignment, from 1; 0 for the command line
	Option string // `[Section] Key=` in a file, `--option=` or `-o` on the command line
}

func (o Origin) String() string {
	if o.File == "" {
		return o.Option
	}
	return fmt.Sprintf("%s:%d: %s", o.File, o.Line, o.Option)
}

// MarshalText makes an Origin one string in JSON.
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Value is a setting that may be absent. Merge needs "not set" apart from the
// zero value: Boot=no on the command line beats Boot=yes in a file.
type Value[T any] struct {
	V    T
	Set  bool
	From Origin
}

// Of returns a value that is set.
func Of[T any](v T, from Origin) Value[T] { return Value[T]{V: v, Set: true, From: from} }

// Or returns the value, or def where nobody set one.
func (v Value[T]) Or(def T) T {
	if v.Set {
		return v.V
	}
	return def
}

// IsZero lets JSON's omitzero leave out what nobody set.
func (v Value[T]) IsZero() bool { return !v.Set }

// MarshalJSON prints the value beside its origin.
func (v Value[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		V    T
		From Origin
	}{v.V, v.From})
}
