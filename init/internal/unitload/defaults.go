package unitload

import (
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
)

// Units that systemd.special(7) gives a meaning.
const (
	shutdownTarget unit.Name = "shutdown.target"
	sysinitTarget  unit.Name = "sysinit.target"
	basicTarget    unit.Name = "basic.target"
	umountTarget   unit.Name = "umount.target"
)

func byDefault(u *unit.Unit, name unit.Name, kinds ...unit.DepKind) {
	for _, kind := range kinds {
		if name != u.Name {
			u.Deps.Add(kind, unit.FromDefault, name)
		}
	}
}

// addDefaults adds what DefaultDependencies= stands for. What a target says of the units that it pulls in is added when
// they are known: addTargetOrder.
func addDefaults(u *unit.Unit) {
	switch u.Name.Type() {
	case unit.ServiceType:
		byDefault(u, sysinitTarget, unit.Requires, unit.After)
		byDefault(u, basicTarget, unit.After)
		byDefault(u, shutdownTarget, unit.Before, unit.Conflicts)
	case unit.SocketType:
		startsEarly(u, "sockets.target")
	case unit.PathType:
		startsEarly(u, "paths.target")
	case unit.TimerType:
		startsEarly(u, "timers.target")
		if len(u.Timer.Calendar) > 0 {
			byDefault(u, "time-sync.target", unit.After)
			byDefault(u, "time-set.target", unit.After)
		}
	case unit.TargetType, unit.SliceType:
		if u.Name != shutdownTarget {
			byDefault(u, shutdownTarget, unit.Before, unit.Conflicts)
		}
	case unit.MountType:
		defaultMount(u)
	case unit.AutomountType:
		byDefault(u, "local-fs.target", unit.Before)
		byDefault(u, "local-fs-pre.target", unit.After)
		byDefault(u, umountTarget, unit.Before, unit.Conflicts)
	case unit.SwapType:
		byDefault(u, "swap.target", unit.Before)
		byDefault(u, umountTarget, unit.Before, unit.Conflicts)
	}
}

func startsEarly(u *unit.Unit, target unit.Name) {
	byDefault(u, target, unit.Before)
	byDefault(u, sysinitTarget, unit.Requires, unit.After)
	byDefault(u, shutdownTarget, unit.Before, unit.Conflicts)
}

// Mounts that every system has before its manager starts, or that the manager makes itself: systemd leaves them alone.
var (
	earlyMounts = []string{"/", "/usr", "/etc"}
	earlyTrees  = []string{"/proc", "/sys", "/dev", "/run"}
)

func isEarly(where string) bool {
	return slices.Contains(earlyMounts, where) || slices.ContainsFunc(earlyTrees, func(tree string) bool {
		return where == tree || strings.HasPrefix(where, tree+"/")
	})
}

func defaultMount(u *unit.Unit) {
	m := u.Mount
	if isEarly(m.Where) {
		return
	}
	network := isNetwork(m)
	if network {
		byDefault(u, "remote-fs-pre.target", unit.After)
		byDefault(u, "network.target", unit.After)
		byDefault(u, "network-online.target", unit.After, unit.Wants)
		byDefault(u, "remote-fs.target", unit.Before)
	} else {
		byDefault(u, "local-fs-pre.target", unit.After)
		byDefault(u, "local-fs.target", unit.Before)
	}
	byDefault(u, umountTarget, unit.Before, unit.Conflicts)
	if m.FSType == "tmpfs" {
		byDefault(u, "swap.target", unit.After)
	}
}

var networkTypes = []string{"afs", "ceph", "cifs", "gfs", "gfs2", "ncp", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2",
	"smb3", "smbfs", "davfs", "glusterfs", "lustre", "sshfs", "9p"}

func isNetwork(m *unit.Mount) bool {
	return slices.Contains(networkTypes, strings.TrimPrefix(m.FSType, "fuse.")) ||
		slices.Contains(strings.Split(m.Options, ","), "_netdev")
}

// addTargetOrder orders targets after the units that they pull in (systemd.target(5), "Default Dependencies").
func (s *Set) addTargetOrder(fresh []*unit.Unit) {
	for _, target := range fresh {
		if target.Name.Type() != unit.TargetType || target.State != unit.Loaded || !target.Has(unit.DefaultDependencies) {
			continue
		}
		for _, d := range slices.Clone(target.Deps) {
			if d.Kind != unit.Wants && d.Kind != unit.Requires && d.Kind != unit.Requisite && d.Kind != unit.BindsTo && d.Kind != unit.Upholds {
				continue
			}
			other := s.byName[d.Name]
			switch {
			case other == nil, other.State != unit.Loaded, !other.Has(unit.DefaultDependencies), other.Deps.Has(unit.After, target.Name),
				target.Deps.Has(unit.Before, other.Name):
				continue
			}
			target.Deps.Add(unit.After, unit.FromDefault, other.Name)
		}
	}
}

// mountsFor names the mount units that a unit's paths may lie on: those that have files.
func (l *Loader) mountsFor(u *unit.Unit) []unit.Name {
	var names []unit.Name
	if u.State != unit.Loaded {
		return nil
	}
	for _, p := range u.RequiresMountsFor {
		for ; p != "/"; p = path.Dir(p) {
			name := unit.PathName(p, unit.MountType)
			if _, _, ok := l.index.lookup(name); ok && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// addMounts makes units need the mounts that their paths lie on, where those are units.
func (s *Set) addMounts(fresh []*unit.Unit) {
	for _, u := range fresh {
		for _, p := range u.RequiresMountsFor {
			for ; p != "/"; p = path.Dir(p) {
				m := s.byName[unit.PathName(p, unit.MountType)]
				if m == nil || m == u || m.State != unit.Loaded {
					continue
				}
				u.Deps.Add(unit.Requires, unit.FromImplicit, m.Name)
				u.Deps.Add(unit.After, unit.FromImplicit, m.Name)
			}
		}
	}
}
