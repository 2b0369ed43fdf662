package boot

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/condition"
	"firn/init/internal/job"
	"firn/init/internal/log"
	"firn/init/internal/manager"
	"firn/init/internal/signals"
	"firn/init/internal/specifier"
	"firn/init/internal/supervise"
	"firn/init/internal/unit"
	"firn/init/internal/unitload"
)

// defaultTarget is what a boot is for (systemd.special(7)).
const defaultTarget unit.Name = "default.target"

// unitSource reads units as they are asked for.
type unitSource struct {
	loader *unitload.Loader
	set    *unitload.Set
	facts  *specifier.Facts
	late   int // units that were loaded one by one
}

// maxLate bounds what instances, made for connections, leave in the set: after so many it is made anew.
const maxLate = 256

func newUnitSource() (*unitSource, error) {
	root, err := unitload.OpenRoot("/")
	if err != nil {
		return nil, fmt.Errorf("load units: %w", err)
	}
	facts := unitload.Facts(root)
	loader, err := unitload.New(root, facts, unit.SystemDefaults())
	if err != nil {
		return nil, fmt.Errorf("load units: %w", err)
	}
	return &unitSource{loader: loader, set: loader.Load(), facts: facts}, nil
}

// load never gives nil: what is not there is a unit that says so. Slices and the like need no file.
func (u *unitSource) load(name unit.Name) *unit.Unit {
	if u.set.Get(name) == nil {
		if u.late++; u.late > maxLate {
			u.late, u.set = 0, u.loader.Load()
		}
		u.loader.LoadInto(u.set, name)
	}
	if found := u.set.Get(name); found != nil {
		return found
	}
	return &unit.Unit{Name: name, State: unit.NotFound, JobTimeout: unit.Infinity, JobRunningTimeout: unit.Infinity}
}

// startUnits boots a system's own units, if it has any, and reports whether it has.
func (s *System) startUnits(ctx context.Context) (bool, error) {
	source, err := newUnitSource()
	if err != nil {
		return false, err
	}
	if source.load(defaultTarget).State != unit.Loaded {
		s.log.Debug("no " + string(defaultTarget) + ": a system without units")
		return false, nil
	}
	if len(findGenerators()) > 0 {
		s.generate(ctx)
		if source, err = newUnitSource(); err != nil {
			return true, err
		}
	}
	units, err := s.newUnits(source)
	if err != nil {
		return true, err
	}
	go units.Run()
	s.units.Store(units)
	s.log.Debug("units loaded", "units", itoa(source.set.Len()))
	began := time.Now()
	select {
	case o := <-units.Request(defaultTarget, job.Start, unit.JobReplace):
		if o.Err != nil {
			return true, fmt.Errorf("start %s: %w", defaultTarget, o.Err)
		}
		s.log.Debug("units started", "target", string(defaultTarget), "result", o.Result.String(), "took", log.Took(began))
	case <-ctx.Done():
	}
	// What reading the files took is several times what the units take.
	debug.FreeOSMemory()
	return true, nil
}

func (s *System) newUnits(source *unitSource) (*supervise.Manager, error) {
	null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	conditions := condition.Env{
		Container: s.manager.Container, Environ: s.Environ,
		Hostname: source.facts.Hostname, MachineID: source.facts.MachineID, Kernel: source.facts.Kernel,
		Architecture: source.facts.Architecture,
	}
	o := supervise.Options{
		Load: source.load, Reaper: s.reaper, Log: s.log, Own: s.Environ, Environ: unitEnviron(),
		Stdio: [3]uintptr{uintptr(null), 1, 2}, Check: conditions.Check,
	}
	if s.cgroups != nil {
		o.Groups = supervise.Cgroups{Place: s.cgroups}
	}
	units := supervise.New(o)
	return units, units.Listen()
}

// unitEnviron is what every unit's processes get: a search path, and the system's language (locale.conf(5)).
func unitEnviron() []string {
	env := []string{"PATH=" + manager.DefaultPath}
	text, err := os.ReadFile("/etc/locale.conf")
	if err != nil {
		return env
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "LANG=") || strings.HasPrefix(line, "LC_") {
			env = append(env, strings.ReplaceAll(line, `"`, ""))
		}
	}
	return env
}

// stopUnits stops the units in order, each within its own time, unless somebody loses patience.
func (s *System) stopUnits(e ending) ending {
	units := s.units.Load()
	if units == nil || e.now {
		return e
	}
	began := time.Now()
	done := units.Shutdown()
	for {
		select {
		case <-done:
			units.Quit()
			s.log.Debug("units stopped", "took", log.Took(began))
			return e
		case sig := <-s.queue.End:
			if row, _ := signals.EndsCommand(sig.(syscall.Signal)); row.Now {
				e.now = true
				return e
			}
		case sig := <-s.queue.Other:
			if sig == os.Interrupt && s.burst.Add(time.Now()) {
				e.now = true
				return e
			}
		}
	}
}

// reloadUnits reads the units' files again.
func (s *System) reloadUnits() {
	units := s.units.Load()
	if units == nil {
		s.log.Info("reload asked for: there is no configuration to read again")
		return
	}
	source, err := newUnitSource()
	if err != nil {
		s.log.Warn(err.Error())
		return
	}
	units.Reload(source.load)
	s.log.Info("units loaded again")
}
