package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// rlimitParser reads one value in the kernel's unit.
type rlimitParser func(string) (uint64, error)

// rlimits has the unit of each limit, as systemd.exec(5) gives it for LimitX=:
// bytes with suffixes, a time, a nice level or a plain number.
var rlimits = map[string]rlimitParser{
	"RLIMIT_AS":         orInfinity(unitfile.ParseSize),
	"RLIMIT_CORE":       orInfinity(unitfile.ParseSize),
	"RLIMIT_CPU":        orInfinity(rlimitSeconds),
	"RLIMIT_DATA":       orInfinity(unitfile.ParseSize),
	"RLIMIT_FSIZE":      orInfinity(unitfile.ParseSize),
	"RLIMIT_LOCKS":      orInfinity(rlimitNumber),
	"RLIMIT_MEMLOCK":    orInfinity(unitfile.ParseSize),
	"RLIMIT_MSGQUEUE":   orInfinity(unitfile.ParseSize),
	"RLIMIT_NICE":       rlimitNice,
	"RLIMIT_NOFILE":     orInfinity(rlimitNumber),
	"RLIMIT_NPROC":      orInfinity(rlimitNumber),
	"RLIMIT_RSS":        orInfinity(unitfile.ParseSize),
	"RLIMIT_RTPRIO":     orInfinity(rlimitNumber),
	"RLIMIT_RTTIME":     orInfinity(rlimitMicroseconds),
	"RLIMIT_SIGPENDING": orInfinity(rlimitNumber),
	"RLIMIT_STACK":      orInfinity(unitfile.ParseSize),
}

// setRlimit takes RLIMIT_NAME=VALUE or RLIMIT_NAME=SOFT:HARD. As systemd-nspawn
// it also takes NAME and LimitNAME.
func setRlimit(b *build, value string, from Origin) error {
	name, v, ok := strings.Cut(value, "=")
	if !ok {
		return errors.New("not of the form LIMIT=VALUE")
	}
	short := strings.TrimPrefix(strings.TrimPrefix(name, "RLIMIT_"), "Limit")
	return b.limit("RLIMIT_"+short, v, from)
}

// rlimitKey makes the setter of a LimitNAME= key.
func rlimitKey(name string) setter {
	return func(b *build, value string, from Origin) error { return b.limit(name, value, from) }
}

func (b *build) limit(name, value string, from Origin) error {
	parse, ok := rlimits[name]
	if !ok {
		return fmt.Errorf("unknown limit %s%s", printable(name), didYouMean(name, sortedKeys(rlimits)))
	}
	softText, hardText, pair := strings.Cut(value, ":")
	soft, err := parse(softText)
	if err != nil {
		return err
	}
	hard := soft
	if pair {
		if hard, err = parse(hardText); err != nil {
			return err
		}
	}
	if soft > hard {
		return errors.New("soft limit above hard limit")
	}
	if b.c.Limits.Rlimits == nil {
		b.c.Limits.Rlimits = map[string]Value[Rlimit]{}
	}
	b.c.Limits.Rlimits[name] = Of(Rlimit{Soft: soft, Hard: hard}, from)
	return nil
}

// orInfinity adds the word that every limit but a nice level may have.
func orInfinity(parse rlimitParser) rlimitParser {
	return func(s string) (uint64, error) {
		if s == "infinity" {
			return RlimitInfinity, nil
		}
		return parse(s)
	}
}

// rlimitNumber reads a number in C's notation: 0x10 and 010 are not ten.
func rlimitNumber(s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimLeft(s, " \t"), "+"), 0, 64)
	if err != nil || n == RlimitInfinity || strings.Contains(s, "_") {
		return 0, errors.New("not a number")
	}
	return n, nil
}

// rlimitSeconds rounds up, so that a limit of 1ms is not none.
func rlimitSeconds(s string) (uint64, error) {
	us, err := unitfile.ParseTimespan(s, unitfile.Second)
	if err != nil {
		return 0, err
	}
	if us == unitfile.Infinity {
		return RlimitInfinity, nil
	}
	seconds := us / unitfile.Second
	if us%unitfile.Second != 0 {
		seconds++
	}
	return seconds, nil
}

func rlimitMicroseconds(s string) (uint64, error) {
	return unitfile.ParseTimespan(s, unitfile.Microsecond)
}

// rlimitNice reads a nice level with its sign (-20 to +19), or without a sign
// the raw limit (0 to 40), which is 20 less the level (setrlimit(2)).
func rlimitNice(s string) (uint64, error) {
	n, err := strconv.Atoi(s)
	signed := s != "" && (s[0] == '+' || s[0] == '-')
	switch {
	case err != nil:
	case signed && n >= -20 && n <= 19:
		return uint64(20 - n), nil
	case !signed && n >= 0 && n <= 40:
		return uint64(n), nil
	}
	return 0, errors.New("not a nice level (-20 to +19) or raw limit (0 to 40)")
}
