package config

import (
	"errors"
	"strconv"
	"strings"
)

// Signal is a signal number of Linux on x86-64 and arm64; real-time signals
// count from 34 (glibc's SIGRTMIN).
type Signal int

const (
	sigRTMin = 34
	sigRTMax = 64
)

// signalNames has the numbers of signal(7), x86/ARM column.
var signalNames = []string{
	1: "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1",
	"SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP",
	"TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
}

// ParseSignal reads a number, a name with or without SIG, RTMIN+N or RTMAX-N.
func ParseSignal(s string) (Signal, error) {
	if n, err := strconv.Atoi(s); err == nil {
		if n < 1 || n > sigRTMax {
			return 0, errors.New("not a signal number (1 to 64)")
		}
		return Signal(n), nil
	}
	name := strings.TrimPrefix(s, "SIG")
	for number, known := range signalNames {
		if number > 0 && name == known {
			return Signal(number), nil
		}
	}
	if n, ok := realTime(name, "RTMIN", '+'); ok {
		return Signal(sigRTMin + n), nil
	}
	if n, ok := realTime(name, "RTMAX", '-'); ok {
		return Signal(sigRTMax - n), nil
	}
	candidates := []string{"SIGRTMIN+3"}
	for _, known := range signalNames[1:] {
		candidates = append(candidates, "SIG"+known)
	}
	return 0, errors.New("unknown signal" + didYouMean("SIG"+name, candidates))
}

// realTime reads the N of RTMIN+N or RTMAX-N.
func realTime(name, base string, sign byte) (int, bool) {
	rest, ok := strings.CutPrefix(name, base)
	if !ok || rest == "" {
		return 0, ok
	}
	n, err := strconv.ParseUint(rest[1:], 10, 8)
	return int(n), rest[0] == sign && err == nil && n <= sigRTMax-sigRTMin
}

// String gives the name, as SIGTERM or SIGRTMIN+3.
func (s Signal) String() string {
	switch {
	case s == sigRTMin:
		return "SIGRTMIN"
	case s > sigRTMin && s <= sigRTMax:
		return "SIGRTMIN+" + strconv.Itoa(int(s-sigRTMin))
	case s > 0 && int(s) < len(signalNames):
		return "SIG" + signalNames[s]
	}
	return strconv.Itoa(int(s))
}

// MarshalText makes a Signal its name in JSON.
func (s Signal) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Signal) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSignal(string(text))
	return err
}
