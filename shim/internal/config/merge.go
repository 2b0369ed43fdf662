package config

import (
	"fmt"
	"maps"
	"slices"
)

// SettingsMode is the mode that the command line asked for, or the default.
func (c *Config) SettingsMode() SettingsMode { return c.Settings.Or(SettingsYes) }

// Merge joins the command line with the settings files, either of which wins as
// the mode says; file may be nil. Neither argument is changed or shared.
//
// The unit of precedence is the group, not the value, as systemd-nspawn 252 does
// it (tried): one --bind= on the command line puts every mount of the files out
// of effect. The groups with more than one setting are:
//
//	start          --boot, --as-pid2, the program and its arguments
//	environment    all variables
//	capabilities   kept, dropped and ambient ones; a file that overrides adds to
//	               the command line's, as in systemd-nspawn
//	mounts         all kinds
//	network        all settings
//	users          the mapping with its ownership
//
// Resource limits are a group each. [Firn] stands in files alone; its Root=
// becomes the root directory where the command line gives none.
func Merge(argv, file *Config, mode SettingsMode) (*Config, error) {
	switch mode {
	case SettingsYes, SettingsNo, SettingsTrusted, SettingsOverride:
	default:
		return nil, fmt.Errorf("merge settings: unknown mode %q", mode)
	}
	result := argv.clone()
	if file == nil || mode == SettingsNo {
		return result, nil
	}
	file = file.clone()
	result.Files, result.Ignored, result.Firn = file.Files, file.Ignored, file.Firn
	m := merge{fileWins: mode == SettingsOverride}

	m.start(result, file)
	m.exec(&result.Exec, &file.Exec)
	m.capabilities(&result.Security, &file.Security)
	m.limits(&result.Limits, &file.Limits)
	if m.takes(len(result.Mounts) > 0, len(file.Mounts) > 0) {
		result.Mounts = file.Mounts
	}
	if m.takes(!result.Network.isZero(), !file.Network.isZero()) {
		result.Network = file.Network
	}
	if m.takes(!result.Users.isZero(), !file.Users.isZero()) {
		result.Users = file.Users
	}
	one(m, &result.Root.Ephemeral, file.Root.Ephemeral)
	one(m, &result.Root.ReadOnly, file.Root.ReadOnly)
	one(m, &result.Root.Volatile, file.Root.Volatile)
	one(m, &result.Root.PivotRoot, file.Root.PivotRoot)
	one(m, &result.Root.Directory, file.Firn.Root)
	one(m, &result.Identity.Hostname, file.Identity.Hostname)
	one(m, &result.Identity.UUID, file.Identity.UUID)
	one(m, &result.Host.ResolvConf, file.Host.ResolvConf)
	one(m, &result.Host.Timezone, file.Host.Timezone)
	one(m, &result.Host.LinkJournal, file.Host.LinkJournal)
	return result, nil
}

// merge holds which side wins where both ask for something.
type merge struct{ fileWins bool }

// takes tells whether the file's group replaces the command line's.
func (m merge) takes(argvAsks, fileAsks bool) bool {
	return fileAsks && (m.fileWins || !argvAsks)
}

// one merges a group of one value.
func one[T any](m merge, argv *Value[T], file Value[T]) {
	if m.takes(argv.Set, file.Set) {
		*argv = file
	}
}

// start merges what is run. A file that overrides and names only parameters
// keeps the command line's mode: they are for the init that --boot finds.
func (m merge) start(result, file *Config) {
	r, f := &result.Exec, &file.Exec
	fileMode := f.Boot.Set || f.AsPID2.Set
	if !m.takes(r.Boot.Set || r.AsPID2.Set || r.Parameters.Set, fileMode || f.Parameters.Set) {
		return
	}
	r.Parameters = f.Parameters
	if fileMode || !m.fileWins {
		r.Boot, r.AsPID2 = f.Boot, f.AsPID2
	}
}

func (m merge) exec(r, f *Exec) {
	if m.takes(len(r.Environment) > 0, len(f.Environment) > 0) {
		r.Environment = f.Environment
	}
	one(m, &r.User, f.User)
	one(m, &r.WorkingDirectory, f.WorkingDirectory)
	one(m, &r.KillSignal, f.KillSignal)
	one(m, &r.NotifyReady, f.NotifyReady)
	one(m, &r.SuppressSync, f.SuppressSync)
}

func (m merge) capabilities(r, f *Security) {
	one(m, &r.NoNewPrivileges, f.NoNewPrivileges)
	if m.takes(len(r.SystemCallFilter) > 0, len(f.SystemCallFilter) > 0) {
		r.SystemCallFilter = f.SystemCallFilter
	}
	argvAsks := len(r.Capability)+len(r.DropCapability)+len(r.Ambient) > 0
	if !m.takes(argvAsks, len(f.Capability)+len(f.DropCapability)+len(f.Ambient) > 0) {
		return
	}
	// What the file keeps it keeps even if the command line dropped it.
	dropped := slices.DeleteFunc(r.DropCapability, func(c Capability) bool { return lists(f.Capability, c.Name) })
	r.Capability = append(r.Capability, f.Capability...)
	r.DropCapability = append(dropped, f.DropCapability...)
	if len(f.Ambient) > 0 {
		r.Ambient = f.Ambient
	}
}

func (m merge) limits(r, f *Limits) {
	for name, limit := range f.Rlimits {
		if m.takes(r.Rlimits[name].Set, true) {
			if r.Rlimits == nil {
				r.Rlimits = map[string]Value[Rlimit]{}
			}
			r.Rlimits[name] = limit
		}
	}
	one(m, &r.OOMScoreAdjust, f.OOMScoreAdjust)
	one(m, &r.CPUAffinity, f.CPUAffinity)
	one(m, &r.Personality, f.Personality)
}

// clone copies a Config with all that it points to.
func (c *Config) clone() *Config {
	d := *c
	d.Exec.Parameters.V = slices.Clone(c.Exec.Parameters.V)
	d.Exec.Environment = slices.Clone(c.Exec.Environment)
	d.Unit.Properties = slices.Clone(c.Unit.Properties)
	d.Security.Capability = slices.Clone(c.Security.Capability)
	d.Security.DropCapability = slices.Clone(c.Security.DropCapability)
	d.Security.Ambient = slices.Clone(c.Security.Ambient)
	d.Security.SystemCallFilter = slices.Clone(c.Security.SystemCallFilter)
	d.Limits.Rlimits = maps.Clone(c.Limits.Rlimits)
	d.Limits.CPUAffinity.V = slices.Clone(c.Limits.CPUAffinity.V)
	d.Mounts = slices.Clone(c.Mounts)
	for i := range d.Mounts {
		d.Mounts[i].Sources = slices.Clone(d.Mounts[i].Sources)
	}
	d.Users.BindUser = slices.Clone(c.Users.BindUser)
	d.Network.VirtualEthernetExtra = slices.Clone(c.Network.VirtualEthernetExtra)
	d.Network.Interface = slices.Clone(c.Network.Interface)
	d.Network.MACVLAN = slices.Clone(c.Network.MACVLAN)
	d.Network.IPVLAN = slices.Clone(c.Network.IPVLAN)
	d.Network.Port = slices.Clone(c.Network.Port)
	d.Files = slices.Clone(c.Files)
	d.Ignored = slices.Clone(c.Ignored)
	return &d
}
