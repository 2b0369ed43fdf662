package config

import (
	"fmt"
	"sync"
)

// option is one row of the table that the command line is read over and that
// help, completions and the manual page are made from.
type option struct {
	name    string // long name without dashes; empty for -j and -U
	short   string // one letter without dash, or empty
	arity   arity
	implied string // value of an option given without argument
	meta    string // what help calls the argument
	help    string // one line, as a sentence without full stop
	values  []string
	set     setter // nil: known but not supported
	topic   string // for what is not supported, the area that is missing
}

// optionGroup is a headed part of the table, in the order of the manual.
type optionGroup struct {
	title   string
	options []option
}

// optionGroups gives the table in the order of systemd-nspawn(1).
var optionGroups = sync.OnceValue(func() []optionGroup {
	return []optionGroup{
		{"General", generalOptions()},
		{"Image", imageOptions()},
		{"Execution", executionOptions()},
		{"System Identity", identityOptions()},
		{"Properties", propertyOptions()},
		{"User Namespacing", userOptions()},
		{"Networking", networkOptions()},
		{"Security", securityOptions()},
		{"Resources", resourceOptions()},
		{"Integration", integrationOptions()},
		{"Mounts", mountOptions()},
		{"Input/Output", consoleOptions()},
		{"Credentials", credentialOptions()},
	}
})

// optionTable is every option in one list.
var optionTable = sync.OnceValue(func() []*option {
	var all []*option
	for _, g := range optionGroups() {
		for i := range g.options {
			all = append(all, &g.options[i])
		}
	}
	return all
})

func longNames() []string {
	var names []string
	for _, o := range optionTable() {
		if o.name != "" {
			names = append(names, "--"+o.name)
		}
	}
	return names
}

func (o *option) unsupported() error {
	return refuse(o.topic)
}

// OptionDoc describes one option of systemd-nspawn's command line.
type OptionDoc struct {
	Group     string
	Name      string   // long name without dashes, empty for a letter alone
	Short     string   // letter without dash, or empty
	Argument  string   // what help calls the argument; empty: takes none
	Optional  bool     // the argument may be left out; given, it follows "="
	Values    []string // every word the argument may be, where the list is closed
	Help      string   // one line
	Supported bool     // false: known, and refused with an error that says so
	Missing   string   // for what is not supported, the area that is missing
}

// Options describes every option in the order of systemd-nspawn(1): the one
// source of help text, shell completion and manual page.
func Options() []OptionDoc {
	var docs []OptionDoc
	for _, g := range optionGroups() {
		for _, o := range g.options {
			docs = append(docs, OptionDoc{
				Group: g.title, Name: o.name, Short: o.short,
				Argument: o.meta, Optional: o.arity == optionalArgument,
				Values: o.values, Help: o.help,
				Supported: o.topic == "", Missing: o.topic,
			})
		}
	}
	return docs
}

func refuse(topic string) error { return fmt.Errorf("%w (%s)", ErrUnsupported, topic) }
