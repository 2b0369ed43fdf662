package unitload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"firn/init/internal/unit"
)

func depKind(key string) (unit.DepKind, error) {
	for k := unit.Requires; k <= unit.InSlice; k++ {
		if k.String() == key {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%s is no dependency", key)
}

// comparedKeys are the properties that both sides print, and those that only one does although they are set.
func comparedKeys(u *unit.Unit, theirs properties) []string {
	keys := []string{"Unit Load State", "Alias"}
	if u.State != unit.Loaded {
		return keys
	}
	keys = append(keys, "Description", "Fragment Path", "DropIn Path", "Documentation", "RequiresMountsFor")
	for k := unit.Requires; k <= unit.InSlice; k++ {
		keys = append(keys, k.String())
	}
	for key := range show(u) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for key := range theirs {
		if (strings.HasPrefix(key, "Condition") || strings.HasPrefix(key, "Assert") || strings.HasPrefix(key, "Exec") ||
			strings.HasPrefix(key, "Listen") || strings.HasSuffix(key, "Sec") && strings.HasPrefix(key, "On") || key == "OnCalendar" ||
			slices.Contains([]string{"Environment", "EnvironmentFile", "User", "Group", "PIDFile", "BusName", "Nice", "Where", "What",
				"SupplementaryGroups", "RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory",
				"AmbientCapabilities", "UnsetEnvironment", "PathChanged", "PathExists", "DirectoryNotEmpty"}, key)) && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return slices.DeleteFunc(keys, func(k string) bool { return k == "ExecPaths" })
}

// show prints a unit as systemd does.
func show(u *unit.Unit) properties {
	p := properties{"Unit Load State": {u.State.String()}}
	for _, a := range u.Aliases {
		p.add("Alias", string(a))
	}
	if u.State != unit.Loaded {
		return p
	}
	p.add("Description", u.Description)
	if u.Description == "" {
		p["Description"] = []string{string(u.Name)}
	}
	if u.Fragment != "" {
		p.add("Fragment Path", u.Fragment)
	}
	p["DropIn Path"] = u.Dropins
	p["Documentation"] = u.Documentation
	p["RequiresMountsFor"] = u.RequiresMountsFor
	for _, d := range u.Deps {
		p.add(d.Kind.String(), string(d.Name))
	}
	showConditions(p, "Condition", u.Conditions)
	showConditions(p, "Assert", u.Asserts)
	p.flag("StopWhenUnneeded", u.Has(unit.StopWhenUnneeded))
	p.flag("RefuseManualStart", u.Has(unit.RefuseManualStart))
	p.flag("RefuseManualStop", u.Has(unit.RefuseManualStop))
	p.flag("DefaultDependencies", u.Has(unit.DefaultDependencies))
	p.flag("IgnoreOnIsolate", u.Has(unit.IgnoreOnIsolate) || implicitIgnore(u))
	modes := []string{"replace", "fail", "replace-irreversibly", "isolate", "flush", "ignore-dependencies", "ignore-requirements"}
	p.add("OnFailureJobMode", modes[u.OnFailureJobMode])
	p.add("OnSuccessJobMode", modes[u.OnSuccessJobMode])
	if u.JobTimeout != unit.Infinity {
		p.add("Job Timeout", span(u.JobTimeout))
	}
	showType(p, u)
	return p
}

// implicitIgnore: systemd spares these types from isolation.
func implicitIgnore(u *unit.Unit) bool {
	return slices.Contains([]unit.Type{unit.SliceType, unit.MountType, unit.AutomountType, unit.SwapType}, u.Name.Type())
}

func showType(p properties, u *unit.Unit) {
	switch {
	case u.Service != nil:
		showService(p, u.Service)
	case u.Socket != nil:
		showSocket(p, u)
	case u.Timer != nil:
		t := u.Timer
		p.add("Unit", string(t.Unit))
		p.flag("Persistent", t.Persistent)
		p.flag("RemainAfterElapse", t.RemainAfterElapse)
		p.flag("FixedRandomDelay", t.FixedRandomDelay)
		p.add("Accuracy", span(t.Accuracy))
		for _, c := range t.Calendar {
			p.add("OnCalendar", c.String())
		}
		for _, m := range t.Monotonic {
			p.add(m.Base.String(), span(m.Span))
		}
	case u.Path != nil:
		p.add("Unit", string(u.Path.Unit))
		p.flag("MakeDirectory", u.Path.MakeDirectory)
		for _, w := range u.Path.Watches {
			p.add(w.Kind.String(), w.Path)
		}
	case u.Mount != nil:
		p.add("Where", u.Mount.Where)
		p.add("What", u.Mount.What)
		p.add("File System Type", orNA(u.Mount.FSType))
		p.add("Options", orNA(u.Mount.Options))
	case u.Automount != nil:
		p.add("Where", u.Automount.Where)
	}
	if u.Exec != nil {
		showExec(p, u.Exec)
	}
	if u.Kill != nil {
		showKill(p, u.Kill)
	}
	if u.Cgroup != nil {
		p.add("Slice", string(u.Cgroup.Slice))
		p.flag("Delegate", u.Cgroup.Delegate)
	}
}

func showConditions(p properties, prefix string, list []unit.Condition) {
	for _, c := range list {
		value := c.Param
		if c.Negate {
			value = "!" + value
		}
		if c.Trigger {
			value = "|" + value
		}
		p.add(prefix+c.Kind.String(), value)
	}
}

func showService(p properties, s *unit.Service) {
	p.add("Type", s.Type.String())
	p.add("Restart", s.Restart.String())
	p.add("NotifyAccess", s.NotifyAccess.String())
	p.add("OOMPolicy", []string{"stop", "continue", "kill"}[s.OOMPolicy])
	p.flag("RemainAfterExit", s.RemainAfterExit)
	p.flag("GuessMainPID", s.GuessMainPID)
	p.flag("PermissionsStartOnly", s.PermissionsStartOnly)
	p.flag("RootDirectoryStartOnly", s.RootDirectoryStartOnly)
	p.flag("NonBlocking", s.NonBlocking)
	p.add("RestartSec", span(s.RestartDelay))
	p.add("TimeoutStartSec", span(s.TimeoutStart))
	p.add("TimeoutStopSec", span(s.TimeoutStop))
	p.add("RuntimeMaxSec", span(s.RuntimeMax))
	p.add("WatchdogSec", span(s.Watchdog))
	p.optional("PIDFile", s.PIDFile)
	p.optional("BusName", s.BusName)
	showCommands(p, &s.Commands)
}

func showCommands(p properties, all *[unit.ExecPhases][]unit.Command) {
	for phase, list := range all {
		for _, c := range list {
			var words []string
			for _, word := range c.Argv {
				words = append(words, quote(word))
			}
			p.add(unit.ExecPhase(phase).String(), strings.Join(words, " "))
		}
	}
}

func showSocket(p properties, u *unit.Unit) {
	s := u.Socket
	p.add("SocketMode", fmt.Sprintf("%04o", s.SocketMode))
	p.add("DirectoryMode", fmt.Sprintf("%04o", s.DirectoryMode))
	p.add("BindIPv6Only", []string{"default", "both", "ipv6-only"}[s.BindIPv6Only])
	p.flag("PassCredentials", s.Options.PassCredentials)
	p.flag("PassSecurity", s.Options.PassSecurity)
	p.flag("Writable", s.Writable)
	p.flag("RemoveOnStop", s.RemoveOnStop)
	p.flag("FreeBind", s.Options.FreeBind)
	p.add("TriggerLimitBurst", strconv.Itoa(int(s.TriggerLimitBurst)))
	p.add("TriggerLimitIntervalSec", span(s.TriggerLimitInterval))
	p.optional("SocketUser", s.User)
	p.optional("SocketGroup", s.Group)
	if s.FDName != "" {
		p.add("FileDescriptorName", s.FDName)
	}
	for _, l := range s.Listens {
		address := l.Address
		if _, err := strconv.Atoi(address); err == nil {
			address = "[::]:" + address
		}
		p.add("Listen"+l.Kind.String(), address)
	}
	showCommands(p, &s.Commands)
}

func showExec(p properties, e *unit.Exec) {
	p.add("UMask", fmt.Sprintf("%04o", e.UMask))
	p.optional("User", e.User)
	p.optional("Group", e.Group)
	p.flag("DynamicUser", e.DynamicUser)
	p.flag("IgnoreSIGPIPE", e.IgnoreSIGPIPE)
	p["Environment"] = nil
	for _, v := range e.Environment {
		p.add("Environment", v)
	}
	for _, f := range e.EnvironmentFiles {
		value := f.Path
		if f.Optional {
			value = "-" + value
		}
		p.add("EnvironmentFile", value)
	}
	for _, v := range e.UnsetEnvironment {
		p.add("UnsetEnvironment", v)
	}
	for kind := range unit.DirectoryKinds {
		p.add(kind.String()+"Mode", fmt.Sprintf("%04o", e.Directories[kind].Mode))
		for _, d := range e.Directories[kind].Entries {
			p.add(kind.String(), d.Path)
		}
	}
	kinds := []string{"inherit", "null", "tty", "tty-force", "tty-fail", "data", "journal", "journal+console", "kmsg",
		"kmsg+console", "file", "append", "truncate", "socket", "fd"}
	p.add("StandardInput", kinds[e.Stdin.Kind])
	p.add("StandardOutput", kinds[e.Stdout.Kind])
	p.add("StandardError", kinds[e.Stderr.Kind])
	var ambient []string
	for c := uint8(0); c < 64; c++ {
		if e.AmbientCapabilities&(1<<c) != 0 {
			ambient = append(ambient, unit.CapabilityName(c))
		}
	}
	p.optional("AmbientCapabilities", strings.Join(ambient, " "))
	if e.Nice.Set {
		p.add("Nice", strconv.Itoa(int(e.Nice.Value)))
	}
	if e.OOMScore.Set {
		p.add("OOMScoreAdjust", strconv.Itoa(int(e.OOMScore.Value)))
	}
	p.add("RuntimeDirectoryPreserve", []string{"no", "restart", "yes"}[e.RuntimeDirectoryPreserve])
	names := []string{"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
		"MSGQUEUE", "NICE", "RTPRIO", "RTTIME"}
	for _, l := range e.Limits {
		p.add("Limit"+names[l.Resource], strconv.FormatUint(l.Hard, 10))
		p.add("Limit"+names[l.Resource]+"Soft", strconv.FormatUint(l.Soft, 10))
	}
}

func showKill(p properties, k *unit.Kill) {
	p.add("KillMode", k.Mode.String())
	p.add("KillSignal", k.Signal.String())
	p.add("FinalKillSignal", k.FinalSignal.String())
	p.flag("SendSIGKILL", k.SendSIGKILL)
	p.flag("SendSIGHUP", k.SendSIGHUP)
	restart := k.RestartSignal
	if restart == 0 {
		restart = k.Signal
	}
	p.add("RestartKillSignal", restart.String())
}

func (p properties) add(key, value string) { p[key] = append(p[key], value) }

func (p properties) optional(key, value string) {
	if value != "" {
		p.add(key, value)
	}
}

func (p properties) flag(key string, on bool) {
	if on {
		p.add(key, "yes")
	} else {
		p.add(key, "no")
	}
}

func orNA(s string) string {
	if s == "" {
		return "n/a"
	}
	return s
}

// quote writes a word as systemd shows it, for a shell to read.
func quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\"'\\`$*?[]<>()&;|#{}!^~") {
		return s
	}
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range []byte(s) {
		switch c {
		case '\n':
			out.WriteString(`\n`)
		case '\t':
			out.WriteString(`\t`)
		case '"', '\\', '`', '$':
			out.WriteByte('\\')
			out.WriteByte(c)
		default:
			out.WriteByte(c)
		}
	}
	return out.String() + `"`
}

// span writes a time span as systemd does.
func span(d unit.Span) string {
	if d == unit.Infinity {
		return "infinity"
	}
	if d == 0 {
		return "0"
	}
	var words []string
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"y", 31557600 * time.Second}, {"month", 2629800 * time.Second}, {"w", 168 * time.Hour}, {"d", 24 * time.Hour}, {"h", time.Hour},
		{"min", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}} {
		if n := d / u.unit; n > 0 {
			words = append(words, fmt.Sprintf("%d%s", n, u.name))
			d -= n * u.unit
		}
	}
	return strings.Join(words, " ")
}
