package execute

import "firn/init/internal/unit"

// Description is all that the stage has to know.
type Description struct {
	Unit    string
	Command unit.Command
	Exec    unit.Exec

	// Environ is what PID 1 gives the unit, before what the unit's settings add.
	Environ []string
	// Names are those of the descriptors that the program gets from 3 on (sd_listen_fds(3)).
	Names []string
	// NonBlocking sets O_NONBLOCK on them.
	NonBlocking bool
	// Connection is an index into Names of the descriptor that stands for "socket" in StandardInput= and the like, -1 for
	// none. It is passed only as such if ConnectionOnly.
	Connection     int
	ConnectionOnly bool

	// UID is the one of DynamicUser=, 0 if the user is one that the system knows.
	UID uint32
	// Watchdog, in microseconds, is told to the program that is the main one.
	Watchdog uint64
	// Control is a command beside the main one: it has no terminal of its own to wait for, and no watchdog.
	Control bool
	// Prefixes of the directories, "" for the system's own: a test's root.
	Root string
}

// Encode writes a Description.
func (d *Description) Encode() []byte {
	var c codec
	d.code(&c)
	return c.out
}

// Decode reads one.
func Decode(data []byte) (*Description, error) {
	c := codec{in: data, reading: true}
	var d Description
	d.code(&c)
	if c.bad || len(c.in) > 0 {
		return nil, ErrDescription
	}
	return &d, nil
}

func (d *Description) code(c *codec) {
	c.text(&d.Unit)
	c.text(&d.Command.Path)
	c.texts(&d.Command.Argv)
	num(c, &d.Command.Flags)
	codeExec(c, &d.Exec)
	c.texts(&d.Environ)
	c.texts(&d.Names)
	c.flag(&d.NonBlocking)
	num(c, &d.Connection)
	c.flag(&d.ConnectionOnly)
	num(c, &d.UID)
	num(c, &d.Watchdog)
	c.flag(&d.Control)
	c.text(&d.Root)
}

// codeExec has each field of unit.Exec that the stage acts on.
func codeExec(c *codec, e *unit.Exec) {
	c.text(&e.User)
	c.text(&e.Group)
	c.texts(&e.SupplementaryGroups)
	for _, b := range []*bool{
		&e.DynamicUser, &e.NoNewPrivileges, &e.IgnoreSIGPIPE, &e.WorkingDirectoryOptional, &e.TTYReset, &e.TTYVHangup,
		&e.CPUScheduling.Set, &e.CPUScheduling.ResetOnFork, &e.IOScheduling.Set, &e.CoredumpFilterSet, &e.Nice.Set, &e.OOMScore.Set,
	} {
		c.flag(b)
	}
	num(c, &e.UMask)
	c.text(&e.WorkingDirectory)
	c.text(&e.RootDirectory)
	c.texts(&e.Environment)
	each(c, &e.EnvironmentFiles, func(c *codec, f *unit.EnvironmentFile) { c.text(&f.Path); c.flag(&f.Optional) })
	c.texts(&e.UnsetEnvironment)
	for _, s := range []*unit.Stdio{&e.Stdin, &e.Stdout, &e.Stderr} {
		num(c, &s.Kind)
		c.text(&s.Arg)
	}
	c.text(&e.StdinData)
	c.text(&e.TTYPath)
	num(c, &e.TTYRows)
	num(c, &e.TTYColumns)
	each(c, &e.Limits, func(c *codec, l *unit.Limit) { num(c, &l.Resource); num(c, &l.Soft); num(c, &l.Hard) })
	num(c, &e.Nice.Value)
	num(c, &e.OOMScore.Value)
	num(c, &e.CPUScheduling.Policy)
	num(c, &e.CPUScheduling.Priority)
	num(c, &e.IOScheduling.Class)
	num(c, &e.IOScheduling.Priority)
	each(c, &e.CPUAffinity, func(c *codec, v *uint64) { c.number(v) })
	num(c, &e.TimerSlack)
	num(c, &e.CoredumpFilter)
	num(c, &e.CapabilityBoundingSet)
	num(c, &e.AmbientCapabilities)
	num(c, &e.SecureBits)
	codeFiles(c, e)
}

// codeFiles has what is made for the unit on disk.
func codeFiles(c *codec, e *unit.Exec) {
	for i := range e.Directories {
		num(c, &e.Directories[i].Mode)
		each(c, &e.Directories[i].Entries, func(c *codec, d *unit.Directory) { c.text(&d.Path); c.texts(&d.Symlinks) })
	}
	for _, list := range []*[]unit.Credential{&e.LoadCredentials, &e.SetCredentials} {
		each(c, list, func(c *codec, v *unit.Credential) {
			c.text(&v.ID)
			c.text(&v.Source)
			c.text(&v.Data)
			c.flag(&v.Encrypted)
		})
	}
}
