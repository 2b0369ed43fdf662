// Package modules loads the lists of modules-load.d(5) with firn/kmod, and asks the host for what the kernel refuses.
// Its input are the lists of a booting system, its output modules in the kernel; a boot step. No entry fails it: lists
// name what is nice to have.
package modules

import (
	"context"
	"errors"
	"fmt"

	"firn/init/handoff"
	"firn/init/internal/log"
	"firn/init/internal/program"
	"firn/init/internal/reap"
	"firn/kmod"
)

// Loader is what loading needs of the rest of init.
type Loader struct {
	Log    *log.Logger
	Reaper *reap.Reaper
	Env    []string
	// Host asks the host to load a module; the error is handoff.ErrClosed if there is nobody to ask.
	Host func(ctx context.Context, module string) error
}

// LoadLists loads what the lists ask for. The error tells of lists that could not be read.
func (l *Loader) LoadLists(ctx context.Context) error {
	commandLine := kmod.KernelCommandLine("")
	entries, err := kmod.ReadLists("", commandLine)
	if len(entries) == 0 {
		return err
	}
	context := kmod.New(kmod.Options{CommandLine: commandLine})
	defer context.Close()
	loader := kmod.NewLoader(context)
	loader.Run = l.shell
	denied := l.report(kmod.LoadModules(ctx, entries, loader))
	l.askHost(ctx, denied)
	return err
}

// report logs what became of each entry and gives those that were denied.
func (l *Loader) report(outcomes []kmod.Outcome) (denied []kmod.Outcome) {
	for _, o := range outcomes {
		fields := []string{"module", o.Name, "origin", o.Origin.String()}
		if o.Err != nil {
			fields = append(fields, "reason", o.Err.Error())
		}
		switch {
		case o.Status == kmod.StatusDenied:
			denied = append(denied, o)
		case o.Status.Failure():
			l.Log.Warn("module not loaded: "+o.Status.String(), fields...)
		case o.Status == kmod.StatusMissing, o.Status == kmod.StatusBlacklisted, o.Status == kmod.StatusNoDevice:
			l.Log.Info("module not loaded: "+o.Status.String(), fields...)
		default:
			l.Log.Debug("module "+o.Status.String(), fields...)
		}
	}
	return denied
}

// askHost tries the host for modules that this kernel would not take from here, and says once that it would not.
func (l *Loader) askHost(ctx context.Context, denied []kmod.Outcome) {
	if len(denied) == 0 {
		return
	}
	if !kmod.CanLoad() {
		l.Log.Info("modules cannot be loaded from here: no CAP_SYS_MODULE", "modules", fmt.Sprint(len(denied)))
	}
	for _, o := range denied {
		err := l.Host(ctx, o.Name)
		var refused *handoff.DeniedError
		switch {
		case err == nil:
			l.Log.Debug("module loaded by the host", "module", o.Name)
		case errors.As(err, &refused):
			l.Log.Info("module denied by the host", "module", o.Name, "origin", o.Origin.String(), "reason", refused.Reason)
		case errors.Is(err, handoff.ErrClosed), ctx.Err() != nil:
			return // nobody to ask, or no longer
		default: // a name that cannot be asked for
			l.Log.Warn("module not loaded: ask the host: "+err.Error(), "module", o.Name, "origin", o.Origin.String())
		}
	}
}

// shell runs an install command of modprobe.d(5) as a child like any other: the reaper alone waits in PID 1.
func (l *Loader) shell(ctx context.Context, module, command string) error {
	shell, err := program.Find("sh", "/bin:/run/current-system/sw/bin")
	if err != nil {
		return err
	}
	p, err := l.Reaper.Start(reap.Spec{
		Path: shell, Args: []string{"sh", "-c", command}, Dir: "/",
		Env: append(l.Env[:len(l.Env):len(l.Env)], "MODPROBE_MODULE="+module), Files: []uintptr{0, 1, 2},
	})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return ctx.Err()
	}
	if s := p.Status(); s != 0 {
		return fmt.Errorf("command %s", reap.Describe(s))
	}
	return nil
}
