package config

// ParseArgv reads the command line of systemd-nspawn(1), without the program's
// name. Options stop at the first operand, so that the container's program
// keeps its own; long options may be shortened as long as they stay unique.
//
// --help, --version and a capability list of "help" end the reading at once, as
// they do in systemd-nspawn: what stands behind them is not looked at. The
// Config's Action says so.
//
// The Config holds what the command line says and nothing else, but for the root
// directory: without -D, -M and --template= it is the working directory, as in
// systemd-nspawn. It is neither merged with settings files (Merge) nor checked
// for options that exclude each other (Validate).
func ParseArgv(argv []string, caller Caller) (*Config, error) {
	b := &build{c: &Config{Action: ActionRun}, caller: caller}
	s := &scanner{words: argv}
	for {
		g, err := s.next()
		if err != nil {
			return nil, err
		}
		if g == nil {
			break
		}
		if err := b.option(g); err != nil {
			return nil, err
		}
		switch b.c.Action {
		case ActionHelp, ActionVersion, ActionCapabilities:
			return b.c, nil
		}
	}
	if len(s.words) > 0 {
		b.c.Exec.Parameters = Of(append([]string(nil), s.words...), Origin{Option: s.words[0]})
	}
	return b.c, b.defaultDirectory()
}

// fromDir is the Origin of a root directory that nobody named.
var fromDir = Origin{Option: "working directory"}

func (b *build) defaultDirectory() error {
	if b.c.Action != ActionRun || b.c.Root.Directory.Set || b.c.Root.Template.Set || b.c.Machine.Set {
		return nil
	}
	dir, err := b.hostPath(".")
	if err != nil {
		return &ValueError{From: fromDir, Value: b.caller.Dir, Err: err}
	}
	b.c.Root.Directory = Of(dir, fromDir)
	return nil
}

// build is a Config in the making. Setters fill it from an option or a key.
type build struct {
	c      *Config
	caller Caller
}

// setter puts one value into the Config; it returns the bare problem.
type setter func(b *build, value string, from Origin) error

func (b *build) option(g *given) error {
	if g.option.set == nil {
		return &ValueError{From: g.from, Err: g.option.unsupported()}
	}
	value := g.value
	if !g.has {
		value = g.option.implied
	}
	if err := g.option.set(b, value, g.from); err != nil {
		return &ValueError{From: g.from, Value: g.value, Err: err}
	}
	return nil
}
