package unitload

import (
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
)

// addImplicit adds the dependencies that follow from a unit's type and settings (the sections "Implicit Dependencies"
// and "Default Dependencies" of systemd.service(5) and its like) and can be told without looking at other units.
func addImplicit(u *unit.Unit) {
	addSlice(u)
	switch u.Name.Type() {
	case unit.ServiceType:
		implicitService(u)
	case unit.SocketType:
		implicitSocket(u)
	case unit.TimerType:
		trigger(u, u.Timer.Unit)
		if u.Timer.Persistent {
			needMount(u, "/var/lib/systemd/timers")
		}
	case unit.PathType:
		trigger(u, u.Path.Unit)
		for _, w := range u.Path.Watches {
			needMount(u, w.Path)
		}
	case unit.MountType:
		if u.Mount.Where != "/" {
			needMount(u, path.Dir(u.Mount.Where))
		}
		if strings.HasPrefix(u.Mount.What, "/") && needsSource(u.Mount) {
			needMount(u, u.Mount.What)
		}
	case unit.AutomountType:
		if u.Automount.Where != "/" {
			needMount(u, path.Dir(u.Automount.Where))
		}
		trigger(u, u.Name.WithType(unit.MountType))
	}
	if u.Exec != nil && !(u.Socket != nil && !hasCommands(u.Socket)) {
		implicitExec(u)
	}
	if u.Has(unit.DefaultDependencies) {
		addDefaults(u)
	}
}

func hasCommands(s *unit.Socket) bool {
	return slices.ContainsFunc(s.Commands[:], func(list []unit.Command) bool { return len(list) > 0 })
}

// needsSource tells whether What= is itself a file on some mount.
func needsSource(m *unit.Mount) bool {
	return slices.ContainsFunc(strings.Split(m.Options, ","), func(o string) bool {
		return o == "bind" || o == "rbind" || o == "loop" || strings.HasPrefix(o, "loop=")
	})
}

func implicit(u *unit.Unit, name unit.Name, kinds ...unit.DepKind) {
	for _, kind := range kinds {
		if name != u.Name {
			u.Deps.Add(kind, unit.FromImplicit, name)
		}
	}
}

// addSlice puts a unit below its slice, and a slice below its parent.
func addSlice(u *unit.Unit) {
	if u.Cgroup == nil {
		return
	}
	slice := u.Cgroup.Slice
	switch {
	case u.Name.Type() == unit.SliceType:
		slice = parentSlice(u.Name)
	case slice == "" && u.Mount != nil && isEarly(u.Mount.Where):
		slice = "-.slice"
	case slice == "" && u.Name.IsInstance():
		// system-getty.slice for getty@tty1.service: an escaped prefix is one element, whatever it stands for.
		slice = unit.Name("system-" + strings.ReplaceAll(u.Name.Prefix(), "-", `\x2d`) + ".slice")
	case slice == "":
		slice = "system.slice"
	}
	if slice == "" {
		return
	}
	u.Cgroup.Slice = slice
	implicit(u, slice, unit.InSlice, unit.Requires, unit.After)
}

// parentSlice is a.slice for a-b.slice, -.slice for a.slice, and "" for -.slice.
func parentSlice(n unit.Name) unit.Name {
	stem := n.Stem()
	if stem == "-" {
		return ""
	}
	if i := strings.LastIndexByte(stem, '-'); i > 0 {
		return unit.Name(stem[:i] + ".slice")
	}
	return "-.slice"
}

func implicitService(u *unit.Unit) {
	s := u.Service
	if s.Type == unit.DBus {
		implicit(u, "dbus.socket", unit.Requires, unit.After)
	}
	for _, socket := range s.Sockets {
		u.Deps.Add(unit.Wants, unit.FromFile, socket)
		u.Deps.Add(unit.After, unit.FromFile, socket)
		u.Deps.Add(unit.TriggeredBy, unit.FromFile, socket)
	}
}

func implicitSocket(u *unit.Unit) {
	s := u.Socket
	for _, l := range s.Listens {
		if strings.HasPrefix(l.Address, "/") {
			needMount(u, l.Address)
		}
	}
	if s.Accept {
		// The instances do not exist yet; each gets its dependency on the socket when it is made.
		return
	}
	if s.Service == "" {
		s.Service = u.Name.WithType(unit.ServiceType)
	}
	trigger(u, s.Service)
}

// trigger makes a unit the one that starts another.
func trigger(u *unit.Unit, other unit.Name) {
	if other == "" {
		other = u.Name.WithType(unit.ServiceType)
	}
	switch {
	case u.Timer != nil:
		u.Timer.Unit = other
	case u.Path != nil:
		u.Path.Unit = other
	}
	implicit(u, other, unit.Triggers, unit.Before)
}

// directoryRoots are where the directories of a unit are made.
var directoryRoots = [unit.DirectoryKinds]string{
	unit.RuntimeDirectory: "/run", unit.StateDirectory: "/var/lib", unit.CacheDirectory: "/var/cache",
	unit.LogsDirectory: "/var/log", unit.ConfigurationDirectory: "/etc",
}

func implicitExec(u *unit.Unit) {
	e := u.Exec
	if strings.HasPrefix(e.WorkingDirectory, "/") && !e.WorkingDirectoryOptional {
		needMount(u, e.WorkingDirectory)
	}
	if e.RootDirectory != "" {
		needMount(u, e.RootDirectory)
	}
	for kind, dirs := range e.Directories {
		for _, d := range dirs.Entries {
			needMount(u, path.Join(directoryRoots[kind], d.Path))
		}
	}
	if len(e.Directories[unit.StateDirectory].Entries)+len(e.Directories[unit.CacheDirectory].Entries)+len(e.Directories[unit.LogsDirectory].Entries) > 0 {
		implicit(u, "systemd-remount-fs.service", unit.After)
	}
	for _, s := range []unit.Stdio{e.Stdout, e.Stderr} {
		switch s.Kind {
		case unit.StdioJournal, unit.StdioJournalConsole, unit.StdioKmsg, unit.StdioKmsgConsole:
			implicit(u, "systemd-journald.socket", unit.After)
		}
	}
	if e.PrivateTmp {
		needMount(u, "/var/tmp")
		implicit(u, "tmp.mount", unit.Wants, unit.After)
		implicit(u, "systemd-tmpfiles-setup.service", unit.After)
	}
}

func needMount(u *unit.Unit, p string) {
	if !slices.Contains(u.RequiresMountsFor, p) {
		u.RequiresMountsFor = append(u.RequiresMountsFor, p)
	}
}
