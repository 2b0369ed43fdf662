package activate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"firn/init/internal/place"
	"firn/init/internal/reap"
)

// Activator activates systems.
type Activator struct {
	Reaper *reap.Reaper
	Env    []string // of children
	Place  place.Starter
	Run    string // "/run"
}

// Boot activates the system of this boot. Its links are set whatever the script does.
func (a *Activator) Boot(ctx context.Context, system string) error {
	prepare()
	return errors.Join(a.script(ctx, system), a.current(system), link(system, filepath.Join(a.Run, "booted-system")))
}

// Switch activates another system in a running one. The system in force stays what it was if the script fails, unless
// the script itself has changed that already.
func (a *Activator) Switch(ctx context.Context, system string) error {
	path, err := Resolve(system)
	if err != nil {
		return err
	}
	if err := a.script(ctx, path); err != nil {
		return err
	}
	return a.current(path)
}

// prepare makes the directories that stage 2 makes for the script. A root that cannot be written is the script's to
// complain of.
func prepare() {
	_ = os.MkdirAll("/etc", 0o755)
	if os.MkdirAll("/tmp", 0o777) == nil {
		_ = os.Chmod("/tmp", 0o777|fs.ModeSticky)
	}
}

// current makes sure of /run/current-system after the script, which sets it as its last step.
func (a *Activator) current(system string) error {
	name := filepath.Join(a.Run, "current-system")
	if now, err := os.Readlink(name); err == nil && now == system {
		return nil
	}
	return link(system, name)
}

func (a *Activator) script(ctx context.Context, system string) error {
	script := filepath.Join(system, "activate")
	if _, err := os.Stat(script); errors.Is(err, fs.ErrNotExist) {
		return nil // a system that is no more than its software
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return fmt.Errorf("activate %s: %w", system, err)
	}
	defer null.Close()
	p, err := a.Reaper.Start(reap.Spec{
		Path: script, Args: []string{script}, Env: Environ(a.Env, system), Dir: "/",
		Files: []uintptr{null.Fd(), 1, 2}, Attr: syscall.SysProcAttr{Setsid: true}, Place: a.Place,
	})
	if p == nil {
		return fmt.Errorf("activate %s: %w", system, err)
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		return fmt.Errorf("activate %s: %w", system, context.Cause(ctx))
	}
	if s := p.Status(); s != 0 {
		return fmt.Errorf("activate %s: script %s", system, reap.Describe(s))
	}
	return nil
}
