package config

import (
	"errors"
	"slices"
	"strings"

	"firn/init/unitfile"
)

// execKeys are the keys of [Exec] in systemd.nspawn(5), up to version 261.
func execKeys() []key {
	keys := []key{
		single("Boot", func(c *Config) *Value[bool] { return &c.Exec.Boot }, unitfile.ParseBool),
		single("ProcessTwo", func(c *Config) *Value[bool] { return &c.Exec.AsPID2 }, unitfile.ParseBool),
		{name: "Parameters", set: addParameters, reset: func(c *Config) { c.Exec.Parameters = Value[[]string]{} }},
		list("Environment", func(c *Config) *[]Variable { return &c.Exec.Environment }, setVariables),
		single("User", func(c *Config) *Value[string] { return &c.Exec.User }, parseUser),
		single("WorkingDirectory", func(c *Config) *Value[string] { return &c.Exec.WorkingDirectory }, parseWorkingDirectory),
		single("PivotRoot", func(c *Config) *Value[PivotRoot] { return &c.Root.PivotRoot }, parsePivotRoot),
		list("DropCapability", func(c *Config) *[]Capability { return &c.Security.DropCapability },
			capabilities(func(c *Config) *[]Capability { return &c.Security.DropCapability }, "")),
		single("NoNewPrivileges", func(c *Config) *Value[bool] { return &c.Security.NoNewPrivileges }, unitfile.ParseBool),
		single("KillSignal", func(c *Config) *Value[Signal] { return &c.Exec.KillSignal }, ParseSignal),
		single("Personality", func(c *Config) *Value[Personality] { return &c.Limits.Personality }, parsePersonality),
		single("NotifyReady", func(c *Config) *Value[bool] { return &c.Exec.NotifyReady }, unitfile.ParseBool),
		single("Hostname", func(c *Config) *Value[string] { return &c.Identity.Hostname }, parseHostname),
		single("ResolvConf", func(c *Config) *Value[ResolvConfMode] { return &c.Host.ResolvConf }, parseResolvConf),
		single("Timezone", func(c *Config) *Value[TimezoneMode] { return &c.Host.Timezone }, parseTimezone),
		single("SuppressSync", func(c *Config) *Value[bool] { return &c.Exec.SuppressSync }, unitfile.ParseBool),
	}
	keys = append(keys, privileged(
		single("Ephemeral", func(c *Config) *Value[bool] { return &c.Root.Ephemeral }, unitfile.ParseBool),
		list("Capability", func(c *Config) *[]Capability { return &c.Security.Capability },
			capabilities(func(c *Config) *[]Capability { return &c.Security.Capability }, "")),
		list("AmbientCapability", func(c *Config) *[]Capability { return &c.Security.Ambient },
			capabilities(func(c *Config) *[]Capability { return &c.Security.Ambient }, "")),
		single("MachineID", func(c *Config) *Value[string] { return &c.Identity.UUID }, parseUUID),
		single("PrivateUsers", func(c *Config) *Value[PrivateUsers] { return &c.Users.Private }, parsePrivateUsers),
		list("SystemCallFilter", func(c *Config) *[]SystemCallFilter { return &c.Security.SystemCallFilter }, addSystemCalls),
		single("OOMScoreAdjust", func(c *Config) *Value[int] { return &c.Limits.OOMScoreAdjust }, parseOOMScore),
		single("CPUAffinity", func(c *Config) *Value[[]int] { return &c.Limits.CPUAffinity }, parseCPUs),
		single("LinkJournal", func(c *Config) *Value[LinkJournal] { return &c.Host.LinkJournal }, parseLinkJournal),
		refused("RestrictAddressFamilies", topicSeccomp),
	)...)
	for _, limit := range sortedKeys(rlimits) {
		keys = append(keys, key{
			name: "Limit" + strings.TrimPrefix(limit, "RLIMIT_"), set: rlimitKey(limit), privileged: true,
			reset: func(c *Config) { delete(c.Limits.Rlimits, limit) },
		})
	}
	return keys
}

func filesKeys() []key {
	keys := []key{
		single("ReadOnly", func(c *Config) *Value[bool] { return &c.Root.ReadOnly }, unitfile.ParseBool),
		single("Volatile", func(c *Config) *Value[VolatileMode] { return &c.Root.Volatile }, parseVolatile),
		mounts("Bind", bind(false), MountBind, false),
		mounts("BindReadOnly", bind(true), MountBind, true),
		mounts("TemporaryFileSystem", setTmpfs, MountTmpfs, false),
		mounts("Inaccessible", setInaccessible, MountInaccessible, false),
		mounts("Overlay", overlay(false), MountOverlay, false),
		mounts("OverlayReadOnly", overlay(true), MountOverlay, true),
	}
	return append(keys, privileged(
		list("BindUser", func(c *Config) *[]BindUser { return &c.Users.BindUser }, addBindUsers),
		refused("BindUserShell", topicUsers),
		single("PrivateUsersOwnership", func(c *Config) *Value[string] { return &c.Users.Ownership }, oneOf(ownershipModes...)),
		single("PrivateUsersChown", func(c *Config) *Value[string] { return &c.Users.Ownership }, parseChown),
	)...)
}

// networkKeys are all privileged: systemd-nspawn takes no network setting from
// an untrusted file, Private= included.
func networkKeys() []key {
	return privileged(
		single("Private", func(c *Config) *Value[bool] { return &c.Network.Private }, unitfile.ParseBool),
		single("VirtualEthernet", func(c *Config) *Value[bool] { return &c.Network.VirtualEthernet }, unitfile.ParseBool),
		list("VirtualEthernetExtra", func(c *Config) *[]VethPair { return &c.Network.VirtualEthernetExtra }, setVethExtra),
		list("Interface", func(c *Config) *[]Link { return &c.Network.Interface }, links(func(n *Network) *[]Link { return &n.Interface })),
		list("MACVLAN", func(c *Config) *[]Link { return &c.Network.MACVLAN }, links(func(n *Network) *[]Link { return &n.MACVLAN })),
		list("IPVLAN", func(c *Config) *[]Link { return &c.Network.IPVLAN }, links(func(n *Network) *[]Link { return &n.IPVLAN })),
		single("Bridge", func(c *Config) *Value[string] { return &c.Network.Bridge }, parseBridge),
		single("Zone", func(c *Config) *Value[string] { return &c.Network.Zone }, parseZone),
		list("Port", func(c *Config) *[]Port { return &c.Network.Port }, setPort),
	)
}

// firnKeys are what systemd.nspawn(5) has no key for. They choose what of the
// host becomes the container, so an untrusted file may use none.
func firnKeys() []key {
	return privileged(
		single("Root", func(c *Config) *Value[string] { return &c.Firn.Root }, containerPath),
		single("SystemPath", func(c *Config) *Value[string] { return &c.Firn.SystemPath }, containerPath),
		single("Init", func(c *Config) *Value[string] { return &c.Firn.Init }, parseInit),
		single("AutoStart", func(c *Config) *Value[bool] { return &c.Firn.AutoStart }, unitfile.ParseBool),
	)
}

// refused is a key that the manual has and firn does not.
func refused(name, topic string) key {
	return key{
		name:  name,
		set:   func(*build, string, Origin) error { return refuse(topic) },
		reset: func(*Config) {},
	}
}

// addParameters appends: systemd-nspawn joins several Parameters= lines.
func addParameters(b *build, value string, from Origin) error {
	words, err := unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.RetainEscape)
	if err != nil {
		return err
	}
	p := &b.c.Exec.Parameters
	if !p.Set {
		p.Set, p.From = true, from
	}
	p.V = append(p.V, words...)
	return nil
}

func addSystemCalls(b *build, value string, from Origin) error {
	names, deny := strings.CutPrefix(value, "~")
	f := SystemCallFilter{Deny: deny, Calls: strings.Fields(names), From: from}
	for _, name := range f.Calls {
		if strings.Trim(strings.TrimPrefix(name, "@"), "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			return errors.New("not a list of system calls and @groups")
		}
	}
	b.c.Security.SystemCallFilter = append(b.c.Security.SystemCallFilter, f)
	return nil
}

func addBindUsers(b *build, value string, from Origin) error {
	for word := range strings.FieldsSeq(value) {
		name, err := parseUser(word)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(b.c.Users.BindUser, func(u BindUser) bool { return u.Name == name }) {
			b.c.Users.BindUser = append(b.c.Users.BindUser, BindUser{Name: name, From: from})
		}
	}
	return nil
}

// parsePivotRoot reads NEW[:OLD].
func parsePivotRoot(s string) (PivotRoot, error) {
	newRoot, oldRoot, pair := strings.Cut(s, ":")
	var p PivotRoot
	var err error
	if p.New, err = containerPath(newRoot); err != nil {
		return PivotRoot{}, err
	}
	if pair {
		if p.Old, err = containerPath(oldRoot); err != nil {
			return PivotRoot{}, err
		}
	}
	return p, nil
}

// parseChown reads PrivateUsersChown=, the name before systemd 250.
func parseChown(s string) (string, error) {
	on, err := unitfile.ParseBool(s)
	if err != nil {
		return "", err
	}
	if on {
		return "auto", nil
	}
	return "off", nil
}

// parseWorkingDirectory refuses ".." as systemd-nspawn does in files.
func parseWorkingDirectory(s string) (string, error) {
	if slices.Contains(strings.Split(s, "/"), "..") {
		return "", errors.New(`path holds ".."`)
	}
	return containerPath(s)
}

func parseInit(s string) (string, error) {
	switch s {
	case "auto", "systemd", "firn":
		return s, nil
	}
	p, err := containerPath(s)
	if err != nil {
		return "", errors.New("not auto, systemd, firn or an absolute path" + didYouMean(s, []string{"auto", "systemd", "firn"}))
	}
	return p, nil
}
