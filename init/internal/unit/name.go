package unit

import (
	"errors"
	"strings"
)

// A unit's name (systemd.unit(5)):
//
//	name     = prefix [ "@" [ instance ] ] "." type
//	prefix   = char { char }
//	instance = { char | "@" }
//	char     = letter | digit | ":" | "-" | "_" | "." | "\"
//	type     = "service" | "socket" | "target" | ...
//
// at most 255 bytes. A name with "@" and no instance is a template.

// Name is a unit's full name, such as "sshd@1.service".
type Name string

// Type is what stands after a name's last dot.
type Type uint8

// Unit types; the zero Type is none.
const (
	NoType Type = iota
	ServiceType
	SocketType
	TargetType
	TimerType
	PathType
	MountType
	AutomountType
	SwapType
	SliceType
	ScopeType
	DeviceType
)

var typeNames = [...]string{"", "service", "socket", "target", "timer", "path", "mount", "automount", "swap", "slice",
	"scope", "device"}

// Types are all types, in the order of their constants.
var Types = []Type{ServiceType, SocketType, TargetType, TimerType, PathType, MountType, AutomountType, SwapType,
	SliceType, ScopeType, DeviceType}

func (t Type) String() string { return typeNames[t] }

// Section is the name of the type's own section in a unit file, "" if it has none.
func (t Type) Section() string {
	switch t {
	case NoType, TargetType, DeviceType:
		return ""
	}
	return strings.ToUpper(typeNames[t][:1]) + typeNames[t][1:]
}

// maxName is the longest name in bytes (systemd.unit(5)).
const maxName = 255

const (
	letters   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits    = "0123456789"
	nameChars = letters + digits + `:-_.\`
)

// ErrName is returned for a text that is no unit's name.
var ErrName = errors.New("not a unit name")

// ParseName checks a name.
func ParseName(s string) (Name, error) {
	n := Name(s)
	if len(s) > maxName || n.Type() == NoType {
		return "", ErrName
	}
	stem := s[:strings.LastIndexByte(s, '.')]
	prefix, _, _ := strings.Cut(stem, "@")
	if prefix == "" || strings.Trim(stem, nameChars+"@") != "" {
		return "", ErrName
	}
	return n, nil
}

// Type returns NoType where the name has none that is known.
func (n Name) Type() Type {
	suffix := string(n[strings.LastIndexByte(string(n), '.')+1:])
	if len(suffix) == len(n) {
		return NoType
	}
	for _, t := range Types {
		if typeNames[t] == suffix {
			return t
		}
	}
	return NoType
}

// Stem is the name without the dot and type.
func (n Name) Stem() string { return string(n[:max(0, strings.LastIndexByte(string(n), '.'))]) }

// Prefix is what stands before "@", or before the type.
func (n Name) Prefix() string {
	prefix, _, _ := strings.Cut(n.Stem(), "@")
	return prefix
}

// Instance is what stands between "@" and the type, "" in a template or a plain name.
func (n Name) Instance() string {
	_, instance, _ := strings.Cut(n.Stem(), "@")
	return instance
}

// IsTemplate tells whether the name has "@" and no instance.
func (n Name) IsTemplate() bool {
	return strings.HasSuffix(n.Stem(), "@") && strings.Count(n.Stem(), "@") == 1
}

// IsInstance tells whether the name has an instance.
func (n Name) IsInstance() bool { return n.Instance() != "" }

// Template is the template's name of an instance, and "" for any other name.
func (n Name) Template() Name {
	if !n.IsInstance() {
		return ""
	}
	return Name(n.Prefix() + "@." + n.Type().String())
}

// WithInstance makes an instance of a template; any other name is returned as it is.
func (n Name) WithInstance(instance string) Name {
	if !n.IsTemplate() {
		return n
	}
	return Name(n.Stem() + instance + "." + n.Type().String())
}

// WithType exchanges the type.
func (n Name) WithType(t Type) Name { return Name(n.Stem() + "." + t.String()) }

// For makes an instance of a template for the unit that depends on it: with that unit's instance, or else its prefix.
// Any other name is returned as it is.
func (n Name) For(dependent Name) Name {
	if i := dependent.Instance(); i != "" {
		return n.WithInstance(i)
	}
	return n.WithInstance(dependent.Prefix())
}
