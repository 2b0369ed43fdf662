package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"firn/cgroups"
	"firn/shim/internal/rundir"
)

// removeTimeout bounds how long a cgroup is waited for after its processes
// have been killed. A process in an uninterruptible sleep can take longer; it
// is then named in the error, and the next start sweeps again.
const removeTimeout = 10 * time.Second

// Sweep removes what killed supervisors have left: containers whose PID 1 is
// gone or was never executed. Those that live on are left alone.
func Sweep(runtime rundir.Root, host *cgroups.Host) error {
	names, err := runtime.Names()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		errs = append(errs, SweepOne(runtime, host, name))
	}
	return errors.Join(errs...)
}

// SweepOne is Sweep for one name.
func SweepOne(runtime rundir.Root, host *cgroups.Host, name string) error {
	dir := runtime.Dir(name)
	if dir.Held() {
		return nil
	}
	rec, err := dir.Read()
	if err == nil && rec.Phase == rundir.Running && rec.Leader.Alive() {
		return nil // an orphan: it lives without its supervisor
	}
	claim, err := dir.ClaimLeft()
	if errors.Is(err, rundir.ErrBusy) || errors.Is(err, rundir.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := sweepClaimed(host, claim); err != nil {
		claim.Release()
		if errors.Is(err, rundir.ErrBusy) {
			return nil
		}
		return err
	}
	return claim.Remove()
}

// sweepClaimed clears a claimed directory for a new start. A container that
// lives without its supervisor makes it fail with rundir.ErrBusy.
func sweepClaimed(host *cgroups.Host, claim *rundir.Claim) error {
	rec, err := claim.Dir.Read()
	if errors.Is(err, rundir.ErrUnknown) {
		rec = &rundir.Record{Name: claim.Dir.Name, CgroupBase: cgroups.DefaultParent}
	} else if err != nil {
		return err
	}
	if rec.Phase == rundir.Running && rec.Leader.Alive() {
		return fmt.Errorf("container %q: %w (its supervisor is gone)", claim.Dir.Name, rundir.ErrBusy)
	}
	layout := cgroups.Layout{Parent: rec.CgroupBase, Name: claim.Dir.Name}
	if err := clear(host, layout, rec); err != nil {
		return fmt.Errorf("sweep container %q: %w", claim.Dir.Name, err)
	}
	if err := os.RemoveAll(claim.Dir.State()); err != nil {
		return fmt.Errorf("sweep container %q: %w", claim.Dir.Name, err)
	}
	return nil
}

// clear kills what is left in the container's cgroups and removes them, with
// the temporary directories on record.
func clear(host *cgroups.Host, layout cgroups.Layout, rec *rundir.Record) error {
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if host.Exists(layout.Container()) {
		if err := host.Kill(layout.Container()); err != nil {
			return fmt.Errorf("kill what is left: %w", err)
		}
		if err := host.Remove(ctx, layout.Container()); err != nil {
			return fmt.Errorf("remove cgroup: %w", err)
		}
	}
	if !rec.KeepUnit && rec.Scope == "" {
		for parent := layout.Parent; parent != "/"; parent = path.Dir(parent) {
			if err := host.Prune(parent); err != nil {
				return fmt.Errorf("remove cgroup: %w", err)
			}
		}
	}
	for _, dir := range rec.Temporary {
		if err := removeTree(dir); err != nil {
			return fmt.Errorf("remove temporary directory: %w", err)
		}
	}
	rec.Temporary = nil
	return nil
}
