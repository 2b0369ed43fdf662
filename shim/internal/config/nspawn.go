package config

import (
	"fmt"
	"slices"

	"firn/init/unitfile"
)

// ParseNspawn reads one settings file (systemd.nspawn(5)). Of an untrusted file
// the privileged keys do not count; they are listed in Ignored.
//
// Stricter than systemd-nspawn, which warns and goes on: an unknown section or
// key, a value that does not parse and a line that is no assignment are errors.
// Sections and keys that begin with X- are left to others.
func ParseNspawn(f *unitfile.File, trusted bool, caller Caller) (*Config, error) {
	b := &build{c: &Config{Action: ActionRun}, caller: caller}
	if err := b.file(f, trusted); err != nil {
		return nil, err
	}
	return b.c, nil
}

// file applies one file on top of those before it.
func (b *build) file(f *unitfile.File, trusted bool) error {
	if len(f.Warnings) > 0 {
		return &f.Warnings[0]
	}
	b.c.Files = append(b.c.Files, f.Name)
	for i := range f.Sections {
		if err := b.section(&f.Sections[i], trusted); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) section(s *unitfile.Section, trusted bool) error {
	if isExtension(s.Name) {
		return nil
	}
	known := findSection(s.Name)
	if known == nil {
		var names []string
		for _, s := range sections() {
			names = append(names, "["+s.name+"]")
		}
		return fmt.Errorf("%s:%d: %w section [%s]%s", s.File, s.Line, ErrUnknown, printable(s.Name),
			didYouMean("["+s.Name+"]", names))
	}
	for _, a := range s.Assignments {
		if err := b.assignment(known, a, trusted); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) assignment(s *section, a unitfile.Assignment, trusted bool) error {
	if isExtension(a.Key) {
		return nil
	}
	k := s.find(a.Key)
	if k == nil {
		return fmt.Errorf("%s:%d: [%s] %w key %q%s", a.File, a.Line, s.name, ErrUnknown, printable(a.Key),
			s.suggest(a.Key))
	}
	from := Origin{File: a.File, Line: a.Line, Option: "[" + s.name + "] " + k.name + "="}
	if k.privileged && !trusted {
		b.ignore(from)
		return nil
	}
	if a.Value == "" {
		k.reset(b.c)
		return nil
	}
	if err := k.set(b, a.Value, from); err != nil {
		return &ValueError{From: from, Value: a.Value, Err: err}
	}
	return nil
}

func (b *build) ignore(from Origin) {
	b.c.Ignored = append(b.c.Ignored, Ignored{From: from, Reason: "privileged setting in an untrusted file"})
}

// suggest looks for the key in its own section and then in the others, where
// people put it by mistake.
func (s *section) suggest(written string) string {
	for _, other := range sections() {
		if other.name != s.name && slices.Contains(other.names(), written) {
			return fmt.Sprintf(" (it belongs to [%s])", other.name)
		}
	}
	return didYouMean(written, s.names())
}
