package container

import (
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/moby/sys/capability"
	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/lower"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// check looks at what would go wrong later and less clearly.
func (l *launch) check(s *spec.Spec, root *rootfs.Root) error {
	view := rootfs.View{Root: root.Path}
	for _, m := range s.OCI.Mounts {
		if m.Type != "bind" {
			continue
		}
		// A link on the host, such as /nix to another disk, is the host's to follow.
		source, err := filepath.EvalSymlinks(m.Source)
		if err != nil {
			return fmt.Errorf("mount %s: %w", m.Destination, err)
		}
		view.Binds = append(view.Binds, rootfs.Bind{Source: source, Target: m.Destination})
	}
	for _, m := range l.config.Mounts {
		if err := (rootfs.View{Root: root.Path}).CheckTarget(m.Target); err != nil {
			return fmt.Errorf("%s: target %w", m.From, err)
		}
	}
	if origin, err := checkLimits(l.config); err != nil {
		return fmt.Errorf("%s: %w", origin, err)
	}
	program := s.OCI.Process.Args[0]
	if !path.IsAbs(program) {
		return nil // searched for in the container's PATH, by libcontainer
	}
	if err := view.CheckProgram(program); err != nil {
		return fmt.Errorf("program %w", err)
	}
	return nil
}

// checkLimits refuses what the kernel would refuse inside libcontainer's
// clone, where the reason is lost: raising a hard limit or lowering the OOM
// score takes CAP_SYS_RESOURCE.
func checkLimits(c *config.Config) (config.Origin, error) {
	held, err := capability.GetBound(capability.CAP_SYS_RESOURCE)
	if err != nil || held {
		return config.Origin{}, err
	}
	for name, asked := range c.Limits.Rlimits {
		number, ok := lower.RlimitNumber(name)
		var now unix.Rlimit
		if !ok || unix.Getrlimit(number, &now) != nil {
			continue
		}
		if asked.V.Hard > now.Max {
			return asked.From, fmt.Errorf("%s above firn's own hard limit %d takes CAP_SYS_RESOURCE", name, now.Max)
		}
	}
	if adjust := c.Limits.OOMScoreAdjust; adjust.Set {
		var now int
		if content, err := os.ReadFile("/proc/self/oom_score_adj"); err == nil {
			_, _ = fmt.Sscan(string(content), &now)
		}
		if adjust.V < now {
			return adjust.From, fmt.Errorf("an OOM score adjustment below firn's own %d takes CAP_SYS_RESOURCE", now)
		}
	}
	return config.Origin{}, nil
}
