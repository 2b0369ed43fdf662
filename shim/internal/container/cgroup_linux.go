package container

import (
	"errors"
	"fmt"
	"os"

	"path/filepath"
	"strings"

	occgroups "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"

	"firn/cgroups"
	"firn/shim/internal/lower"
	"firn/shim/internal/sysctl"
	"firn/shim/internal/systemd"
)

// makeCgroups makes the container's cgroup, with limits, device rules and the
// guard, and PID 1's below it. It must run in the host's mount namespace: the
// cgroups library keeps the first handle on /sys/fs/cgroup that it opens, for
// all starts to come, and reports a missing file as something else when it
// meets that handle in another namespace. So PID 1's cgroup is there before
// libcontainer, on the stage, looks for its files.
func (l *launch) makeCgroups(low *lower.Container) error {
	outer, err := makeCgroup(low.Outer)
	if err != nil {
		return err
	}
	if err := outer.Set(low.Outer.Resources); err != nil {
		return fmt.Errorf("limit cgroup %s: %w", low.Outer.Path, err)
	}
	if err := l.guardSysctl(low.Outer.Path); err != nil {
		return err
	}
	inner := *low.Config.Cgroups
	_, err = makeCgroup(&inner) // libcontainer sets its resources
	return err
}

// makeCgroup makes a cgroup in every hierarchy.
func makeCgroup(config *occgroups.Cgroup) (occgroups.Manager, error) {
	m, err := manager.New(config)
	if err != nil {
		return nil, fmt.Errorf("prepare cgroup %s: %w", config.Path, err)
	}
	// The last container to end removes their common parent. It may do so
	// while this one has made the parent and not yet its own cgroup in it.
	for range maxParentRaces {
		if err = m.Apply(-1); !errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("make cgroup %s: %w", config.Path, err)
	}
	return m, nil
}

const maxParentRaces = 100

// guardSysctl protects the host's kernel parameters where the kernel can. A
// host with cgroup v1 alone has no place for the guard: there the read-only
// /proc/sys is all, as with systemd-nspawn.
func (l *launch) guardSysctl(cgroup string) error {
	for _, h := range l.host.Hierarchies {
		if !h.V2 || h.ReadOnly {
			continue
		}
		dir := h.Dir(cgroup)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make cgroup: %w", err)
		}
		err := sysctl.Guard(dir)
		if errors.Is(err, sysctl.ErrUnavailable) {
			l.warn(fmt.Sprintf("root inside can reach the host's kernel parameters: %v", err))
			return nil
		}
		return err
	}
	return nil
}

// leaveOwnUnit undoes enterOwnUnit on a host whose service manager does not
// remove the unit's cgroup with all below it: controllers are taken back, so
// that this process may return to the unit's own cgroup, and the one that it
// stood in goes. Another container in the same unit keeps both.
func (s *Supervisor) leaveOwnUnit() {
	if !s.inUnit || s.host.Mode != cgroups.Unified || systemd.Running() {
		return
	}
	if others, err := s.host.Containers(s.cgroup.Parent); err != nil || len(others) > 0 {
		return
	}
	for _, h := range s.host.Hierarchies {
		control := filepath.Join(h.Dir(s.cgroup.Parent), "cgroup.subtree_control")
		enabled, err := os.ReadFile(control)
		if err != nil {
			continue
		}
		for _, controller := range strings.Fields(string(enabled)) {
			_ = os.WriteFile(control, []byte("-"+controller), 0) // one in use keeps the cgroup
		}
	}
	if err := s.host.MoveSelf(s.cgroup.Parent); err == nil {
		_ = s.host.Prune(s.cgroup.Supervisor())
	}
}
