package unit

import (
	"strconv"
	"strings"
)

// Signals that have a part of their own.
const (
	SIGHUP  Signal = 1
	SIGABRT Signal = 6
	SIGKILL Signal = 9
	SIGTERM Signal = 15
)

const (
	firstRealTime Signal = 34 // SIGRTMIN: the C library keeps two of the kernel's for itself
	lastSignal    Signal = 64
)

// signalNames are Linux's by number (signal(7), x86 and ARM).
var signalNames = [...]string{1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
	"PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
	"WINCH", "IO", "PWR", "SYS"}

var signalAliases = map[string]Signal{"IOT": 6, "CLD": 17, "POLL": 29, "UNUSED": 31}

// ParseSignal reads a signal by number or name, with or without "SIG".
func ParseSignal(s string) (Signal, error) {
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n >= 1 && n <= uint64(lastSignal) {
		return Signal(n), nil
	}
	s = strings.TrimPrefix(s, "SIG")
	for i, name := range signalNames {
		if name != "" && name == s {
			return Signal(i), nil
		}
	}
	if sig, ok := signalAliases[s]; ok {
		return sig, nil
	}
	if offset, ok := strings.CutPrefix(s, "RTMIN"); ok {
		return realTime(offset, "+", int(firstRealTime), 1)
	}
	if offset, ok := strings.CutPrefix(s, "RTMAX"); ok {
		return realTime(offset, "-", int(lastSignal), -1)
	}
	return 0, ErrValue
}

func realTime(offset, sign string, base, direction int) (Signal, error) {
	if offset == "" {
		return Signal(base), nil
	}
	digits, ok := strings.CutPrefix(offset, sign)
	n, err := strconv.ParseUint(digits, 10, 8)
	if !ok || err != nil || n > uint64(lastSignal-firstRealTime) {
		return 0, ErrValue
	}
	return Signal(base + direction*int(n)), nil
}

func (s Signal) String() string {
	switch {
	case int(s) < len(signalNames) && s > 0:
		return "SIG" + signalNames[s]
	case s == firstRealTime:
		return "SIGRTMIN"
	case s > firstRealTime && s <= lastSignal:
		return "SIGRTMIN+" + strconv.Itoa(int(s-firstRealTime))
	}
	return strconv.Itoa(int(s))
}

func signal(_ *reader, value string) (Signal, error) { return ParseSignal(value) }

func killSettings() []Setting {
	return []Setting{
		does("KillMode", into(func(u *Unit) *KillMode { return &u.Kill.Mode },
			choice[KillMode]("control-group", "mixed", "process", "none"))),
		does("KillSignal", into(func(u *Unit) *Signal { return &u.Kill.Signal }, signal)),
		does("RestartKillSignal", into(func(u *Unit) *Signal { return &u.Kill.RestartSignal }, signal)),
		does("FinalKillSignal", into(func(u *Unit) *Signal { return &u.Kill.FinalSignal }, signal)),
		does("WatchdogSignal", into(func(u *Unit) *Signal { return &u.Kill.WatchdogSignal }, signal)),
		does("SendSIGHUP", into(func(u *Unit) *bool { return &u.Kill.SendSIGHUP }, boolean)),
		does("SendSIGKILL", into(func(u *Unit) *bool { return &u.Kill.SendSIGKILL }, boolean)),
	}
}
