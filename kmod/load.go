package kmod

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// A Loader carries out plans: modules go into the kernel, install commands run.
// NewLoader makes one; fields are set before use.
type Loader struct {
	Context *Context
	Force   Force
	// DryRun does everything but the last step.
	DryRun bool
	// IgnoreLoaded takes steps for modules that are in the kernel as well, which
	// is for showing them and needs DryRun.
	IgnoreLoaded bool
	// Log is called for each step taken, in the order of the plans, never
	// concurrently, whatever ran in parallel.
	Log func(Step)
	// Run executes an install or remove command line with the shell. Nil: this
	// process starts /bin/sh and waits for it, which PID 1 must not.
	Run func(ctx context.Context, module, command string) error

	calls   syscalls
	canLoad func() bool
	workers int
}

// NewLoader makes a Loader that changes the kernel.
func NewLoader(c *Context) *Loader {
	// Init functions wait for hardware as often as they compute, so a machine
	// with one processor gains too.
	return &Loader{
		Context: c, Run: runShell,
		calls: kernelCalls(), canLoad: CanLoad,
		workers: min(max(4, runtime.GOMAXPROCS(0)), 16),
	}
}

// Load carries out the plans, independent modules in parallel, and returns one
// error for each plan: nil, ErrAlreadyLoaded if there was nothing to do, or the
// reason why its module is not in the kernel. What depends on a module waits for it; a softdep
// is only waited for; a module in several plans is loaded once. As in sequence,
// a plan ends with its first required module that fails; that others of it, not
// depending on that one, may be in the kernel by then is the one difference.
func (l *Loader) Load(ctx context.Context, plans []*Plan) []error {
	g := l.newGraph(plans)
	g.run(ctx)
	g.log()
	return g.results()
}

// A job is one module to load, for however many plans.
type job struct {
	step  Step
	needs []*job // must have succeeded
	after []*job // must have ended
	done  chan struct{}
	// taken says that there was something to do.
	taken bool
	err   error
}

// A graph orders the jobs of several plans. Edges only go to jobs that were added
// before, so it has no cycles whatever the configuration says.
type graph struct {
	loader *Loader
	plans  []*Plan
	jobs   []*job
	byName map[string]*job
	byStep [][]*job // plan, step -> job
}

func (l *Loader) newGraph(plans []*Plan) *graph {
	g := &graph{loader: l, plans: plans, byName: map[string]*job{}, byStep: make([][]*job, len(plans))}
	for p, plan := range plans {
		g.byStep[p] = make([]*job, len(plan.Steps))
		for i := range plan.Steps {
			g.byStep[p][i] = g.add(plan, i, g.byStep[p])
		}
	}
	return g
}

func (g *graph) add(plan *Plan, i int, earlier []*job) *job {
	step := plan.Steps[i]
	// What is only shown is shown as often as the plans have it.
	if j, ok := g.byName[step.Module.Name]; ok && !g.loader.DryRun {
		return j
	}
	j := &job{step: step, done: make(chan struct{})}
	deps, err := g.loader.Context.Dependencies(step.Module)
	if err == nil && len(deps) == 0 && step.Module.tree != nil && step.Module.deps == nil {
		// A dependency carries no list of its own: look it up.
		if own, ok, _ := g.loader.Context.find(step.Module.Name); ok {
			deps, _ = g.loader.Context.Dependencies(own)
		}
	}
	for _, dep := range deps {
		if need, ok := g.byName[dep.Name]; ok {
			j.needs = append(j.needs, need)
		}
	}
	for _, k := range step.After {
		j.after = append(j.after, earlier[k])
	}
	g.byName[step.Module.Name] = j
	g.jobs = append(g.jobs, j)
	return j
}

// run starts all jobs in order, so many at a time. A job's prerequisites were
// started before it, so waiting for them while holding a slot cannot deadlock.
func (g *graph) run(ctx context.Context) {
	if len(g.jobs) == 1 || g.loader.DryRun {
		for _, j := range g.jobs {
			g.do(ctx, j)
		}
		return
	}
	slots := make(chan struct{}, g.loader.workers)
	for _, j := range g.jobs {
		slots <- struct{}{}
		go func() {
			g.do(ctx, j)
			<-slots
		}()
	}
	for _, j := range g.jobs {
		<-j.done
	}
}

func (g *graph) do(ctx context.Context, j *job) {
	defer close(j.done)
	for _, before := range j.after {
		if before != j {
			<-before.done
		}
	}
	for _, need := range j.needs {
		<-need.done
		if need.err != nil && !errors.Is(need.err, ErrAlreadyLoaded) {
			j.err = &DependencyError{Module: need.step.Module.Name, Err: need.err}
			return
		}
	}
	if err := ctx.Err(); err != nil {
		j.err = err
		return
	}
	j.taken, j.err = g.loader.take(ctx, j.step)
}

// take carries out one step and says whether there was anything to do.
func (l *Loader) take(ctx context.Context, step Step) (bool, error) {
	m := step.Module
	if !l.IgnoreLoaded {
		switch l.Context.State(m.Name) {
		case Live, BuiltinState:
			return false, ErrAlreadyLoaded
		}
	}
	switch {
	case l.DryRun:
		return true, nil
	case step.Command != "":
		return true, l.Run(ctx, m.Name, CommandLine(step.Command, step.Params()))
	case m.Path == "":
		return true, fmt.Errorf("%w: %s", ErrNotFound, m.Name)
	}
	err := l.insert(m.Path, step.Params())
	if isExist(err) {
		// Somebody else loaded it between our look and the call.
		return true, ErrAlreadyLoaded
	}
	return true, err
}

// log reports the steps taken as if they had run one after the other.
func (g *graph) log() {
	if g.loader.Log == nil {
		return
	}
	logged := map[*job]bool{}
	for p := range g.plans {
		for i, j := range g.byStep[p] {
			if j.taken && !logged[j] {
				logged[j] = true
				g.loader.Log(j.step)
			}
			if g.ends(p, i) {
				break
			}
		}
	}
}

// ends says whether a plan stops at step i: a required module failed.
func (g *graph) ends(p, i int) bool {
	j := g.byStep[p][i]
	return j.err != nil && !errors.Is(j.err, ErrAlreadyLoaded) && g.plans[p].Steps[i].Required
}

func (g *graph) results() []error {
	errs := make([]error, len(g.plans))
	for p, plan := range g.plans {
		for i, step := range plan.Steps {
			j := g.byStep[p][i]
			target := step.Module.Name == plan.Target.Name
			if g.ends(p, i) {
				errs[p] = j.err
				if !target {
					errs[p] = &DependencyError{Module: step.Module.Name, Err: j.err}
				}
				break
			}
			if target && errors.Is(j.err, ErrAlreadyLoaded) && !j.taken && errs[p] == nil {
				errs[p] = ErrAlreadyLoaded
			}
		}
	}
	return errs
}

// A DependencyError is a module that did not load because another did not.
type DependencyError struct {
	Module string
	Err    error
}

func (e *DependencyError) Error() string { return "dependency " + e.Module + ": " + e.Err.Error() }
func (e *DependencyError) Unwrap() error { return e.Err }

// Insert loads one module file, without dependencies or configuration.
func (l *Loader) Insert(_ context.Context, path, parameters string) error {
	return l.insert(path, parameters)
}
