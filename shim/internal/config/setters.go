package config

import (
	"errors"
	"fmt"
	"strings"

	"firn/init/unitfile"
)

var (
	errEmpty       = errors.New("empty value")
	errNotAbsolute = errors.New("not an absolute path")
	errControl     = errors.New("holds control characters or is not UTF-8")
)

// into makes a setter of a parser and the field that takes its result; the last
// assignment wins.
func into[T any](field func(*Config) *Value[T], parse func(string) (T, error)) setter {
	return func(b *build, value string, from Origin) error {
		v, err := parse(value)
		if err != nil {
			return err
		}
		*field(b.c) = Of(v, from)
		return nil
	}
}

// orUnset makes an empty argument take back earlier ones.
func orUnset[T any](field func(*Config) *Value[T], set setter) setter {
	return func(b *build, value string, from Origin) error {
		if value == "" {
			*field(b.c) = Value[T]{}
			return nil
		}
		return set(b, value, from)
	}
}

// hostDir makes a setter for a directory of the host; a relative one starts at the
// working directory.
func hostDir(field func(*Config) *Value[string]) setter {
	return orUnset(field, func(b *build, value string, from Origin) error {
		p, err := b.hostPath(value)
		if err != nil {
			return err
		}
		*field(b.c) = Of(p, from)
		return nil
	})
}

// oneOf makes a parser of a list of words.
func oneOf[T ~string](words ...T) func(string) (T, error) {
	return func(s string) (T, error) {
		names := make([]string, len(words))
		for i, w := range words {
			if s == string(w) {
				return w, nil
			}
			names[i] = string(w)
		}
		return "", fmt.Errorf("not one of %s%s", strings.Join(names, ", "), didYouMean(s, names))
	}
}

// action makes a setter for an option that changes what the program does.
func action(a Action) setter {
	return func(b *build, _ string, _ Origin) error {
		b.c.Action = a
		return nil
	}
}

// nothing accepts an option that has no effect on firn.
func nothing(*build, string, Origin) error { return nil }

func parseSettingsMode(s string) (SettingsMode, error) {
	switch s {
	case string(SettingsOverride), string(SettingsTrusted):
		return SettingsMode(s), nil
	}
	on, err := unitfile.ParseBool(s)
	if err != nil {
		return "", errors.New("not a boolean, override or trusted")
	}
	if on {
		return SettingsYes, nil
	}
	return SettingsNo, nil
}

func parseVolatile(s string) (VolatileMode, error) {
	switch s {
	case string(VolatileState), string(VolatileOverlay):
		return VolatileMode(s), nil
	}
	on, err := unitfile.ParseBool(s)
	if err != nil {
		return "", errors.New("not a boolean, state or overlay")
	}
	if on {
		return VolatileYes, nil
	}
	return VolatileNo, nil
}

func parseLinkJournal(s string) (LinkJournal, error) {
	mode, try := strings.CutPrefix(s, "try-")
	switch m := LinkJournalMode(mode); m {
	case JournalHost, JournalGuest:
		return LinkJournal{Mode: m, Try: try}, nil
	case JournalNo, JournalAuto:
		if !try {
			return LinkJournal{Mode: m}, nil
		}
	}
	// Undocumented, but systemd-nspawn takes a boolean for the two.
	if on, err := unitfile.ParseBool(s); err == nil {
		if on {
			return LinkJournal{Mode: JournalAuto}, nil
		}
		return LinkJournal{Mode: JournalNo}, nil
	}
	return LinkJournal{}, errors.New("not one of no, host, try-host, guest, try-guest, auto")
}

var parseConsole = oneOf(ConsoleInteractive, ConsoleReadOnly, ConsolePassive, ConsolePipe, ConsoleAutopipe)

var parseTimezone = oneOf[TimezoneMode]("off", "copy", "bind", "symlink", "delete", "auto")

var parseResolvConf = oneOf[ResolvConfMode]("off", "auto", "delete",
	"copy-host", "copy-static", "copy-uplink", "copy-stub",
	"replace-host", "replace-static", "replace-uplink", "replace-stub",
	"bind-host", "bind-static", "bind-uplink", "bind-stub")

// parsePersonality knows the two that systemd-nspawn(1) documents.
var parsePersonality = oneOf[Personality]("x86", "x86-64")
