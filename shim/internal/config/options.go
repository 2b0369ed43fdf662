package config

import "firn/init/unitfile"

var (
	boolWords    = []string{"yes", "no"}
	setBoot      = into(func(c *Config) *Value[bool] { return &c.Exec.Boot }, unitfile.ParseBool)
	setPID2      = into(func(c *Config) *Value[bool] { return &c.Exec.AsPID2 }, unitfile.ParseBool)
	setEphemeral = into(func(c *Config) *Value[bool] { return &c.Root.Ephemeral }, unitfile.ParseBool)
	setReadOnly  = into(func(c *Config) *Value[bool] { return &c.Root.ReadOnly }, unitfile.ParseBool)
	setVolatile  = into(func(c *Config) *Value[VolatileMode] { return &c.Root.Volatile }, parseVolatile)
	setChdir     = into(func(c *Config) *Value[string] { return &c.Exec.WorkingDirectory }, containerPath)
	setUser      = orUnset(func(c *Config) *Value[string] { return &c.Exec.User },
		into(func(c *Config) *Value[string] { return &c.Exec.User }, parseUser))
	setKillSignal  = into(func(c *Config) *Value[Signal] { return &c.Exec.KillSignal }, ParseSignal)
	setNotifyReady = into(func(c *Config) *Value[bool] { return &c.Exec.NotifyReady }, unitfile.ParseBool)
	setHostname    = orUnset(func(c *Config) *Value[string] { return &c.Identity.Hostname },
		into(func(c *Config) *Value[string] { return &c.Identity.Hostname }, parseHostname))
	setUUID        = into(func(c *Config) *Value[string] { return &c.Identity.UUID }, parseUUID)
	setNoNewPrivs  = into(func(c *Config) *Value[bool] { return &c.Security.NoNewPrivileges }, unitfile.ParseBool)
	setOOMScore    = into(func(c *Config) *Value[int] { return &c.Limits.OOMScoreAdjust }, parseOOMScore)
	setCPUs        = into(func(c *Config) *Value[[]int] { return &c.Limits.CPUAffinity }, parseCPUs)
	setPersonality = into(func(c *Config) *Value[Personality] { return &c.Limits.Personality }, parsePersonality)
	setResolvConf  = into(func(c *Config) *Value[ResolvConfMode] { return &c.Host.ResolvConf }, parseResolvConf)
	setTimezone    = into(func(c *Config) *Value[TimezoneMode] { return &c.Host.Timezone }, parseTimezone)
	setJournal     = into(func(c *Config) *Value[LinkJournal] { return &c.Host.LinkJournal }, parseLinkJournal)
	setConsole     = into(func(c *Config) *Value[ConsoleMode] { return &c.Console }, parseConsole)
)

func generalOptions() []option {
	return []option{
		{name: "help", short: "h", help: "Show this help", set: action(ActionHelp)},
		{name: "version", help: "Show the version", set: action(ActionVersion)},
		{name: "quiet", short: "q", implied: "yes", help: "Do not show status information",
			set: into(func(c *Config) *Value[bool] { return &c.Quiet }, unitfile.ParseBool)},
		{name: "no-pager", help: "Accepted; firn never uses a pager", set: nothing},
		{name: "no-ask-password", help: "Accepted; firn never asks for a password", set: nothing},
		{name: "settings", arity: requiredArgument, meta: "MODE", help: "Whether to read .nspawn files, and which side wins",
			values: []string{"yes", "no", "override", "trusted"},
			set:    into(func(c *Config) *Value[SettingsMode] { return &c.Settings }, parseSettingsMode)},
		{name: "cleanup", help: "Remove what an interrupted run left behind, and exit", set: action(ActionCleanup)},
	}
}

func imageOptions() []option {
	return append([]option{
		{name: "directory", short: "D", arity: requiredArgument, meta: "PATH", help: "Root directory of the container",
			set: hostDir(func(c *Config) *Value[string] { return &c.Root.Directory })},
		{name: "template", arity: requiredArgument, meta: "PATH", help: "Fill a missing root directory from this tree",
			set: hostDir(func(c *Config) *Value[string] { return &c.Root.Template })},
		{name: "ephemeral", short: "x", implied: "yes", help: "Run on a copy of the root, removed at the end", set: setEphemeral},
		{name: "read-only", implied: "yes", help: "Mount the root read-only", set: setReadOnly},
		{name: "volatile", arity: optionalArgument, implied: "yes", meta: "MODE", help: "Keep changes in memory only",
			values: []string{"no", "yes", "state", "overlay"}, set: setVolatile},
	}, unsupportedImage...)
}

func executionOptions() []option {
	return append([]option{
		{name: "as-pid2", short: "a", implied: "yes", help: "Run the program as PID 2 below a stub init", set: setPID2},
		{name: "boot", short: "b", implied: "yes", help: "Search for an init and boot it", set: setBoot},
		{name: "chdir", arity: requiredArgument, meta: "PATH", help: "Working directory in the container", set: setChdir},
		{name: "setenv", short: "E", arity: requiredArgument, meta: "NAME[=VALUE]", help: "Set an environment variable, or pass one on", set: setVariable},
		{name: "user", short: "u", arity: requiredArgument, meta: "USER", help: "User in the container to run the program as", set: setUser},
		{name: "kill-signal", arity: requiredArgument, meta: "SIGNAL", help: "Signal that asks PID 1 to shut down", set: setKillSignal},
		{name: "notify-ready", arity: requiredArgument, meta: "BOOL", help: "Wait for the container's own READY=1", values: boolWords, set: setNotifyReady},
	}, unsupportedExecution...)
}

func identityOptions() []option {
	return []option{
		{name: "machine", short: "M", arity: requiredArgument, meta: "NAME", help: "Name of the container",
			set: orUnset(func(c *Config) *Value[string] { return &c.Machine },
				into(func(c *Config) *Value[string] { return &c.Machine }, parseMachine))},
		{name: "hostname", arity: requiredArgument, meta: "NAME", help: "Host name in the container, by default its name", set: setHostname},
		{name: "uuid", arity: requiredArgument, meta: "UUID", help: "Machine ID for a container that has none", set: setUUID},
	}
}

func propertyOptions() []option {
	return []option{
		{name: "slice", short: "S", arity: requiredArgument, meta: "SLICE", help: "Slice of the container's scope",
			set: into(func(c *Config) *Value[string] { return &c.Unit.Slice }, parseSlice)},
		{name: "property", arity: requiredArgument, meta: "NAME=VALUE", help: "Property of the container's scope", set: setProperty},
		{name: "register", arity: requiredArgument, meta: "BOOL", help: "Register the container with systemd-machined", values: boolWords,
			set: into(func(c *Config) *Value[bool] { return &c.Unit.Register }, unitfile.ParseBool)},
		{name: "keep-unit", implied: "yes", help: "Stay in the unit that firn was started in",
			set: into(func(c *Config) *Value[bool] { return &c.Unit.KeepUnit }, unitfile.ParseBool)},
	}
}

func securityOptions() []option {
	return append([]option{
		{name: "capability", arity: requiredArgument, meta: "CAP,...", help: "Keep these capabilities too, or all",
			set: capabilities(func(c *Config) *[]Capability { return &c.Security.Capability }, ",")},
		{name: "drop-capability", arity: requiredArgument, meta: "CAP,...", help: "Drop these capabilities",
			set: capabilities(func(c *Config) *[]Capability { return &c.Security.DropCapability }, ",")},
		{name: "ambient-capability", arity: requiredArgument, meta: "CAP,...", help: "Give the program these capabilities",
			set: capabilities(func(c *Config) *[]Capability { return &c.Security.Ambient }, ",")},
		{name: "no-new-privileges", arity: requiredArgument, meta: "BOOL", help: "Forbid gaining privileges by execve", values: boolWords, set: setNoNewPrivs},
	}, unsupportedSecurity...)
}

func resourceOptions() []option {
	return []option{
		{name: "rlimit", arity: requiredArgument, meta: "LIMIT=[SOFT:]HARD", help: "Set a resource limit", set: setRlimit},
		{name: "oom-score-adjust", arity: requiredArgument, meta: "VALUE", help: "Set the OOM score adjustment (-1000 to 1000)", set: setOOMScore},
		{name: "cpu-affinity", arity: requiredArgument, meta: "CPUS", help: "CPUs to run on, as 0,2-3", set: setCPUs},
		{name: "personality", arity: requiredArgument, meta: "ARCH", help: "Machine that uname(2) reports", values: []string{"x86", "x86-64"}, set: setPersonality},
	}
}

func integrationOptions() []option {
	return []option{
		{name: "resolv-conf", arity: requiredArgument, meta: "MODE", help: "What to do about /etc/resolv.conf",
			values: []string{"off", "copy-host", "copy-static", "copy-uplink", "copy-stub", "replace-host", "replace-static",
				"replace-uplink", "replace-stub", "bind-host", "bind-static", "bind-uplink", "bind-stub", "delete", "auto"},
			set: setResolvConf},
		{name: "timezone", arity: requiredArgument, meta: "MODE", help: "What to do about /etc/localtime",
			values: []string{"off", "copy", "bind", "symlink", "delete", "auto"}, set: setTimezone},
		{name: "link-journal", arity: requiredArgument, meta: "MODE", help: "Whether and where to link the journal",
			values: []string{"no", "auto", "guest", "host", "try-guest", "try-host"}, set: setJournal},
		{short: "j", implied: "try-guest", help: "Same as --link-journal=try-guest", set: setJournal},
	}
}

func mountOptions() []option {
	return append([]option{
		{name: "bind", arity: requiredArgument, meta: "PATH[:PATH[:OPTIONS]]", help: "Bind a file or directory of the host", set: bind(false)},
		{name: "bind-ro", arity: requiredArgument, meta: "PATH[:PATH[:OPTIONS]]", help: "The same, read-only", set: bind(true)},
		{name: "inaccessible", arity: requiredArgument, meta: "PATH", help: "Mask a file or directory of the container", set: setInaccessible},
		{name: "tmpfs", arity: requiredArgument, meta: "PATH[:OPTIONS]", help: "Mount an empty tmpfs", set: setTmpfs},
		{name: "overlay", arity: requiredArgument, meta: "PATH[:PATH...]:PATH", help: "Mount directories on top of each other", set: overlay(false)},
		{name: "overlay-ro", arity: requiredArgument, meta: "PATH[:PATH...]:PATH", help: "The same, read-only", set: overlay(true)},
	}, unsupportedMounts...)
}

func consoleOptions() []option {
	return append([]option{
		{name: "console", arity: requiredArgument, meta: "MODE", help: "How to set up standard streams and /dev/console",
			values: []string{"interactive", "read-only", "passive", "pipe", "autopipe"}, set: setConsole},
		{name: "pipe", short: "P", implied: "pipe", help: "Same as --console=pipe", set: setConsole},
	}, unsupportedConsole...)
}
