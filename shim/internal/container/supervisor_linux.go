package container

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"firn/cgroups"
	"firn/shim/internal/config"
	"firn/shim/internal/pidfd"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/rundir"
	"firn/shim/internal/systemd"
)

// Supervisor starts one container and stays with it until it ends.
//
//	event                        what the supervisor does
//	PID 1 ended, by reboot(2)    RB_AUTOBOOT: start again (--keep-unit: exit 133),
//	                             unless a signal told it to end
//	PID 1 ended, other           destroy, exit with its code
//	SIGTERM, SIGINT, SIGHUP      send the kill signal; the second time SIGKILL
//	^] three times on console    SIGKILL
//	READY=1, STATUS= by notify   note in the record, tell the host's manager
//	SIGKILL                      the container lives on; Stop and Sweep serve it
type Supervisor struct {
	Config  *config.Config
	Runtime rundir.Root
	Stdio   [3]*os.File
	// LogFile, if not empty, keeps the console's output, bounded.
	LogFile string
	// Changed is called with each new record, before the next event.
	Changed func(rundir.Record)
	// Warn takes sentences for the user about what is not as asked.
	Warn func(string)
	// Tell takes sentences about the container's course; nil is quiet.
	Tell func(string)

	name   string
	dir    rundir.Dir
	claim  *rundir.Claim
	record rundir.Record
	cgroup cgroups.Layout
	host   *cgroups.Host
	lock   *os.File // on the root directory
	inUnit bool     // this process left the unit's own cgroup for one below
	made   []string // temporary directories, in the order a boot asks for them
}

// Exit codes of systemd-nspawn(1), "Exit status".
const exitRebootKeepUnit = 133

// Run starts the container and returns its exit code when it has ended.
func (s *Supervisor) Run(ctx context.Context) (code int, err error) {
	// Before anything is made: a signal that ends firn would leave it behind.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	defer signal.Stop(signals)
	// A reader of our messages that is gone must not end us either. Caught, not
	// ignored: the payload would inherit that.
	pipes := make(chan os.Signal, 1)
	signal.Notify(pipes, unix.SIGPIPE)
	defer signal.Stop(pipes)
	// The caller's mask is for the caller's files, not for /etc and /run/host.
	defer unix.Umask(unix.Umask(0o022))
	if err := s.prepare(ctx); err != nil {
		return 1, s.startError(err)
	}
	defer func() {
		if e := s.finish(); e != nil && err == nil {
			code, err = 1, e
		}
	}()
	for {
		end, err := s.once(ctx, signals)
		if err != nil {
			return 1, err
		}
		if !end.reboot {
			code, err := end.exitCode()
			s.tell(end.sentence(), s.name)
			return code, err
		}
		if s.record.KeepUnit {
			return exitRebootKeepUnit, nil
		}
		s.tell("Container %s is being rebooted.", s.name)
	}
}

// prepare takes what only one supervisor may hold: the name and the root.
func (s *Supervisor) prepare(ctx context.Context) (err error) {
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	if s.name, err = s.Config.MachineName(hostname); err != nil {
		return err
	}
	if s.Config.Root.Ephemeral.V && !s.Config.Machine.Set {
		s.name = uniqueName(s.name)
	}
	if s.host, err = cgroups.Discover(); err != nil {
		return fmt.Errorf("find cgroups: %w", err)
	}
	s.dir = s.Runtime.Dir(s.name)
	if s.claim, err = s.dir.Claim(); err != nil {
		return err
	}
	// What cannot be swept is not this start's to remove: a container that has
	// outlived its supervisor is served by that directory.
	if err := sweepClaimed(s.host, s.claim); err != nil {
		s.claim.Release()
		return err
	}
	defer func() {
		if err != nil {
			s.leaveOwnUnit()
			_ = s.claim.Remove()
		}
	}()
	if err := s.placeInCgroups(ctx); err != nil {
		return err
	}
	return s.takeRoot()
}

// placeInCgroups decides what the container's cgroup hangs from:
//
//	--keep-unit            the unit's own cgroup
//	a host with systemd    a scope made for it, below --slice=
//	--slice= without       the slice's cgroup
//	else                   /machine
func (s *Supervisor) placeInCgroups(ctx context.Context) error {
	s.cgroup = cgroups.Layout{Parent: cgroups.DefaultParent, Name: s.name}
	s.record.KeepUnit = s.Config.Unit.KeepUnit.V
	slice := s.Config.Unit.Slice
	switch {
	case s.record.KeepUnit:
		return s.enterOwnUnit()
	case systemd.Running():
		scope, err := systemd.EnterScope(ctx, s.name, slice.Or(systemd.DefaultSlice))
		if err != nil {
			return err
		}
		s.record.Scope = scope
		return s.enterOwnUnit()
	case slice.Set:
		s.cgroup.Parent = systemd.SlicePath(slice.V)
	}
	return s.cgroup.Check()
}

// enterOwnUnit makes the cgroup that this process stands in the container's
// parent. On v2 no process may stay in a cgroup that hands controllers down.
func (s *Supervisor) enterOwnUnit() error {
	own, err := s.host.Own(os.Getpid())
	if err != nil {
		return fmt.Errorf("find own cgroup: %w", err)
	}
	s.cgroup.Parent = own
	if s.host.Mode == cgroups.Unified {
		if err := s.host.MoveSelf(s.cgroup.Supervisor()); err != nil {
			return fmt.Errorf("leave the unit's own cgroup: %w", err)
		}
		s.inUnit = true
	}
	return s.cgroup.Check()
}

// takeRoot finds the root directory and takes it for this container alone.
func (s *Supervisor) takeRoot() error {
	path, err := s.rootPath()
	if err != nil {
		return err
	}
	if template := s.Config.Root.Template; template.Set {
		if err := rootfs.FromTemplate(path, template.V); err != nil {
			return fmt.Errorf("%s: %w", template.From, err)
		}
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved // libcontainer wants no link; a missing root is Open's to tell
	}
	if path == "/" && !s.Config.Root.Ephemeral.V && s.Config.Root.Volatile.Or(config.VolatileNo) == config.VolatileNo {
		return errors.New("the root directory is the host's own: only --ephemeral and --volatile can protect it")
	}
	root, err := rootfs.Open(path)
	if err != nil {
		return err
	}
	defer root.Close()
	id, err := root.ID()
	if err != nil {
		return err
	}
	if !s.Config.Root.Ephemeral.V && os.Getenv("SYSTEMD_NSPAWN_LOCK") != "0" {
		if err := s.lockRoot(root, id); err != nil {
			return err
		}
	}
	self, err := pidfd.Of(os.Getpid())
	if err != nil {
		return err
	}
	s.record = rundir.Record{
		Name: s.name, Phase: rundir.Starting, Supervisor: self, Started: time.Now(),
		Root: path, RootID: id, CgroupBase: s.cgroup.Parent, KeepUnit: s.record.KeepUnit, Scope: s.record.Scope,
		Boot: s.Config.StartMode() == config.StartBoot, Ephemeral: s.Config.Root.Ephemeral.V, Log: s.LogFile,
		UUID: root.MachineID(), // goes before --uuid=, which is for a root without one (systemd-nspawn(1))
	}
	if s.record.UUID == "" {
		s.record.UUID = s.Config.Identity.UUID.V
	}
	if s.record.UUID == "" {
		s.record.UUID = rootfs.NewMachineID()
	}
	return nil
}

// lockRoot refuses two containers on one root. A container whose supervisor
// was killed holds no lock any more, so the records are asked as well.
func (s *Supervisor) lockRoot(root *rootfs.Root, id string) error {
	lock, ok, err := root.Lock()
	if err != nil {
		return err
	}
	s.lock = lock
	names, err := s.Runtime.Names()
	if err != nil {
		return err
	}
	for _, other := range names {
		if other == s.name {
			continue
		}
		rec, err := s.Runtime.Dir(other).Read()
		if err == nil && rec.RootID == id && !rec.Ephemeral && (rec.Leader.Alive() || !ok) {
			return fmt.Errorf("root %s is in use by container %q", root.Path, other)
		}
	}
	if !ok {
		return fmt.Errorf("root %s is in use by another container", root.Path)
	}
	return nil
}

// finish removes all that the container had on the host.
func (s *Supervisor) finish() error {
	if s.lock != nil {
		s.lock.Close()
	}
	if err := clear(s.host, s.cgroup, &s.record); err != nil {
		s.claim.Release()
		return err
	}
	s.leaveOwnUnit()
	return s.claim.Remove()
}

// StartError is why a container did not come to run.
type StartError struct {
	Name string
	Err  error
}

func (e *StartError) Error() string { return fmt.Sprintf("start %q: %v", e.Name, e.Err) }

func (e *StartError) Unwrap() error { return e.Err }

func (s *Supervisor) startError(err error) error { return &StartError{Name: s.name, Err: err} }

func (s *Supervisor) tell(format string, args ...any) {
	if s.Tell != nil && format != "" {
		s.Tell(fmt.Sprintf(format, args...))
	}
}

// update changes the record and tells those who watch.
func (s *Supervisor) update(change func(*rundir.Record)) error {
	change(&s.record)
	if err := s.claim.Write(&s.record); err != nil {
		return err
	}
	if s.Changed != nil {
		s.Changed(s.record)
	}
	return nil
}

// end is how PID 1 ended.
type end struct {
	status syscall.WaitStatus
	reboot bool // and it is to start again
	asked  bool // we told it to end: a reboot that it was at is an end as well
	killed bool // by our own SIGKILL
}

// exitCode follows reboot(2) and systemd-nspawn(1): PID 1 of a namespace that
// halts or powers off ends by SIGINT, one that reboots by SIGHUP.
func (e end) exitCode() (int, error) {
	switch {
	case e.status.Exited():
		return e.status.ExitStatus(), nil
	case e.halted():
		return 0, nil
	case e.killed:
		return 1, errors.New("container was killed")
	}
	return 1, fmt.Errorf("container ended by signal %s", unix.SignalName(e.status.Signal()))
}

// halted tells whether PID 1 ended the container in order.
func (e end) halted() bool {
	return e.status.Signal() == unix.SIGINT || e.status.Signal() == unix.SIGHUP && e.asked
}

// sentence tells how a container ended that gave no error.
func (e end) sentence() string {
	switch {
	case e.status.Exited() && e.status.ExitStatus() == 0:
		return "Container %s exited successfully."
	case e.halted():
		return "Container %s has been shut down."
	}
	return ""
}
