package unitfile

import "iter"

// File is the text of one file taken apart, or of a main file with its drop-ins
// appended in the order in which they apply.
type File struct {
	Name     string    // the main file's name, as given to Parse
	Sections []Section // in the order of the text; a section that is opened twice stands here twice
	Warnings []Warning // lines that systemd skips
}

// Section is one section header and the assignments up to the next.
type Section struct {
	Name        string
	File        string
	Line        int // of the header
	Assignments []Assignment
}

// Assignment is one KEY=VALUE. The value has its surrounding blanks removed and
// its continuation lines joined; quotes, escapes and specifiers are untouched.
type Assignment struct {
	Key, Value string
	File       string
	Line       int // the first of its lines, from 1
}

// Warning is a line that has no effect but was not meant to be ignored.
type Warning = LineError

// All goes through the assignments of every section in order.
func (f *File) All() iter.Seq2[*Section, Assignment] {
	return func(yield func(*Section, Assignment) bool) {
		for i := range f.Sections {
			for _, a := range f.Sections[i].Assignments {
				if !yield(&f.Sections[i], a) {
					return
				}
			}
		}
	}
}

// Last returns the assignment that counts for a key that holds one value: the
// last one. An empty value is an assignment too.
func (f *File) Last(section, key string) (Assignment, bool) {
	var last Assignment
	found := false
	for s, a := range f.All() {
		if s.Name == section && a.Key == key {
			last, found = a, true
		}
	}
	return last, found
}

// Values returns the assignments that count for a key that holds a list: those
// after the last empty value.
func (f *File) Values(section, key string) []Assignment {
	var list []Assignment
	for s, a := range f.All() {
		if s.Name != section || a.Key != key {
			continue
		}
		if a.Value == "" {
			list = nil
			continue
		}
		list = append(list, a)
	}
	return list
}

// Append puts a drop-in after f: its assignments override single values and
// extend lists, as systemd.unit(5) says of drop-ins.
func (f *File) Append(dropin *File) {
	f.Sections = append(f.Sections, dropin.Sections...)
	f.Warnings = append(f.Warnings, dropin.Warnings...)
}
