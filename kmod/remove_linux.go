package kmod

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Remover takes modules out of the kernel. A module goes with its post
// softdeps before it, its pre softdeps after it and then whatever it needed that
// nobody uses any more; the errors of those are not its own.
type Remover struct {
	*Loader
	// IgnoreCommand does not run remove commands for the module itself.
	IgnoreCommand bool
	// FirstTime makes it an error that a module is not loaded.
	FirstTime bool
	// Holders removes the modules that use it as well, first.
	Holders bool
	// Force asks the kernel to remove a module in use (CONFIG_MODULE_FORCE_UNLOAD).
	Force bool
	// Wait retries for so long while the module is in use.
	Wait time.Duration
	// Log is called before each module that is removed; Command is its remove
	// command, if that takes its place.
	Log func(Step)
	// Report is told of dependencies that could not be removed.
	Report func(module string, err error)

	depth int
}

// Remove removes one module of a Lookup.
func (r *Remover) Remove(ctx context.Context, m *Module) error {
	if r.depth++; r.depth > maxDepth {
		return fmt.Errorf("%s: its softdeps are nested too deep", m.Name)
	}
	defer func() { r.depth-- }()
	config := r.Context.Config()
	planner := planner{context: r.Context, config: config}
	pre, post, err := planner.softdeps(m)
	if err != nil {
		return err
	}
	command, err := r.checkState(m)
	if err != nil || command == absent {
		return err
	}
	r.each(ctx, reversed(post))
	if r.Holders {
		holders := r.Context.Holders(m.Name)
		for i := len(holders) - 1; i >= 0; i-- {
			holder := holders[i]
			h, err := r.Context.module(holder, "")
			if err == nil {
				err = r.Remove(ctx, h)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := r.removeSelf(ctx, m, command); err != nil {
		return err
	}
	deps, err := r.Context.Dependencies(m)
	if err != nil {
		return err
	}
	for _, dep := range reversed(deps) {
		if r.Context.Refcount(dep.Name) == 0 && r.Context.State(dep.Name) == Live {
			r.each(ctx, []*Module{dep})
		}
	}
	r.each(ctx, reversed(pre))
	return nil
}

// absent is the "command" for a module that is not there.
const absent = "\x00"

// checkState returns the remove command that applies, or why there is nothing
// to remove.
func (r *Remover) checkState(m *Module) (command string, err error) {
	rule, ok := r.Context.Config().RemoveCommand(m.Name)
	if ok && !(r.IgnoreCommand && r.depth == 1) {
		return rule.Text, nil
	}
	if r.IgnoreLoaded {
		return "", nil
	}
	switch r.Context.State(m.Name) {
	case BuiltinState:
		return "", ErrBuiltin
	case Absent:
		if r.FirstTime && r.depth == 1 {
			return "", ErrNotLoaded
		}
		return absent, nil
	}
	return "", nil
}

func (r *Remover) removeSelf(ctx context.Context, m *Module, command string) error {
	step := Step{Module: m, Command: command}
	if command != "" {
		r.log(step)
		if r.DryRun {
			return nil
		}
		return r.Run(ctx, m.Name, CommandLine(command, ""))
	}
	if !r.IgnoreLoaded && !r.Force && r.Wait == 0 && r.Context.Refcount(m.Name) > 0 {
		return ErrInUse
	}
	r.log(step)
	if r.DryRun {
		return nil
	}
	return r.Delete(m.Name)
}

func (r *Remover) log(step Step) {
	if r.Log != nil {
		r.Log(step)
	}
}

// each removes modules whose failure is only reported.
func (r *Remover) each(ctx context.Context, modules []*Module) {
	for _, m := range modules {
		if err := r.Remove(ctx, m); err != nil && r.Report != nil && !errors.Is(err, ErrInUse) {
			r.Report(m.Name, err)
		}
	}
}

func reversed(modules []*Module) []*Module {
	out := make([]*Module, 0, len(modules))
	for i := len(modules) - 1; i >= 0; i-- {
		out = append(out, modules[i])
	}
	return out
}

// Delete calls delete_module(2), again while the module is in use and Wait lasts.
func (r *Remover) Delete(name string) error {
	flags := unix.O_NONBLOCK
	if r.Force {
		flags |= unix.O_TRUNC
	}
	pause := time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		err := r.calls.delete(name, flags)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK) && waited < r.Wait:
			pause = min(2*pause, r.Wait-waited)
			r.calls.sleep(pause)
			continue
		case errors.Is(err, unix.ENOENT):
			return fmt.Errorf("%w: %s", ErrNotLoaded, name)
		}
		var errno syscall.Errno
		if !errors.As(err, &errno) {
			return err
		}
		hint := explain(errno, r.situation(&image{}, errno, ""))
		if errno == unix.EBUSY {
			hint = "it has no exit function, or its init or exit function runs; it cannot be removed without force"
		}
		return &LoadError{Module: name, Op: "delete_module", Errno: errno, Hint: hint}
	}
}
