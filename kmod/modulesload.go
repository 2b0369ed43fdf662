package kmod

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// modules-load.d(5): one module a line; blank lines and those whose first
// character is '#' or ';' are skipped. Files are ordered by name over all
// directories, and one in /etc masks its namesakes. The kernel command line adds
// modules_load=A,B and, in an initrd, rd.modules_load=A,B.

// ModulesLoadDirs are its directories, highest precedence first.
var ModulesLoadDirs = []string{"/etc/modules-load.d", "/run/modules-load.d", "/usr/local/lib/modules-load.d", "/usr/lib/modules-load.d", "/lib/modules-load.d"}

// A ListEntry is a module that a list asks for.
type ListEntry struct {
	Name   string
	Origin Origin
}

// ReadLists reads every list below root and then the kernel command line. A file
// that cannot be read is an error joined to the others'; the entries of those
// that can be read are returned all the same.
func ReadLists(root, commandLine string) ([]ListEntry, error) {
	files, err := ListConfFiles(root, ModulesLoadDirs)
	if err != nil {
		return nil, fmt.Errorf("read modules-load.d: %w", err)
	}
	var entries []ListEntry
	var errs []error
	for _, file := range files {
		data, err := readIn(root, file.Path)
		if err != nil {
			errs = append(errs, fmt.Errorf("read list: %w", err))
			continue
		}
		entries = append(entries, ParseList(data, file.Path)...)
	}
	// rd.modules_load is for the initrd, which is known by this file.
	_, err = readIn(root, "/etc/initrd-release")
	entries = append(entries, ParseListCommandLine(commandLine, err == nil)...)
	return unique(entries), errors.Join(errs...)
}

// ReadList reads one file that was named explicitly, whatever its name.
func ReadList(root, path string) ([]ListEntry, error) {
	data, err := readIn(root, path)
	if err != nil {
		return nil, fmt.Errorf("read list: %w", err)
	}
	return unique(ParseList(data, path)), nil
}

// ParseList reads one list.
func ParseList(data []byte, file string) []ListEntry {
	var entries []ListEntry
	_ = eachLine(data, func(n int, line string) error {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != ';' {
			entries = append(entries, ListEntry{line, Origin{file, n}})
		}
		return nil
	})
	return entries
}

// ParseListCommandLine reads modules_load= and, where initrd is true,
// rd.modules_load= of the kernel command line.
func ParseListCommandLine(text string, initrd bool) []ListEntry {
	var entries []ListEntry
	for _, word := range splitCommandLine(text) {
		key, value, _ := strings.Cut(word, "=")
		key = strings.ReplaceAll(key, "-", "_")
		if key != "modules_load" && (key != "rd.modules_load" || !initrd) {
			continue
		}
		for _, name := range strings.Split(value, ",") {
			if name != "" {
				entries = append(entries, ListEntry{name, Origin{File: CommandLineFile}})
			}
		}
	}
	return entries
}

// unique drops repeated names, the first stays.
func unique(entries []ListEntry) []ListEntry {
	seen := map[string]bool{}
	kept := entries[:0]
	for _, e := range entries {
		if name := Normalize(e.Name); !seen[name] {
			seen[name] = true
			kept = append(kept, e)
		}
	}
	return kept
}

// A Status says what became of an entry of a list.
type Status uint8

const (
	StatusLoaded Status = iota // this call loaded it
	StatusAlreadyLoaded
	StatusBuiltin
	StatusMissing     // no module of that name
	StatusBlacklisted // the configuration forbids it
	StatusDenied      // this process may not load modules
	StatusNoDevice    // it found no hardware
	StatusFailed      // anything else, see Err
)

var statusWords = [...]string{"loaded", "already loaded", "built in", "missing", "blacklisted", "denied", "no device", "failed"}

func (s Status) String() string { return statusWords[s] }

// Failure says whether a boot should report the status as a failure. Lists name
// what is nice to have on any machine: only StatusFailed is one.
func (s Status) Failure() bool { return s == StatusFailed }

// An Outcome is what became of one entry.
type Outcome struct {
	Name   string
	Origin Origin
	Status Status
	// Err is the reason behind a status other than loaded, already loaded or built
	// in.
	Err error
}

// LoadModules loads the entries of lists, independent ones in parallel, with their
// dependencies, softdeps, options and install commands. Outcomes are in the
// order of the entries. Blacklisted modules are left out even if a list names
// them, as systemd-modules-load does. Without CAP_SYS_MODULE nothing is tried:
// whatever would have to be loaded is StatusDenied, which the caller should say once.
func LoadModules(ctx context.Context, entries []ListEntry, l *Loader) []Outcome {
	outcomes := make([]Outcome, len(entries))
	var plans []*Plan
	var owner []int // plan -> entry
	for i, e := range entries {
		outcomes[i] = Outcome{Name: e.Name, Origin: e.Origin}
		planned, status, err := l.planEntry(e.Name)
		outcomes[i].Status, outcomes[i].Err = status, err
		for _, plan := range planned {
			plans, owner = append(plans, plan), append(owner, i)
		}
	}
	if len(plans) == 0 {
		return outcomes
	}
	for p, err := range l.Load(ctx, plans) {
		outcomes[owner[p]].merge(err)
	}
	return outcomes
}

// planEntry resolves one name. Plans mean that there is something to load.
func (l *Loader) planEntry(name string) (plans []*Plan, status Status, err error) {
	modules, err := l.Context.Lookup(name)
	if err != nil {
		if isNotFound(err) {
			return nil, StatusMissing, err
		}
		return nil, StatusFailed, err
	}
	config := l.Context.Config()
	for _, m := range modules {
		if rule, ok := config.Blacklisted(m.Name); ok {
			status, err = StatusBlacklisted, &BlacklistError{rule}
			continue
		}
		switch l.Context.State(m.Name) {
		case Live:
			return nil, StatusAlreadyLoaded, nil
		case BuiltinState:
			return nil, StatusBuiltin, nil
		}
		if !l.DryRun && !l.canLoad() {
			return nil, StatusDenied, ErrDenied
		}
		plan, err := l.Context.Plan(m, PlanFlags{})
		if err != nil {
			return nil, StatusFailed, err
		}
		plans = append(plans, plan)
	}
	if len(plans) > 0 {
		return plans, StatusLoaded, nil
	}
	return nil, status, err
}

// merge adds the result of one of an entry's plans; the worst one stays.
func (o *Outcome) merge(err error) {
	status := statusOf(err)
	if status >= o.Status {
		o.Status = status
		if status > StatusBuiltin {
			o.Err = err
		}
	}
}

func statusOf(err error) Status {
	switch {
	case err == nil:
		return StatusLoaded
	case errors.Is(err, ErrAlreadyLoaded):
		return StatusAlreadyLoaded
	case errors.Is(err, ErrDenied):
		return StatusDenied
	case errors.Is(err, ErrNoDevice):
		return StatusNoDevice
	case isNotFound(err):
		return StatusMissing
	}
	return StatusFailed
}
