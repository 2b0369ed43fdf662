package job

import (
	"errors"
	"fmt"
	"testing"

	"firn/init/internal/unit"
)

func TestStartOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Wants=a,b,c After=a,b,c", "a: After=b", "b: After=c Requires=d", "c:", "d: Before=b")
	w.must("t", Start)
	w.did("start c", "start d", "start b", "start a", "start t")
	w.must("t", Stop)
	w.did("stop t")
	w.must("d", Stop)
	w.did("stop b", "stop d")
}

func TestParallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Wants=a,b,c After=a,b,c", "a:", "b:", "c: After=a")
	w.hold["a"], w.hold["b"] = true, true
	w.must("t", Start)
	w.did("start a", "start b")
	w.report("b", Active, 0)
	w.did()
	w.report("a", Active, 0)
	w.did("start c", "start t")
}

func TestRequiredFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Requires=a After=a OnFailure=f", "a: OnFailure=g", "w: Wants=a After=a", "f:", "g:")
	w.fail["a"] = true
	w.must("t", Start)
	w.said("start a: failed")
	w.said("start t: dependency")
	w.did("start a", "start g", "start f")
	w.must("w", Start)
	w.did("start a", "start w") // g is there
}

func TestMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Requires=a", "a: Requires=none", "w: Wants=a,none,b", "b:")
	var load *LoadError
	if err := w.ask("t", Start, unit.JobReplace); !errors.As(err, &load) || load.Name != "none" {
		t.Errorf("error %v", err)
	}
	w.must("w", Start)
	w.did("start w", "start b")
}

func TestConditionCountsAsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Requires=a After=a", "a:", "r: Requisite=a After=a Wants=a")
	w.answer["a"] = ConditionNo
	w.must("t", Start)
	w.did("start t")
	w.must("r", Start)
	w.said("start r: dependency")
}

func TestRequisite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Requisite=a After=a", "a:")
	w.must("t", Start)
	w.said("start t: dependency")
	w.must("a", Start)
	w.must("t", Start)
	w.is("t", Active)
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Conflicts=b After=b", "b:", "t: Wants=a,b", "u: Requires=a,b")
	w.must("b", Start)
	w.did("start b")
	w.must("a", Start)
	w.did("stop b", "start a")
	w.must("b", Start)
	w.did("stop a", "start b")
	w.must("t", Start)
	w.is("a", Active)
	w.is("b", Inactive)
	if err := w.ask("u", Start, unit.JobReplace); !errors.Is(err, ErrConflict) {
		t.Errorf("error %v", err)
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "t: Wants=x,a After=a,x", "x:", "a: After=b Wants=b", "b: After=c Wants=c", "c: After=a", "s: Requires=p After=p", "p: After=q Requires=q", "q: After=s")
	w.must("t", Start)
	w.said("notice 2 start c")
	w.is("t", Active)
	w.is("x", Active)
	w.is("a", Active)
	w.is("c", Inactive)
	var cycle *CycleError
	if err := w.ask("s", Start, unit.JobReplace); !errors.As(err, &cycle) || len(cycle.Units) != 3 {
		t.Errorf("error %v", err)
	}
	w.is("q", Inactive)
}

func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a:", "r: Requires=a After=a", "p: PartOf=a After=a", "o: PartOf=a")
	w.must("r", Start)
	w.must("p", Start)
	w.log = nil
	w.must("a", Restart)
	w.did("stop r", "stop p", "stop a", "start a", "start r", "start p")
	w.is("o", Inactive)
	w.must("o", TryRestart)
	w.did()
	w.must("a", Stop)
	w.did("stop r", "stop p", "stop a")
	w.must("a", Restart)
	w.did("start a")
}

func TestReload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: PropagatesReloadTo=b,c", "b:", "c:", "noreload:")
	w.must("a", Start)
	w.must("b", Start)
	w.log = nil
	w.must("a", Reload)
	w.did("reload a", "reload b")
	w.hold["a"] = true
	w.must("a", Reload)
	w.report("a", Active, ReloadFailed)
	w.said("reload a: failed")
	w.must("c", ReloadOrStart)
	w.is("c", Active)
	if err := w.ask("noreload", Reload, unit.JobReplace); !errors.Is(err, ErrNotApplicable) {
		t.Errorf("error %v", err)
	}
}

func TestStopCancelsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a:", "b: After=a Requires=a")
	w.hold["a"] = true
	w.must("b", Start)
	w.must("a", Stop)
	w.said("start b: canceled")
	w.said("start a: canceled")
	w.report("a", Inactive, 0)
	w.is("a", Inactive)
	if !w.e.Idle() {
		t.Error("jobs are left")
	}
}

func TestFailMode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a:", "b:")
	w.hold["a"] = true
	w.must("a", Start)
	if err := w.ask("a", Stop, unit.JobFail); !errors.Is(err, ErrDestructive) {
		t.Errorf("error %v", err)
	}
	w.is("a", Activating)
	if err := w.ask("a", Stop, unit.JobReplaceIrreversibly); err != nil {
		t.Fatal(err)
	}
	if err := w.ask("a", Start, unit.JobReplace); !errors.Is(err, ErrDestructive) {
		t.Errorf("error %v", err)
	}
}

func TestIsolate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Wants=k", "k:", "keep: IgnoreOnIsolate", "sock: Triggers=k", "r: Wants=k AllowIsolate")
	for _, name := range []unit.Name{"a", "keep", "sock"} {
		w.must(name, Start)
	}
	w.log = nil
	if err := w.ask("a", Start, unit.JobIsolate); !errors.Is(err, ErrNoIsolate) {
		t.Errorf("error %v", err)
	}
	if err := w.ask("r", Start, unit.JobIsolate); err != nil {
		t.Fatal(err)
	}
	w.is("a", Inactive)
	w.is("k", Active)
	w.is("keep", Active)
	w.is("sock", Active)
}

func TestStandingConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Wants=s", "s: StopWhenUnneeded", "bound: BindsTo=x After=x", "x:", "up: Upholds=held", "held:", "limited:", "up2: Upholds=limited", "y: OnSuccess=z", "z:")
	w.must("a", Start)
	w.is("s", Active)
	w.must("a", Stop)
	w.is("s", Inactive)
	w.must("bound", Start)
	w.report("x", Failed, 0)
	w.is("bound", Inactive)
	w.must("up", Start)
	w.report("held", Inactive, 0)
	w.is("held", Active)
	w.answer["limited"] = Impossible
	w.must("up2", Start) // and comes to an end
	w.is("limited", Inactive)
	w.must("y", Start)
	w.report("y", Inactive, 0)
	w.is("z", Active)
}

func TestWillRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: OnFailure=f", "f:")
	w.must("a", Start)
	w.report("a", Failed, WillRestart)
	w.report("a", Activating, 0)
	w.is("f", Inactive)
	w.must("a", Restart)
	w.is("a", Active)
	w.report("a", Failed, 0)
	w.is("f", Active)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Timeout OnFailure=f", "b: Requires=a After=a", "f:")
	w.hold["a"] = true
	w.must("b", Start)
	if len(w.armed) != 1 {
		t.Fatalf("armed %d times", len(w.armed))
	}
	w.e.Expire(w.armed[0])
	w.e.Settle()
	w.said("start a: timeout")
	w.said("start b: dependency")
	w.is("f", Active)
}

func TestUnexpectedStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Requires=b Wants=c Conflicts=d", "b:", "c:", "d:")
	w.must("d", Start)
	w.report("a", Active, 0)
	w.is("b", Active)
	w.is("c", Active)
	w.is("d", Inactive)
}

func TestManualRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: RefuseManualStart", "b: Wants=a")
	if err := w.ask("a", Start, unit.JobReplace); !errors.Is(err, ErrRefused) {
		t.Errorf("error %v", err)
	}
	w.must("b", Start)
	w.is("a", Active)
}

// TestLarge: a chain and a fan of many units settle, without recursion and without quadratic time that would show.
func TestLarge(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 3000 {
		lines = append(lines, fmt.Sprintf("u%d: Requires=u%d After=u%d Wants=f%d", i, i+1, i+1, i), fmt.Sprintf("f%d: Before=u%d", i, i))
	}
	w := newWorld(t, append(lines, "u3000:")...)
	w.must("u0", Start)
	w.is("u0", Active)
	w.is("f2999", Active)
	w.must("u3000", Stop)
	w.is("u0", Inactive)
}

func TestForget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a: Requires=b After=b", "b:")
	w.must("a", Start)
	w.must("a", Stop)
	w.e.Forget(w.e.Unit("a"))
	if w.e.Known("a") != nil {
		t.Error("a is still known")
	}
	w.must("b", Stop)
	w.must("a", Start)
	w.is("b", Active)
}
