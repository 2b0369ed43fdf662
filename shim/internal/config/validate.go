package config

import (
	"errors"
	"fmt"
)

// Validate checks what no single value shows: settings that exclude each other,
// and such as the program cannot honour yet. It wants the merged Config. The
// network is not checked for being supported, see Network.Asked.
func (c *Config) Validate() error {
	for _, check := range checks {
		if err := check(c); err != nil {
			return err
		}
	}
	return nil
}

// checks are run in order; the first problem is reported.
var checks = []func(*Config) error{
	(*Config).checkStart,
	(*Config).checkTemplate,
	(*Config).checkJournal,
	(*Config).checkAmbient,
	(*Config).checkNetwork,
	(*Config).checkSupported,
}

// conflict names two settings that may not stand together.
func conflict(a, b Origin) error { return fmt.Errorf("%s and %s %w", a, b, ErrConflict) }

func (c *Config) checkStart() error {
	if c.Exec.Boot.V && c.Exec.AsPID2.V {
		return conflict(c.Exec.Boot.From, c.Exec.AsPID2.From)
	}
	return nil
}

func (c *Config) checkTemplate() error {
	t := c.Root.Template
	switch {
	case !t.Set:
		return nil
	case c.Root.Ephemeral.V:
		return conflict(c.Root.Ephemeral.From, t.From)
	case !c.Root.Directory.Set && !c.Machine.Set:
		return &ValueError{From: t.From, Value: t.V, Err: errors.New("needs --directory= or --machine=")}
	}
	return nil
}

// checkJournal refuses to link the journal of a root that is thrown away; the
// try- forms are content without (systemd-nspawn(1), --link-journal=).
func (c *Config) checkJournal() error {
	j := c.Host.LinkJournal
	linked := j.V.Mode == JournalHost || j.V.Mode == JournalGuest
	if c.Root.Ephemeral.V && linked && !j.V.Try {
		return conflict(c.Root.Ephemeral.From, j.From)
	}
	return nil
}

func (c *Config) checkAmbient() error {
	if len(c.Security.Ambient) == 0 {
		return nil
	}
	first := c.Security.Ambient[0]
	if c.Exec.Boot.V {
		return conflict(c.Exec.Boot.From, first.From)
	}
	bounding := map[string]bool{}
	for _, name := range c.Security.Bounding(c.Network.private()) {
		bounding[name] = true
	}
	for _, a := range c.Security.Ambient {
		switch {
		case a.Name == CapabilityAll:
			return &ValueError{From: a.From, Value: a.Name, Err: errors.New("ambient capabilities have to be named one by one")}
		case !bounding[a.Name]:
			return &ValueError{From: a.From, Value: a.Name, Err: errors.New("not among the capabilities that the container keeps, add it with --capability=")}
		}
	}
	return nil
}

func (c *Config) checkNetwork() error {
	n := &c.Network
	switch {
	case n.Bridge.Set && n.Zone.Set:
		return conflict(n.Bridge.From, n.Zone.From)
	case len(n.Port) > 0 && !n.private():
		return &ValueError{From: n.Port[0].From, Err: errors.New("needs a private network")}
	case n.NamespacePath.Set && n.private():
		asked, _ := n.Asked()
		return conflict(asked, n.NamespacePath.From)
	}
	return nil
}

// checkSupported refuses what only a settings file can have asked for: on the
// command line the option itself is refused.
func (c *Config) checkSupported() error {
	unsupported := func(from Origin, topic string) error { return &ValueError{From: from, Err: refuse(topic)} }
	switch u := c.Users; {
	case c.Root.PivotRoot.Set:
		return unsupported(c.Root.PivotRoot.From, topicPivot)
	case c.Exec.SuppressSync.V:
		return unsupported(c.Exec.SuppressSync.From, topicSync)
	case u.Private.Set && u.Private.V.Mode != UsersNo:
		return &ValueError{From: u.Private.From, Value: string(u.Private.V.Mode), Err: refuse(topicUsers)}
	case changesOwners(u.Ownership.V):
		return unsupported(u.Ownership.From, topicUsers)
	case len(u.BindUser) > 0:
		return unsupported(u.BindUser[0].From, topicUsers)
	case len(c.Security.SystemCallFilter) > 0:
		return unsupported(c.Security.SystemCallFilter[0].From, topicSeccomp)
	}
	return nil
}
