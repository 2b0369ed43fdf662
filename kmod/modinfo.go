package kmod

import (
	"strings"
)

// .modinfo is a run of NUL-terminated "KEY=VALUE" strings in the order in which
// the source had its MODULE_ macros, with NULs between for alignment. Values of
// one key can repeat; a value can hold newlines. modules.builtin.modinfo is the
// same with "MODULE." in front of each.

// A Field is one entry of .modinfo.
type Field struct{ Key, Value string }

// A Modinfo is all that a module says about itself.
type Modinfo struct {
	Fields []Field
	// Signature is what the appended signature says, nil if there is none.
	Signature *Signature
}

// Value returns the first value of a key, "" if there is none.
func (m *Modinfo) Value(key string) string {
	for _, f := range m.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return ""
}

// ParseModinfo reads the content of a .modinfo section.
func ParseModinfo(section []byte) []Field {
	var fields []Field
	eachModinfo(string(section), func(key, value string) {
		fields = append(fields, Field{key, value})
	})
	return fields
}

// eachModinfo cuts one string copy of the section into its fields.
func eachModinfo(text string, yield func(key, value string)) {
	for text != "" {
		entry := text
		if i := strings.IndexByte(text, 0); i >= 0 {
			entry, text = text[:i], text[i+1:]
		} else {
			text = ""
		}
		if key, value, ok := strings.Cut(entry, "="); ok {
			yield(key, value)
		}
	}
}

// ReadModinfo reads a module file.
func ReadModinfo(path string) (*Modinfo, error) {
	im, err := openImage(path)
	if err != nil {
		return nil, err
	}
	defer im.Close()
	f, err := openElf(im)
	if err != nil {
		return nil, err
	}
	section, err := f.named(".modinfo", nil)
	if err != nil {
		return nil, err
	}
	info := &Modinfo{Fields: ParseModinfo(section)}
	info.Signature, err = readSignature(im)
	return info, err
}
