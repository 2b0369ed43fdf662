package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"firn/init/internal/unit"
)

// world records what a machine does. Processes end when a test says so.
type world struct {
	m      *Machine
	log    []string
	armed  unit.Span
	group  int // processes beside main and control
	find   Found
	broken unit.ExecPhase
	breaks bool
	states []string
}

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) Spawn(phase unit.ExecPhase, index int, main bool) error {
	if w.breaks && w.broken == phase {
		return errors.New("no more processes")
	}
	w.say("%s#%d", phase, index)
	return nil
}

func (w *world) Kill(to Target, sig unit.Signal) bool {
	found := to&Main != 0 && w.m.MainAlive() || to&Control != 0 && w.m.ControlAlive() || to&Group != 0 && w.group > 0
	if found && sig != 18 {
		w.say("kill %d", sig)
	}
	return found
}

func (w *world) Empty() bool       { return !w.m.MainAlive() && !w.m.ControlAlive() && w.group == 0 }
func (w *world) FindMain() Found   { return w.find }
func (w *world) Arm(d unit.Span)   { w.armed = d }
func (w *world) Restart()          { w.say("restart") }
func (w *world) Note(string)       {}
func (w *world) Entered(Sub, bool) { w.states = append(w.states, w.m.Sub.String()) }

func newWorld(kind unit.ServiceKind, change func(*unit.Service, *unit.Kill)) *world {
	s := &unit.Service{
		Type: kind, TimeoutStart: 90 * time.Second, TimeoutStop: 80 * time.Second, RuntimeMax: unit.Infinity,
		RestartDelay: 100 * time.Millisecond, RestartMaxDelay: unit.Infinity,
	}
	for _, p := range []unit.ExecPhase{unit.ExecStart} {
		s.Commands[p] = []unit.Command{{Path: "/x"}}
	}
	k := &unit.Kill{Signal: 15, FinalSignal: 9, WatchdogSignal: 6, SendSIGKILL: true}
	if change != nil {
		change(s, k)
	}
	w := &world{find: MainFound}
	w.m = &Machine{Service: s, KillBy: k, Do: w}
	return w
}

var (
	ok     = Exit{}
	code1  = Exit{Status: 1}
	term   = Exit{Signaled: true, Status: 15}
	killed = Exit{Signaled: true, Status: 9}
	dumped = Exit{Signaled: true, Dumped: true, Status: 11}
)

// play runs events, by words: begin, end, reload, main/control and an exit, empty, time, ready ...
func (w *world) play(words string) {
	exits := map[string]Exit{"0": ok, "1": code1, "term": term, "killed": killed, "dumped": dumped, "255": {Status: 255}, "7": {Status: 7}}
	for _, word := range strings.Fields(words) {
		what, how, _ := strings.Cut(word, ":")
		switch what {
		case "begin":
			w.m.Begin()
		case "end":
			w.m.End(false)
		case "reload":
			w.m.BeginReload()
		case "main":
			w.m.MainExited(exits[how])
		case "control":
			w.m.ControlExited(exits[how])
		case "fork":
			w.group++
		case "gone":
			w.group = 0
			w.m.GroupEmpty()
		case "time":
			w.m.Expired()
		case "ready":
			w.m.Ready()
		case "reloading":
			w.m.Reloading()
		case "stopping":
			w.m.Stopping()
		case "executed":
			w.m.Executed()
		case "watchdog":
			w.m.WatchdogExpired()
		case "oom":
			w.m.OOMKilled()
		case "pidfile":
			w.find = MainFound
			w.m.PIDFileChanged()
		default:
			panic(word)
		}
	}
}

func cmds(n int) (list []unit.Command) {
	for range n {
		list = append(list, unit.Command{Path: "/x"})
	}
	return list
}

func TestMachine(t *testing.T) {
	t.Parallel()
	type change = func(*unit.Service, *unit.Kill)
	all := func(s *unit.Service, _ *unit.Kill) {
		for _, p := range []unit.ExecPhase{unit.ExecCondition, unit.ExecStartPre, unit.ExecStartPost, unit.ExecStop, unit.ExecStopPost, unit.ExecReload} {
			s.Commands[p] = cmds(1)
		}
	}
	restart := func(p unit.RestartPolicy) change {
		return func(s *unit.Service, _ *unit.Kill) { s.Restart = p }
	}
	for name, tt := range map[string]struct {
		kind   unit.ServiceKind
		change change
		play   string
		log    string
		sub    Sub
		result Result
	}{
		"simple":         {unit.Simple, nil, "begin", "ExecStart#0", Running, Success},
		"simple ends":    {unit.Simple, nil, "begin main:0", "ExecStart#0", Dead, Success},
		"simple fails":   {unit.Simple, nil, "begin main:1", "ExecStart#0", Failed, ExitCode},
		"simple termed":  {unit.Simple, nil, "begin main:term", "ExecStart#0", Dead, Success},
		"simple killed":  {unit.Simple, nil, "begin main:killed", "ExecStart#0", Failed, Signal},
		"simple dumped":  {unit.Simple, nil, "begin main:dumped", "ExecStart#0", Failed, CoreDump},
		"simple remains": {unit.Simple, func(s *unit.Service, _ *unit.Kill) { s.RemainAfterExit = true }, "begin main:0", "ExecStart#0", Exited, Success},
		"simple stopped": {unit.Simple, nil, "begin end main:term", "ExecStart#0 kill 15", Dead, Success},
		"stubborn":       {unit.Simple, nil, "begin end time main:killed", "ExecStart#0 kill 15 kill 9", Failed, Timeout},
		"leftovers":      {unit.Simple, nil, "begin fork main:0 gone", "ExecStart#0 kill 15", Dead, Success},
		"leftovers stay": {unit.Simple, nil, "begin fork main:0 time time time time", "ExecStart#0 kill 15 kill 9 kill 15 kill 9", Failed, Timeout},
		"immortal":       {unit.Simple, nil, "begin end time time", "ExecStart#0 kill 15 kill 9 kill 15", FinalSigterm, Timeout},
		"exec":           {unit.ExecService, nil, "begin executed", "ExecStart#0", Running, Success},
		"exec waits":     {unit.ExecService, nil, "begin", "ExecStart#0", Start, Success},
		"exec fails":     {unit.ExecService, nil, "begin main:1", "ExecStart#0", Failed, ExitCode},
		"all phases": {unit.Simple, all, "begin control:0 control:0 control:0 end control:0 main:term control:0",
			"ExecCondition#0 ExecStartPre#0 ExecStart#0 ExecStartPost#0 ExecStop#0 kill 15 ExecStopPost#0", Dead, Success},
		"condition no":    {unit.Simple, all, "begin control:1 control:0", "ExecCondition#0 ExecStopPost#0", Dead, ExecCondition},
		"condition fails": {unit.Simple, all, "begin control:255 control:0", "ExecCondition#0 ExecStopPost#0", Failed, ExitCode},
		"pre fails":       {unit.Simple, all, "begin control:0 control:1 control:0", "ExecCondition#0 ExecStartPre#0 ExecStopPost#0", Failed, ExitCode},
		"post fails": {unit.Simple, all, "begin control:0 control:0 control:1 main:term control:0",
			"ExecCondition#0 ExecStartPre#0 ExecStart#0 ExecStartPost#0 kill 15 ExecStopPost#0", Failed, ExitCode},
		"pre ignored": {unit.Simple, func(s *unit.Service, _ *unit.Kill) {
			s.Commands[unit.ExecStartPre] = []unit.Command{{Flags: unit.IgnoreFailure}}
		}, "begin control:1", "ExecStartPre#0 ExecStart#0", Running, Success},
		"oneshot":        {unit.Oneshot, func(s *unit.Service, _ *unit.Kill) { s.Commands[unit.ExecStart] = cmds(2) }, "begin main:0 main:0", "ExecStart#0 ExecStart#1", Dead, Success},
		"oneshot fails":  {unit.Oneshot, func(s *unit.Service, _ *unit.Kill) { s.Commands[unit.ExecStart] = cmds(2) }, "begin main:1", "ExecStart#0", Failed, ExitCode},
		"oneshot termed": {unit.Oneshot, nil, "begin main:term", "ExecStart#0", Failed, Signal},
		"oneshot remains": {unit.Oneshot, func(s *unit.Service, _ *unit.Kill) { s.RemainAfterExit = true; s.Commands[unit.ExecStop] = cmds(2) },
			"begin main:0 end control:0 control:0", "ExecStart#0 ExecStop#0 ExecStop#1", Dead, Success},
		"oneshot for its stop": {unit.Oneshot, func(s *unit.Service, _ *unit.Kill) {
			s.RemainAfterExit, s.Commands[unit.ExecStart] = true, nil
		}, "begin", "", Exited, Success},
		"success status": {unit.Oneshot, func(s *unit.Service, _ *unit.Kill) { s.SuccessExit.AddCode(7) }, "begin main:7", "ExecStart#0", Dead, Success},
		"oneshot late":   {unit.Oneshot, nil, "begin time main:term", "ExecStart#0 kill 15", Failed, Timeout},
		"notify":         {unit.Notify, nil, "begin ready", "ExecStart#0", Running, Success},
		"notify mute":    {unit.Notify, nil, "begin main:0", "ExecStart#0", Failed, Protocol},
		"notify late":    {unit.Notify, nil, "begin time main:killed", "ExecStart#0 kill 15", Failed, Timeout},
		"notify reloads": {unit.Notify, nil, "begin ready reloading", "ExecStart#0", Reload, Success},
		"notify back":    {unit.Notify, nil, "begin ready reloading ready", "ExecStart#0", Running, Success},
		"notify stops":   {unit.Notify, nil, "begin ready stopping main:0", "ExecStart#0", Dead, Success},
		"reload signal":  {unit.NotifyReload, func(s *unit.Service, _ *unit.Kill) { s.ReloadSignal = 1 }, "begin ready reload ready", "ExecStart#0 kill 1", Running, Success},
		"reload":         {unit.Simple, all, "begin control:0 control:0 control:0 reload control:1", "ExecCondition#0 ExecStartPre#0 ExecStart#0 ExecStartPost#0 ExecReload#0", Running, Success},
		"forking":        {unit.Forking, nil, "begin control:0", "ExecStart#0", Running, Success},
		"forking ends":   {unit.Forking, nil, "begin control:0 main:0", "ExecStart#0", Dead, Success},
		"forking fails":  {unit.Forking, nil, "begin control:1", "ExecStart#0", Failed, ExitCode},
		"watchdog":       {unit.Simple, nil, "begin watchdog main:dumped", "ExecStart#0 kill 6", Failed, Watchdog},
		"out of memory":  {unit.Simple, nil, "begin oom main:term", "ExecStart#0 kill 15", Failed, OOMKill},
		"runtime":        {unit.Simple, nil, "begin time main:term", "ExecStart#0 kill 15", Failed, Timeout},
		"hangup":         {unit.Simple, func(_ *unit.Service, k *unit.Kill) { k.SendSIGHUP = true }, "begin end main:term", "ExecStart#0 kill 15 kill 1", Dead, Success},
		"mixed":          {unit.Simple, func(_ *unit.Service, k *unit.Kill) { k.Mode = unit.KillMixed }, "begin fork end main:term gone", "ExecStart#0 kill 15 kill 9", Dead, Success},
		"process":        {unit.Simple, func(_ *unit.Service, k *unit.Kill) { k.Mode = unit.KillProcess }, "begin fork end main:term", "ExecStart#0 kill 15", Dead, Success},
		"none":           {unit.Simple, func(_ *unit.Service, k *unit.Kill) { k.Mode = unit.KillNone }, "begin end", "ExecStart#0", Dead, Success},
		"always":         {unit.Simple, restart(unit.RestartAlways), "begin main:0", "ExecStart#0", AutoRestart, Success},
		"always again":   {unit.Simple, restart(unit.RestartAlways), "begin main:0 time", "ExecStart#0 restart", AutoRestart, Success},
		"always stopped": {unit.Simple, restart(unit.RestartAlways), "begin main:0 end", "ExecStart#0", Dead, Success},
		"stop wins":      {unit.Simple, restart(unit.RestartAlways), "begin end main:term", "ExecStart#0 kill 15", Dead, Success},
		"on-failure":     {unit.Simple, restart(unit.RestartOnFailure), "begin main:1", "ExecStart#0", AutoRestart, ExitCode},
		"on-failure ok":  {unit.Simple, restart(unit.RestartOnFailure), "begin main:0", "ExecStart#0", Dead, Success},
		"on-abnormal":    {unit.Simple, restart(unit.RestartOnAbnormal), "begin main:1", "ExecStart#0", Failed, ExitCode},
		"on-abort":       {unit.Simple, restart(unit.RestartOnAbort), "begin main:killed", "ExecStart#0", AutoRestart, Signal},
		"on-success":     {unit.Simple, restart(unit.RestartOnSuccess), "begin main:1", "ExecStart#0", Failed, ExitCode},
		"prevented":      {unit.Simple, func(s *unit.Service, _ *unit.Kill) { s.Restart = unit.RestartAlways; s.RestartPreventExit.AddCode(7) }, "begin main:7", "ExecStart#0", Failed, ExitCode},
		"forced":         {unit.Simple, func(s *unit.Service, _ *unit.Kill) { s.RestartForceExit.AddCode(7) }, "begin main:7", "ExecStart#0", AutoRestart, ExitCode},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(tt.kind, tt.change)
			w.play(tt.play)
			if got := strings.Join(w.log, " "); got != tt.log {
				t.Errorf("did %q\nwant %q", got, tt.log)
			}
			if w.m.Sub != tt.sub || w.m.Result != tt.result {
				t.Errorf("is %s, %s; want %s, %s (by %v)", w.m.Sub, w.m.Result, tt.sub, tt.result, w.states)
			}
		})
	}
}

func TestPIDFile(t *testing.T) {
	t.Parallel()
	w := newWorld(unit.Forking, nil)
	w.find, w.group = MainNotYet, 1
	w.play("begin control:0")
	if w.m.Sub != Start {
		t.Fatalf("is %s", w.m.Sub)
	}
	w.play("pidfile")
	if w.m.Sub != Running || !w.m.MainAlive() {
		t.Errorf("is %s", w.m.Sub)
	}
	w = newWorld(unit.Forking, nil)
	w.find = MainNotYet
	w.play("begin control:0")
	if w.m.Sub != Failed || w.m.Result != Protocol {
		t.Errorf("is %s, %s", w.m.Sub, w.m.Result)
	}
	w = newWorld(unit.Forking, nil)
	w.find, w.group = MainUnknown, 2
	w.play("begin control:0 gone")
	if w.m.Sub != Dead || !slices.Contains(w.states, "running") {
		t.Errorf("by %v", w.states)
	}
}

func TestSpawnFails(t *testing.T) {
	t.Parallel()
	for _, phase := range []unit.ExecPhase{unit.ExecStartPre, unit.ExecStart} {
		w := newWorld(unit.Simple, func(s *unit.Service, _ *unit.Kill) { s.Commands[unit.ExecStartPre] = cmds(1) })
		w.breaks, w.broken = true, phase
		w.play("begin")
		if phase == unit.ExecStart {
			w.play("control:0")
		}
		if w.m.Sub != Failed || w.m.Result != Resources {
			t.Errorf("%s: is %s, %s", phase, w.m.Sub, w.m.Result)
		}
	}
}

// TestRestartDelay: the delays grow by one factor, and begin anew with a start by somebody else.
func TestRestartDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(unit.Simple, func(s *unit.Service, _ *unit.Kill) {
		s.Restart, s.RestartDelay, s.RestartMaxDelay, s.RestartSteps = unit.RestartAlways, time.Second, 16*time.Second, 4
	})
	w.play("begin")
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 16} {
		w.play("main:1")
		if got := w.armed.Round(time.Millisecond); got != want*time.Second {
			t.Errorf("delay %s, want %ss", got, want)
		}
		w.play("time end begin") // as the restart job does
	}
	if w.m.Restarts != 6 {
		t.Errorf("%d restarts", w.m.Restarts)
	}
	w.play("end main:term begin")
	if w.m.Restarts != 0 {
		t.Errorf("%d restarts after a start", w.m.Restarts)
	}
}
