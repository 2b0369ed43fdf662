package spec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/cgroups"
	"firn/shim/internal/config"
)

// apiMounts are the API file systems that the Container Interface and
// systemd-nspawn(1) promise, in the order they are mounted.
var apiMounts = []specs.Mount{
	{Destination: "/proc", Type: "proc", Source: "proc", Options: []string{"nosuid", "noexec", "nodev"}},
	// With the host's network namespace a sysfs shows the host's devices, so the
	// host's own does as well; a bind of it can be locked read-only.
	{Destination: "/sys", Type: "bind", Source: "/sys", Options: []string{"bind", "rslave", "nosuid", "noexec", "nodev", "ro"}},
	{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=0755", "size=4m", "nr_inodes=64k"}},
	{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
	{Destination: "/dev/shm", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "strictatime", "mode=1777", "size=10%", "nr_inodes=400k"}},
	{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: []string{"nosuid", "noexec", "nodev"}},
	{Destination: "/run", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "strictatime", "mode=0755", "size=20%", "nr_inodes=800k"}},
	{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev", "strictatime", "mode=1777", "size=10%", "nr_inodes=400k"}},
}

// maskedPaths read as empty: what they hold concerns the host alone.
var maskedPaths = []string{"/proc/kallsyms", "/proc/kcore", "/proc/keys", "/proc/timer_list"}

// readonlyPaths can be looked at and not written. sysrq-trigger is among them,
// and not masked, so that a write is refused rather than swallowed.
var readonlyPaths = []string{
	"/proc/acpi", "/proc/apm", "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq",
	"/proc/mtrr", "/proc/scsi", "/proc/sys", "/proc/sysrq-trigger",
}

func (s *Spec) buildMounts(c *config.Config, f *Facts) error {
	mounts := slices.Clone(apiMounts)
	mounts = append(mounts, cgroupMounts(f.CgroupMode)...)
	s.OCI.Mounts = mounts
	s.Locked["/sys"] = true
	s.bind(f.RunHost, "/run/host", true, true)
	if err := s.volatile(c, f); err != nil {
		return err
	}
	return s.customMounts(c, f)
}

// AddBinds adds binds that follow from the host rather than from the user. They
// come last, on top of all that was asked for.
func (s *Spec) AddBinds(binds []Bind) {
	for _, b := range binds {
		s.bind(b.Source, b.Target, b.ReadOnly, false)
	}
}

// cgroupMounts show the container its own subtree, writable, and nothing else:
// mounted inside its cgroup namespace, a hierarchy's root is the container's.
func cgroupMounts(mode cgroups.Mode) []specs.Mount {
	options := []string{"nosuid", "noexec", "nodev"}
	all := []specs.Mount{{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: options}}
	if mode == cgroups.Hybrid {
		all = append(all, specs.Mount{
			Destination: "/sys/fs/cgroup/unified", Type: "cgroup2", Source: "cgroup2", Options: options,
		})
	}
	return all
}

// volatile makes the root of --volatile=state. The modes yes and overlay
// change what the root is and are the business of the stage that prepares it.
func (s *Spec) volatile(c *config.Config, _ *Facts) error {
	if c.Root.Volatile.V != config.VolatileState {
		return nil
	}
	s.OCI.Root.Readonly = true
	s.OCI.Mounts = append(s.OCI.Mounts, specs.Mount{
		Destination: "/var", Type: "tmpfs", Source: "tmpfs",
		Options: []string{"nodev", "strictatime", "mode=0755", "size=25%", "nr_inodes=1m"},
	})
	return nil
}

// customMounts adds the mounts that were asked for, parents before children
// (systemd-nspawn sorts by path as well), else in the order given.
func (s *Spec) customMounts(c *config.Config, f *Facts) error {
	sorted := slices.Clone(c.Mounts)
	slices.SortStableFunc(sorted, func(a, b config.Mount) int { return comparePaths(a.Target, b.Target) })
	for _, m := range sorted {
		var err error
		switch m.Kind {
		case config.MountBind:
			err = s.customBind(m, f)
		case config.MountTmpfs:
			s.tmpfs(m)
		case config.MountOverlay:
			err = s.overlay(m, f)
		case config.MountInaccessible:
			err = s.inaccessible(m, f)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.From, err)
		}
	}
	return nil
}

// comparePaths orders a directory before what is below it.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

// bind adds a bind mount; a read-only one is locked.
func (s *Spec) bind(source, target string, readOnly, recursive bool) {
	kind := "bind"
	if recursive {
		kind = "rbind"
	}
	// Mounts that the host makes below the source later arrive, as with nspawn.
	options := []string{kind, "rslave"}
	if readOnly {
		s.Locked[target] = true
		options = append(options, "ro")
		if recursive {
			options = append(options, "rro") // submounts too (mount_setattr, Linux 5.12)
		}
	}
	s.OCI.Mounts = append(s.OCI.Mounts, specs.Mount{Destination: target, Type: "bind", Source: source, Options: options})
}

func (s *Spec) customBind(m config.Mount, f *Facts) error {
	if m.IDMap != config.IDMapNone {
		return fmt.Errorf("mount option %q needs a user namespace, which is not supported yet", m.IDMap)
	}
	source, err := f.Places.Source(m.Sources[0])
	if err != nil {
		return err
	}
	s.bind(source, m.Target, m.ReadOnly, !m.Flat)
	return nil
}

func (s *Spec) tmpfs(m config.Mount) {
	options := []string{"nodev", "strictatime"}
	if m.Options == "" {
		options = append(options, "mode=0755")
	} else {
		options = append(options, strings.Split(m.Options, ",")...)
	}
	s.OCI.Mounts = append(s.OCI.Mounts, specs.Mount{Destination: m.Target, Type: "tmpfs", Source: "tmpfs", Options: options})
}

// overlay puts Sources on top of each other: the last given is the topmost. A
// writable one needs a work directory on the file system of the upper.
func (s *Spec) overlay(m config.Mount, f *Facts) error {
	dirs := make([]string, len(m.Sources))
	for i, source := range m.Sources {
		dir, err := f.Places.Source(source)
		if err != nil {
			return err
		}
		dirs[len(dirs)-1-i] = dir // the kernel wants the topmost first
	}
	upper, work := "", ""
	if !m.ReadOnly {
		var err error
		if work, err = f.Places.WorkDir(dirs[0]); err != nil {
			return err
		}
		upper, dirs = dirs[0], dirs[1:]
	}
	s.OCI.Mounts = append(s.OCI.Mounts, specs.Mount{
		Destination: m.Target, Type: "overlay", Source: "overlay", Options: OverlayOptions(dirs, upper, work),
	})
	return nil
}

// OverlayOptions are the mount options of an overlay of the lower directories,
// the topmost first; without an upper one it is read-only.
func OverlayOptions(lower []string, upper, work string) []string {
	escaped := make([]string, len(lower))
	for i, dir := range lower {
		escaped[i] = escapeOverlay(dir)
	}
	options := []string{"lowerdir=" + strings.Join(escaped, ":")}
	if upper == "" {
		return append(options, "ro")
	}
	return append(options, "upperdir="+escapeOverlay(upper), "workdir="+escapeOverlay(work))
}

// escapeOverlay protects the separators of overlayfs's mount options.
func escapeOverlay(path string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, ",", `\,`).Replace(path)
}

// inaccessible covers the target with a node of its type that nobody can use.
func (s *Spec) inaccessible(m config.Mount, f *Facts) error {
	node, err := f.Places.Inaccessible(m.Target)
	if err != nil {
		return err
	}
	s.bind(node, m.Target, true, false)
	return nil
}
