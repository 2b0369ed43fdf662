package unit

import "strings"

// stdioSettings are about the standard descriptors, terminals, and what becomes of output.
func stdioSettings() []Setting {
	const noTerminals = "a container has no virtual terminals"
	const noJournal = "firn keeps the output of each unit, bounded, without journald"
	rows := []Setting{
		does("StandardInput", func(r *reader, u *Unit, value string) error {
			r.stdinSet = true
			return into(func(u *Unit) *Stdio { return &u.Exec.Stdin }, stdin)(r, u, value)
		}),
		does("StandardOutput", func(r *reader, u *Unit, value string) error {
			r.stdoutSet = true
			return into(func(u *Unit) *Stdio { return &u.Exec.Stdout }, stdout)(r, u, value)
		}),
		does("StandardError", into(func(u *Unit) *Stdio { return &u.Exec.Stderr }, stdout)),
		does("StandardInputText", standardInputText),
		does("StandardInputData", standardInputData),
		execText("TTYPath", func(e *Exec) *string { return &e.TTYPath }, absoluteOrNone),
		execFlag("TTYReset", func(e *Exec) *bool { return &e.TTYReset }),
		execFlag("TTYVHangup", func(e *Exec) *bool { return &e.TTYVHangup }),
		execFlag("TTYVTDisallocate", func(e *Exec) *bool { return &e.TTYVTDisallocate }).with(Ignored, noTerminals),
		does("TTYRows", into(func(u *Unit) *uint16 { return &u.Exec.TTYRows }, terminalSize)),
		does("TTYColumns", into(func(u *Unit) *uint16 { return &u.Exec.TTYColumns }, terminalSize)),
		execText("SyslogIdentifier", func(e *Exec) *string { return &e.SyslogIdentifier }, expanded),
		does("SyslogFacility", into(func(u *Unit) *uint8 { return &u.Exec.SyslogFacility }, facility)),
		does("SyslogLevel", into(func(u *Unit) *uint8 { return &u.Exec.SyslogLevel }, level)),
		execFlag("SyslogLevelPrefix", func(e *Exec) *bool { return &e.SyslogLevelPrefix }),
		does("LogLevelMax", into(func(u *Unit) *int8 { return &u.Exec.LogLevelMax }, maxLevel)),
		does("UtmpIdentifier", into(func(u *Unit) *string { return &u.Exec.UtmpIdentifier }, expanded)).
			with(Ignored, "login(1) writes its own record, and firn keeps no utmp"),
		does("UtmpMode", into(func(u *Unit) *UtmpMode { return &u.Exec.UtmpMode }, choice[UtmpMode]("init", "login", "user"))).
			with(Ignored, "login(1) writes its own record, and firn keeps no utmp"),
	}
	rows = append(rows, ignores(noJournal, "LogExtraFields", "LogRateLimitIntervalSec", "LogRateLimitBurst", "LogNamespace")...)
	return append(rows, lacks("lines are not filtered by pattern", "LogFilterPatterns")...)
}

func stdin(r *reader, value string) (Stdio, error) {
	kind, arg, given := strings.Cut(value, ":")
	switch kind {
	case "fd", "file":
		return stdioWith(r, kind, arg, given)
	}
	return stdioPlain(value, map[string]StdioKind{"null": StdioNull, "tty": StdioTTY, "tty-force": StdioTTYForce,
		"tty-fail": StdioTTYFail, "data": StdioData, "socket": StdioSocket})
}

func stdout(r *reader, value string) (Stdio, error) {
	kind, arg, given := strings.Cut(value, ":")
	switch kind {
	case "fd", "file", "append", "truncate":
		return stdioWith(r, kind, arg, given)
	case "syslog", "syslog+console":
		r.warn("%s is obsolete, taken for %s", value, strings.Replace(value, "syslog", "journal", 1))
	}
	return stdioPlain(value, map[string]StdioKind{"inherit": StdioInherit, "null": StdioNull, "tty": StdioTTY,
		"journal": StdioJournal, "journal+console": StdioJournalConsole, "syslog": StdioJournal,
		"syslog+console": StdioJournalConsole, "kmsg": StdioKmsg, "kmsg+console": StdioKmsgConsole, "socket": StdioSocket})
}

func stdioPlain(value string, kinds map[string]StdioKind) (Stdio, error) {
	kind, ok := kinds[value]
	if !ok {
		return Stdio{}, ErrValue
	}
	return Stdio{Kind: kind}, nil
}

func stdioWith(r *reader, kind, arg string, given bool) (Stdio, error) {
	kinds := map[string]StdioKind{"fd": StdioFD, "file": StdioFile, "append": StdioAppend, "truncate": StdioTruncate}
	s := Stdio{Kind: kinds[kind]}
	if kind == "fd" && !given {
		return s, nil
	}
	arg, err := r.expand(arg)
	switch {
	case err != nil:
		return Stdio{}, err
	case kind == "fd" && (arg == "" || strings.ContainsAny(arg, ":/\n")):
		return Stdio{}, ErrValue
	case kind != "fd":
		if arg, err = cleanAbsolute(arg); err != nil {
			return Stdio{}, err
		}
	}
	s.Arg = arg
	return s, nil
}

func terminalSize(r *reader, value string) (uint16, error) {
	n, err := within(0, 1<<16-1)(r, value)
	return uint16(n), err
}

var (
	levelNames    = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}
	facilityNames = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
		"", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
)

func level(r *reader, value string) (uint8, error) { return nameOrNumber(r, levelNames, value) }

func facility(r *reader, value string) (uint8, error) { return nameOrNumber(r, facilityNames, value) }

func maxLevel(r *reader, value string) (int8, error) {
	if value == "" {
		return -1, nil
	}
	n, err := level(r, value)
	return int8(n), err
}

func nameOrNumber(r *reader, names []string, value string) (uint8, error) {
	for i, name := range names {
		if name != "" && name == value {
			return uint8(i), nil
		}
	}
	n, err := within(0, int64(len(names)-1))(r, value)
	return uint8(n), err
}
