// Package verify is firn-init verify: it tells what of a tree of units firn supports, what it ignores on purpose and
// why, and what it lacks.
//
// Role: a command beside PID 1's work, for whoever moves a system to firn-init. Input: arguments and a root directory.
// Output: a report in lines, and an exit code. Nothing is changed, and nothing of the running system is asked.
package verify

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
	"firn/init/internal/unitload"
	"firn/init/unitfile"
)

// Usage is the text of verify --help.
const Usage = `firn-init verify [--root DIR] [--quiet] [UNIT...]

Reads units as firn-init would and tells, file by file and line by line, what is wrong with them, which settings are
ignored on purpose and why, and which are not supported. Without UNIT, all units of the tree.

      --root DIR   the system whose units are read, / by default
  -q, --quiet      only what is wrong; not what is ignored or unsupported
  -h, --help       show this text

Exits with 0, with 1 if a unit cannot be used, with 2 for a mistake on the command line.
`

// Exit codes.
const (
	exitBad   = 1
	exitUsage = 2
)

// request is what the arguments ask for.
type request struct {
	root  string
	quiet bool
	help  bool
	units []unit.Name
}

// Asked tells whether a command line of firn-init is for verify. A program of that name runs with "--" before it. Whoever
// calls firn-init as init wants an init.
func Asked(argv []string) bool {
	return len(argv) > 1 && argv[1] == "verify" && path.Base(argv[0]) != "init"
}

// Run carries out verify with the words after it.
func Run(args []string, stdout, stderr io.Writer) int {
	req, err := parseArgs(args)
	if err == nil && req.help {
		_, err = io.WriteString(stdout, Usage)
		return code(err)
	}
	if err != nil {
		fmt.Fprintf(stderr, "firn-init: cannot verify: %v; see firn-init verify --help\n", err)
		return exitUsage
	}
	bad, err := verify(req, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "firn-init: cannot verify: %v\n", err)
		return exitBad
	}
	if bad {
		return exitBad
	}
	return 0
}

func code(err error) int {
	if err != nil {
		return exitBad
	}
	return 0
}

func parseArgs(args []string) (request, error) {
	req := request{root: "/"}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		value, given := strings.CutPrefix(word, "--root=")
		switch {
		case given:
			req.root = value
		case word == "--root" && len(args) > 0:
			req.root, args = args[0], args[1:]
		case word == "-q" || word == "--quiet":
			req.quiet = true
		case word == "-h" || word == "--help":
			req.help = true
		case strings.HasPrefix(word, "-"):
			return req, fmt.Errorf("unknown option, or one without its value: %s", word)
		default:
			name, err := unit.ParseName(word)
			if err != nil {
				if name, err = unit.ParseName(word + ".service"); err != nil {
					return req, fmt.Errorf("%s: %w", word, err)
				}
			}
			req.units = append(req.units, name)
		}
	}
	return req, nil
}

// verify writes the report and tells whether one of the units asked for cannot be used.
func verify(req request, out io.Writer) (bad bool, err error) {
	root, err := unitload.OpenRoot(req.root)
	if err != nil {
		return false, err
	}
	defer root.Close()
	defaults, problems, err := unitload.Defaults(root)
	if err != nil {
		return false, err
	}
	loader, err := unitload.New(root, unitload.Facts(root), defaults)
	if err != nil {
		return false, err
	}
	names := req.units
	if len(names) == 0 {
		names = loader.Names()
	}
	for i, n := range names { // a template is read as one of its instances
		names[i] = n.WithInstance("instance")
	}
	set := loader.Load(names...)
	w := &writer{out: out}
	for _, warning := range append(problems, loader.Warnings()...) {
		w.line("%s", warning)
	}
	r := newReport(root, req.quiet)
	for _, u := range r.units(set, names) {
		bad = r.unit(w, u) || bad
	}
	if !req.quiet {
		r.summary(w)
	}
	return bad, w.err
}

// writer keeps the first error.
type writer struct {
	out io.Writer
	err error
}

func (w *writer) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = fmt.Fprintf(w.out, format+"\n", args...)
	}
}

// report counts while it goes through the units.
type report struct {
	fsys   fs.FS
	quiet  bool
	states [unit.LoadError + 1]int
	clean  int // units of which nothing is lost
	tally  map[string]*use
	counts [unit.Unsupported + 1]int
	other  int // unknown keys
}

// use is one setting in all units.
type use struct {
	name    string
	setting *unit.Setting
	count   int
}

func newReport(fsys fs.FS, quiet bool) *report {
	return &report{fsys: fsys, quiet: quiet, tally: map[string]*use{}}
}

// units are those asked for, each once, by their own names.
func (r *report) units(set *unitload.Set, names []unit.Name) []*unit.Unit {
	var list []*unit.Unit
	seen := map[*unit.Unit]bool{}
	for _, n := range names {
		if u := set.Get(n); !seen[u] {
			seen[u] = true
			list = append(list, u)
		}
	}
	slices.SortFunc(list, func(a, b *unit.Unit) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// unit reports one unit, and whether it cannot be used.
func (r *report) unit(w *writer, u *unit.Unit) (bad bool) {
	r.states[u.State]++
	switch u.State {
	case unit.BadSetting, unit.LoadError:
		w.line("%s: %s: %v", u.Name, u.State, u.Err)
		bad = true
	case unit.NotFound:
		w.line("%v", u.Err)
		bad = true
	}
	for _, warning := range u.Warnings {
		w.line("%s", warning)
	}
	lost := false
	for _, n := range u.Notes {
		lost = lost || n.Setting.Support == unit.Unsupported
		if !r.quiet {
			w.line("%s:%d: [%s] %s: %s: %s", n.File, n.Line, n.Section, n.Setting.Key, n.Setting.Support, n.Setting.Reason)
		}
	}
	if u.State == unit.Loaded {
		if !lost && len(u.Warnings) == 0 {
			r.clean++
		}
		r.count(u)
	}
	return bad
}

// count goes through a unit's text again: a Unit does not remember the settings that were fine.
func (r *report) count(u *unit.Unit) {
	files := u.Dropins
	if u.Fragment != "" {
		files = append([]string{u.Fragment}, files...)
	}
	for _, name := range files {
		file, err := unitfile.Read(r.fsys, name[1:])
		if err != nil {
			continue // the loader has said so
		}
		for section, a := range file.All() {
			if strings.HasPrefix(a.Key, "X-") || strings.HasPrefix(section.Name, "X-") {
				continue
			}
			setting, ok := unit.Lookup(section.Name, a.Key)
			if !ok {
				r.other++
				continue
			}
			r.counts[setting.Support]++
			key := section.Name + "." + a.Key
			if r.tally[key] == nil {
				r.tally[key] = &use{name: key, setting: setting}
			}
			r.tally[key].count++
		}
	}
}

func (r *report) summary(w *writer) {
	w.line("")
	list := make([]*use, 0, len(r.tally))
	for _, s := range r.tally {
		if s.setting.Support != unit.Supported {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b *use) int {
		return cmp.Or(cmp.Compare(b.setting.Support, a.setting.Support), cmp.Compare(b.count, a.count), cmp.Compare(a.name, b.name))
	})
	for _, s := range list {
		w.line("%5d  %-11s  %-36s  %s", s.count, s.setting.Support, s.name, s.setting.Reason)
	}
	if len(list) > 0 {
		w.line("")
	}
	w.line("settings: %d supported, %d ignored on purpose, %d unsupported, %d unknown",
		r.counts[unit.Supported], r.counts[unit.Ignored], r.counts[unit.Unsupported], r.other)
	w.line("units: %d loaded (%d without loss), %d masked, %d not found, %d that cannot be used",
		r.states[unit.Loaded], r.clean, r.states[unit.Masked], r.states[unit.NotFound],
		r.states[unit.BadSetting]+r.states[unit.LoadError])
}
