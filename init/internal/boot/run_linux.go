package boot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"firn/init/internal/activate"
	"firn/init/internal/halt"
	"firn/init/internal/hostname"
	"firn/init/internal/log"
	"firn/init/internal/machineid"
	"firn/init/internal/modules"
	"firn/init/internal/mounts"
	"firn/init/internal/nodes"
	"firn/init/internal/place"
)

func itoa(n int) string { return strconv.Itoa(n) }

// ownProcess puts right what a manager may have left PID 1 with: descriptors that would go on to every child (those of
// socket activation too, until there are units to take them), a mask that makes directories private, a directory.
func ownProcess() error {
	unix.Umask(0o022)
	// Kernels before 5.11 do not know the flag; there they have been as careful as their managers.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("keep descriptors from children: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("change to /: %w", err)
	}
	return nil
}

// mountMissing mounts /proc first of all, by which machines and containers are told apart.
func (s *System) mountMissing(context.Context) error {
	proc := mounts.Table[:1]
	mounted, err := mounts.Mount("", proc)
	machine := s.manager.Machine()
	if err == nil {
		var more []string
		more, err = mounts.Mount("", mounts.For(machine))
		mounted = append(mounted, more...)
	}
	s.mu.Lock()
	s.machine, s.mounted = machine, mounted
	s.mu.Unlock()
	if len(mounted) > 0 {
		s.log.Debug("mounted what was missing", "targets", fmt.Sprint(mounted))
	}
	return err
}

// basicNodes fills a /dev that is ours. A machine's devtmpfs has its nodes but lacks the links.
func (s *System) basicNodes(context.Context) error {
	if !s.machine && !slices.Contains(s.mounted, "/dev") {
		return nil
	}
	if s.machine {
		if err := halt.TakeCtrlAltDel(); err != nil {
			s.log.Debug(err.Error())
		}
	}
	return nodes.Basic("/dev", s.machine)
}

// chooseLog takes the kernel's log on a machine, where descriptor 2 may be nothing.
func (s *System) chooseLog(context.Context) error {
	if !s.machine {
		return nil
	}
	target, err := log.Kmsg()
	if err != nil {
		return fmt.Errorf("log to the kernel: %w", err)
	}
	// By default the kernel takes ten lines in five seconds from a writer and drops the rest.
	if err := os.WriteFile("/proc/sys/kernel/printk_devkmsg", []byte("on\n"), 0o644); err != nil {
		s.log.Debug("the kernel's log may drop lines: " + err.Error())
	}
	s.mu.Lock()
	s.target = target
	s.mu.Unlock()
	s.log.SetTarget(target)
	return nil
}

func (s *System) findPlace(context.Context) error {
	groups, err := place.Find()
	if err == nil {
		err = groups.MoveThreads()
	}
	if err == nil {
		s.cgroups = groups
	}
	if place.Absent(err) {
		s.log.Debug("processes stay in PID 1's cgroup: " + err.Error())
		return nil
	}
	return err
}

// placeFor gives the cgroup of a service, nil for PID 1's own where there is no other.
func (s *System) placeFor(name string) place.Starter {
	if s.cgroups == nil {
		return nil
	}
	starter, err := s.cgroups.Service(name)
	if err != nil && !place.Absent(err) {
		s.log.Warn(err.Error())
	}
	return starter
}

// loopback brings lo up, without which a network namespace of its own has not even itself.
func (s *System) loopback(context.Context) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil // a kernel without IPv4
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo); err != nil || lo.Uint16()&unix.IFF_UP != 0 {
		return nil // there is none, or it is up
	}
	lo.SetUint16(lo.Uint16() | unix.IFF_UP)
	err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
	if errors.Is(err, unix.EPERM) {
		s.log.Debug("lo stays down: no CAP_NET_ADMIN")
		return nil
	}
	if err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	return nil
}

// activate fails where there is no system. A script that fails is reported, and the boot goes on, as on NixOS.
func (s *System) activate(ctx context.Context) error {
	if s.Options.System == "" {
		return nil
	}
	system, err := activate.Resolve(s.Options.System)
	if err != nil {
		return err
	}
	s.log.Info("activating", "system", system)
	if err := s.activator().Boot(ctx, system); err != nil {
		s.warn("activation", err)
	}
	return nil
}

func (s *System) hostname(context.Context) error {
	name, err := hostname.Set("/etc/hostname", s.machine)
	if name != "" {
		s.tell("X_SYSTEMD_HOSTNAME", name)
	}
	return err
}

func (s *System) machineID(context.Context) error {
	res, err := machineid.Setup("/etc/machine-id", "/run/machine-id", s.manager.UUID)
	if res.Bound != "" {
		s.mu.Lock()
		s.mounted = append(s.mounted, res.Bound)
		s.mu.Unlock()
	}
	if res.ID != "" {
		s.tell("X_SYSTEMD_MACHINE_ID", res.ID)
	}
	return err
}

func (s *System) modules(ctx context.Context) error {
	l := modules.Loader{Log: s.log, Reaper: s.reaper, Env: s.childEnviron(), Host: s.shim.LoadModule}
	return l.LoadLists(ctx)
}

func (s *System) staticNodes(context.Context) error {
	n, err := nodes.Static("/dev", s.machine)
	if n > 0 && nodes.Denied(err) {
		s.log.Debug("static nodes are the manager's to make: no CAP_MKNOD", "nodes", itoa(n))
		return nil
	}
	return err
}

// marker tells programs in a container that they are in one (systemd-detect-virt(1) reads it, as do units' conditions).
func (s *System) marker(context.Context) error {
	if s.manager.Container == "" {
		return nil
	}
	const dir = "/run/systemd"
	if err := os.MkdirAll(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("mark the container: %w", err)
	}
	if err := os.WriteFile(dir+"/container", []byte(s.manager.Container+"\n"), 0o644); err != nil {
		return fmt.Errorf("mark the container: %w", err)
	}
	return nil
}
