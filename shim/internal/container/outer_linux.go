package container

import (
	"errors"
	"fmt"
	"os"

	occgroups "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/manager"

	"firn/shim/internal/sysctl"
)

// makeOuter makes the cgroup above PID 1's, with limits and device rules.
func makeOuter(config *occgroups.Cgroup) error {
	outer, err := manager.New(config)
	if err != nil {
		return fmt.Errorf("prepare cgroup %s: %w", config.Path, err)
	}
	// The last container to end removes their common parent. It may do so
	// while this one has made the parent and not yet its own cgroup in it.
	for range maxParentRaces {
		if err = outer.Apply(-1); !errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("make cgroup %s: %w", config.Path, err)
	}
	if err := outer.Set(config.Resources); err != nil {
		return fmt.Errorf("limit cgroup %s: %w", config.Path, err)
	}
	return nil
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
