package job

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"firn/init/internal/unit"
)

// world runs units that do at once what they are told, but for those that a test holds back.
type world struct {
	t      *testing.T
	e      *Engine
	units  map[unit.Name]*unit.Unit
	hold   map[unit.Name]bool    // Accepted, and nothing more
	answer map[unit.Name]Outcome // instead of Accepted
	fail   map[unit.Name]bool    // start ends in failed
	log    []string
	armed  []*Job
}

// newWorld reads units from text: "a: Requires=b After=b,c StopWhenUnneeded".
func newWorld(t *testing.T, lines ...string) *world {
	w := &world{t: t, units: map[unit.Name]*unit.Unit{}, hold: map[unit.Name]bool{}, answer: map[unit.Name]Outcome{}, fail: map[unit.Name]bool{}}
	for _, line := range lines {
		name, rest, _ := strings.Cut(line, ":")
		u := &unit.Unit{Name: unit.Name(name), JobTimeout: unit.Infinity, JobRunningTimeout: unit.Infinity}
		for _, word := range strings.Fields(rest) {
			key, value, ok := strings.Cut(word, "=")
			if !ok {
				w.option(u, word)
				continue
			}
			for _, other := range strings.Split(value, ",") {
				u.Deps.Add(kindNamed(t, key), unit.FromFile, unit.Name(other))
			}
		}
		w.units[u.Name] = u
	}
	w.e = &Engine{
		Graph: NewGraph(w.load), Do: w.do,
		CanReload: func(u *Unit) bool { return u.Name != "noreload" },
		Arm:       func(j *Job, _ time.Duration) { w.armed = append(w.armed, j) },
		Finished:  func(j *Job) { w.say("%s %s: %s", j.Type, j.Unit.Name, j.Result) },
		Notice: func(n Notice) {
			if n.Kind == CycleBroken || n.Kind == RequestFailed {
				w.say("notice %d %s %s", n.Kind, n.Type, n.Unit.Name)
			}
		},
	}
	return w
}

func kindNamed(t *testing.T, name string) unit.DepKind {
	for k := unit.Requires; k <= unit.InSlice; k++ {
		if k.String() == name {
			return k
		}
	}
	t.Fatalf("no dependency %s", name)
	return 0
}

func (w *world) option(u *unit.Unit, word string) {
	switch word {
	case "StopWhenUnneeded":
		u.Options |= unit.StopWhenUnneeded
	case "AllowIsolate":
		u.Options |= unit.AllowIsolate
	case "IgnoreOnIsolate":
		u.Options |= unit.IgnoreOnIsolate
	case "RefuseManualStart":
		u.Options |= unit.RefuseManualStart
	case "Timeout":
		u.JobTimeout = time.Second
	default:
		w.t.Fatalf("no option %s", word)
	}
}

func (w *world) load(name unit.Name) *unit.Unit {
	if u := w.units[name]; u != nil {
		return u
	}
	return &unit.Unit{Name: name, State: unit.NotFound, JobTimeout: unit.Infinity, JobRunningTimeout: unit.Infinity}
}

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) do(u *Unit, verb Type) Outcome {
	if verb == Start && u.State().Up() || verb == Stop && u.State().Down() {
		return AlreadySo
	}
	if o, ok := w.answer[u.Name]; ok && verb == Start {
		return o
	}
	w.say("%s %s", verb, u.Name)
	transient := map[Type]State{Start: Activating, Stop: Deactivating, Reload: Reloading}[verb]
	w.e.Report(u, transient, 0)
	if w.hold[u.Name] {
		return Accepted
	}
	w.end(u, verb)
	return Accepted
}

func (w *world) end(u *Unit, verb Type) {
	switch {
	case verb == Start && w.fail[u.Name]:
		w.e.Report(u, Failed, 0)
	case verb == Stop:
		w.e.Report(u, Inactive, 0)
	default:
		w.e.Report(u, Active, 0)
	}
}

func (w *world) report(name unit.Name, s State, d Detail) {
	w.e.Report(w.e.Unit(name), s, d)
	w.e.Settle()
}

func (w *world) ask(name unit.Name, typ Type, mode unit.JobMode) error {
	_, err := w.e.Request(name, typ, mode)
	w.e.Settle()
	return err
}

func (w *world) must(name unit.Name, typ Type) {
	w.t.Helper()
	if err := w.ask(name, typ, unit.JobReplace); err != nil {
		w.t.Fatal(err)
	}
}

// did compares what was told to units since the last look, jobs' ends left out.
func (w *world) did(want ...string) {
	w.t.Helper()
	var got []string
	for _, l := range w.log {
		if !strings.Contains(l, ":") {
			got = append(got, l)
		}
	}
	w.log = nil
	if !slices.Equal(got, want) {
		w.t.Errorf("did %q\nwant %q", got, want)
	}
}

func (w *world) is(name unit.Name, want State) {
	w.t.Helper()
	if got := w.e.Unit(name).State(); got != want {
		w.t.Errorf("%s is %s, want %s", name, got, want)
	}
}

func (w *world) said(words string) {
	w.t.Helper()
	if !slices.Contains(w.log, words) {
		w.t.Errorf("%q was not said but %q", words, w.log)
	}
}
