package unit

import (
	"strings"
	"sync"
)

// Support tells what firn does with a setting.
type Support uint8

// Support, from best to worst.
const (
	Supported   Support = iota
	Ignored             // on purpose: Reason says why nothing is lost
	Unsupported         // systemd would act on it and firn does not, or not yet: Reason says what is missing
)

func (s Support) String() string { return [...]string{"supported", "ignored", "unsupported"}[s] }

// Setting is one row of the table of settings. Sections share the rows of what they have in common.
type Setting struct {
	Key     string
	Support Support
	Reason  string // of Ignored and Unsupported, in a few words
	parse   parser // nil: the value is not looked at
}

// parser reads one assignment's value into a unit. The value is raw.
type parser func(r *reader, u *Unit, value string) error

func does(key string, parse parser) Setting { return Setting{Key: key, parse: parse} }

func ignores(reason string, keys ...string) []Setting { return same(Ignored, reason, keys) }

func lacks(reason string, keys ...string) []Setting { return same(Unsupported, reason, keys) }

func same(support Support, reason string, keys []string) []Setting {
	rows := make([]Setting, len(keys))
	for i, key := range keys {
		rows[i] = Setting{Key: key, Support: support, Reason: reason}
	}
	return rows
}

// with says of a row that is read why it has no effect, or not its whole effect.
func (s Setting) with(support Support, reason string) Setting {
	s.Support, s.Reason = support, reason
	return s
}

// group is a part of the table that sections share, by key.
type group map[string]*Setting

func newGroup(lists ...[]Setting) group {
	rows := join(lists...)
	g := make(group, len(rows))
	for i := range rows {
		g[rows[i].Key] = &rows[i]
	}
	return g
}

// tables lists each section's groups. They are made when the first unit is read: an init without units has none.
var tables = sync.OnceValue(func() map[string][]group {
	process := newGroup(execSettings(), sandboxSettings())
	kill, control := newGroup(killSettings()), newGroup(cgroupSettings())
	return map[string][]group{
		"Unit":      {newGroup(unitSettings(), conditionSettings())},
		"Install":   {newGroup(installSettings())},
		"Service":   {newGroup(serviceSettings()), process, control, kill},
		"Socket":    {newGroup(socketSettings(), socketOptionSettings()), process, control, kill},
		"Mount":     {newGroup(mountSettings()), process, control, kill},
		"Swap":      {newGroup(swapSettings()), process, control, kill},
		"Automount": {newGroup(automountSettings())},
		"Timer":     {newGroup(timerSettings())},
		"Path":      {newGroup(pathSettings())},
		"Slice":     {control},
		"Scope":     {newGroup(scopeSettings()), control, kill},
	}
})

func join(lists ...[]Setting) []Setting {
	var all []Setting
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// Lookup finds a setting in the table.
func Lookup(section, key string) (*Setting, bool) {
	for _, g := range tables()[section] {
		if s, ok := g[key]; ok {
			return s, true
		}
	}
	return nil, false
}

// isExtension tells whether a section or key is somebody's own: systemd.syntax(7) leaves those with X- to others.
func isExtension(name string) bool { return strings.HasPrefix(name, "X-") }

// suggest finds the key of a section that a misspelt one was meant to be, or "".
func suggest(section, key string) string {
	best, found := len(key)/4+2, "" // what is further away was hardly meant
	for _, g := range tables()[section] {
		for known := range g {
			d := distance(strings.ToLower(key), strings.ToLower(known), best+1)
			if d < best || d == best && found != "" && known < found {
				best, found = d, known
			}
		}
	}
	return found
}

// distance is the number of letters to insert, delete or exchange; limit or more is not counted to its end.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}
