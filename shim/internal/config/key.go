package config

import (
	"strings"
	"sync"
)

// key is one row of the table that settings files are read over.
type key struct {
	name string
	set  setter
	// reset takes back what the files said before; an empty value does that.
	reset func(*Config)
	// privileged keys count only in a trusted file. The list is that of
	// systemd.nspawn(5), and beyond it what systemd-nspawn ignores in an
	// untrusted file though its manual does not say so: it is the safe side.
	privileged bool
}

// single is a key for one Value.
func single[T any](name string, field func(*Config) *Value[T], parse func(string) (T, error)) key {
	return key{name: name, set: into(field, parse), reset: func(c *Config) { *field(c) = Value[T]{} }}
}

// list is a key that adds to a list.
func list[T any](name string, field func(*Config) *[]T, set setter) key {
	return key{name: name, set: set, reset: func(c *Config) { *field(c) = nil }}
}

// mounts is a key for one kind of mount; its empty value takes back that kind.
func mounts(name string, set setter, kind MountKind, readOnly bool) key {
	reset := func(c *Config) {
		var kept []Mount
		for _, m := range c.Mounts {
			if m.Kind != kind || m.ReadOnly != readOnly {
				kept = append(kept, m)
			}
		}
		c.Mounts = kept
	}
	return key{name: name, set: set, reset: reset, privileged: true}
}

// privileged marks keys that an untrusted file may not use.
func privileged(keys ...key) []key {
	for i := range keys {
		keys[i].privileged = true
	}
	return keys
}

// section is one section of a settings file and its keys.
type section struct {
	name string
	keys []key
}

// sections are all that a settings file may hold.
var sections = sync.OnceValue(func() []section {
	return []section{
		{"Exec", execKeys()},
		{"Files", filesKeys()},
		{"Network", networkKeys()},
		{"Firn", firnKeys()},
	}
})

func findSection(name string) *section {
	for i := range sections() {
		if s := &sections()[i]; s.name == name {
			return s
		}
	}
	return nil
}

func (s *section) find(name string) *key {
	for i := range s.keys {
		if s.keys[i].name == name {
			return &s.keys[i]
		}
	}
	return nil
}

func (s *section) names() []string {
	names := make([]string, len(s.keys))
	for i := range s.keys {
		names[i] = s.keys[i].name
	}
	return names
}

// isExtension tells of the sections and keys that systemd.syntax(7) leaves to
// other programs.
func isExtension(name string) bool { return strings.HasPrefix(name, "X-") }

// KeyDoc describes one key of a settings file.
type KeyDoc struct {
	Section, Name string
	Privileged    bool // counts only in a trusted file
}

// Keys describes every key of a settings file, in the order of the manual.
func Keys() []KeyDoc {
	var docs []KeyDoc
	for _, s := range sections() {
		for _, k := range s.keys {
			docs = append(docs, KeyDoc{Section: s.name, Name: k.name, Privileged: k.privileged})
		}
	}
	return docs
}
