package unit

import (
	"math"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// schedulingSettings are about the processor, the disk and the kernel's limits (systemd.exec(5), "Process properties",
// "Scheduling").
func schedulingSettings() []Setting {
	var rows []Setting
	for _, l := range limits {
		rows = append(rows, does("Limit"+l.name, limit(l)))
	}
	rows = append(rows, lacks("memory policies are not set", "NUMAPolicy", "NUMAMask")...)
	return append(rows,
		does("Nice", number(func(e *Exec) *Number { return &e.Nice }, -20, 19)),
		does("OOMScoreAdjust", number(func(e *Exec) *Number { return &e.OOMScore }, -1000, 1000)),
		does("CPUSchedulingPolicy", cpuPolicy),
		does("CPUSchedulingPriority", cpuPriority),
		does("CPUSchedulingResetOnFork", func(r *reader, u *Unit, value string) error {
			on, err := boolean(r, value)
			if err == nil {
				u.Exec.CPUScheduling.Set, u.Exec.CPUScheduling.ResetOnFork = true, on
			}
			return err
		}),
		does("CPUAffinity", cpuAffinity),
		does("IOSchedulingClass", ioClass),
		does("IOSchedulingPriority", ioPriority),
		does("TimerSlackNSec", into(func(u *Unit) *Span { return &u.Exec.TimerSlack }, nanoseconds)),
		does("CoredumpFilter", coredumpFilter),
	)
}

// A resource of setrlimit(2), by the kernel's number on all machines that firn is built for.
type resource struct {
	name   string
	number uint8
	read   func(value string) (uint64, error)
}

var limits = []resource{
	{"CPU", 0, seconds}, {"FSIZE", 1, unitfile.ParseSize}, {"DATA", 2, unitfile.ParseSize}, {"STACK", 3, unitfile.ParseSize},
	{"CORE", 4, unitfile.ParseSize}, {"RSS", 5, unitfile.ParseSize}, {"NPROC", 6, plain}, {"NOFILE", 7, plain},
	{"MEMLOCK", 8, unitfile.ParseSize}, {"AS", 9, unitfile.ParseSize}, {"LOCKS", 10, plain}, {"SIGPENDING", 11, plain},
	{"MSGQUEUE", 12, unitfile.ParseSize}, {"NICE", 13, nice}, {"RTPRIO", 14, plain}, {"RTTIME", 15, microseconds},
}

func plain(value string) (uint64, error) { return strconv.ParseUint(value, 10, 64) }

func seconds(value string) (uint64, error) {
	us, err := unitfile.ParseTimespan(value, unitfile.Second)
	if us == unitfile.Infinity {
		return us, err
	}
	return (us + unitfile.Second - 1) / unitfile.Second, err
}

func microseconds(value string) (uint64, error) {
	return unitfile.ParseTimespan(value, unitfile.Microsecond)
}

// nice reads LimitNICE=: with a sign it is a nice level, without the kernel's raw 20 minus that.
func nice(value string) (uint64, error) {
	if value != "" && (value[0] == '+' || value[0] == '-') {
		n, err := strconv.ParseInt(value, 10, 8)
		if err != nil || n < -20 || n > 19 {
			return 0, ErrRange
		}
		return uint64(20 - n), nil
	}
	n, err := plain(value)
	if err == nil && n > 40 {
		err = ErrRange
	}
	return n, err
}

// limit reads SOFT[:HARD].
func limit(l resource) parser {
	read := func(value string) (uint64, error) {
		if value == "infinity" {
			return math.MaxUint64, nil
		}
		n, err := l.read(value)
		return n, numberError(err)
	}
	return func(_ *reader, u *Unit, value string) error {
		if value == "" {
			u.Exec.Limits = withoutLimit(u.Exec.Limits, l.number)
			return nil
		}
		soft, hard, both := strings.Cut(value, ":")
		s, err := read(soft)
		h := s
		if err == nil && both {
			h, err = read(hard)
		}
		switch {
		case err != nil:
			return err
		case s > h:
			return ErrRange
		}
		u.Exec.Limits = append(withoutLimit(u.Exec.Limits, l.number), Limit{l.number, s, h})
		return nil
	}
}

// withoutLimit copies: the defaults' list is shared by all units.
func withoutLimit(list []Limit, number uint8) []Limit {
	var kept []Limit
	for _, l := range list {
		if l.Resource != number {
			kept = append(kept, l)
		}
	}
	return kept
}

func number(field func(e *Exec) *Number, low, high int64) parser {
	return func(r *reader, u *Unit, value string) error {
		if value == "" {
			*field(u.Exec) = Number{}
			return nil
		}
		n, err := within(low, high)(r, value)
		if err == nil {
			*field(u.Exec) = Number{int16(n), true}
		}
		return err
	}
}

var cpuPolicies = map[string]uint8{"other": 0, "fifo": 1, "rr": 2, "batch": 3, "idle": 5} // sched(7)

func cpuPolicy(r *reader, u *Unit, value string) error {
	policy, ok := cpuPolicies[value]
	if !ok {
		return choiceError([]string{"other", "batch", "idle", "fifo", "rr"})
	}
	s := &u.Exec.CPUScheduling
	s.Set, s.Policy = true, policy
	if realTime := policy == 1 || policy == 2; realTime {
		s.Priority = max(s.Priority, 1) // the kernel takes 1 to 99
	} else {
		s.Priority = 0
	}
	return nil
}

func cpuPriority(r *reader, u *Unit, value string) error {
	n, err := within(1, 99)(r, value)
	if err == nil {
		u.Exec.CPUScheduling.Set, u.Exec.CPUScheduling.Priority = true, uint8(n)
	}
	return err
}

var ioClasses = map[string]uint8{"none": 0, "realtime": 1, "best-effort": 2, "idle": 3,
	"0": 0, "1": 1, "2": 2, "3": 3} // ioprio_set(2)

func ioClass(_ *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.IOScheduling = IOScheduling{Priority: 4}
		return nil
	}
	class, ok := ioClasses[value]
	if !ok {
		return choiceError([]string{"none", "realtime", "best-effort", "idle"})
	}
	u.Exec.IOScheduling.Set, u.Exec.IOScheduling.Class = true, class
	return nil
}

func ioPriority(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.IOScheduling = IOScheduling{Priority: 4}
		return nil
	}
	n, err := within(0, 7)(r, value)
	if err != nil {
		return err
	}
	s := &u.Exec.IOScheduling
	if !s.Set {
		s.Class = 2 // best effort is what a priority alone means
	}
	s.Set, s.Priority = true, uint8(n)
	return nil
}

func nanoseconds(_ *reader, value string) (Span, error) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
		return Span(n), nil
	}
	digits, isNano := strings.CutSuffix(value, "nsec")
	if !isNano {
		digits, isNano = strings.CutSuffix(value, "ns")
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64); isNano && err == nil && n >= 0 {
		return Span(n), nil
	}
	return parseSpan(value, unitfile.Microsecond)
}

const maxCPUs = 8192 // as many as Linux can have

func cpuAffinity(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Exec.CPUAffinity = nil
		return nil
	}
	if value == "numa" {
		return ErrValue
	}
	set := u.Exec.CPUAffinity
	for _, word := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' || strings.ContainsRune(blanks, c) }) {
		first, last, isRange := strings.Cut(word, "-")
		from, err := within(0, maxCPUs-1)(r, first)
		to := from
		if err == nil && isRange {
			to, err = within(0, maxCPUs-1)(r, last)
		}
		if err != nil {
			return err
		}
		for cpu := from; cpu <= to; cpu++ {
			for int(cpu/64) >= len(set) {
				set = append(set, 0)
			}
			set[cpu/64] |= 1 << (cpu % 64)
		}
	}
	u.Exec.CPUAffinity = set
	return nil
}

// coredumpNames are the bits of /proc/PID/coredump_filter (core(5)).
var coredumpNames = []string{"private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed",
	"elf-headers", "private-huge", "shared-huge", "private-dax", "shared-dax"}

func coredumpFilter(_ *reader, u *Unit, value string) error {
	e := u.Exec
	if value == "" {
		e.CoredumpFilter, e.CoredumpFilterSet = 0, false
		return nil
	}
	for _, word := range strings.Fields(value) {
		mask, ok := coredumpMask(word)
		if !ok {
			return ErrValue
		}
		e.CoredumpFilter, e.CoredumpFilterSet = e.CoredumpFilter|mask, true
	}
	return nil
}

func coredumpMask(word string) (uint64, bool) {
	switch word {
	case "default":
		return 0x33, true
	case "all":
		return math.MaxUint64, true
	}
	for bit, name := range coredumpNames {
		if name == word {
			return 1 << bit, true
		}
	}
	n, err := strconv.ParseUint(word, 16, 64)
	return n, err == nil
}
