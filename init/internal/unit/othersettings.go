package unit

import (
	"firn/init/internal/calendar"
)

func timerSettings() []Setting {
	var rows []Setting
	for event := OnActive; event <= OnUnitInactive; event++ {
		rows = append(rows, does(event.String(), func(_ *reader, u *Unit, value string) error {
			if value == "" {
				u.Timer.Monotonic, u.Timer.Calendar = nil, nil // an empty one of any kind resets all kinds
				return nil
			}
			s, err := parseSpan(value, 1e6)
			if err == nil {
				u.Timer.Monotonic = append(u.Timer.Monotonic, TimerBase{event, s})
			}
			return err
		}))
	}
	flag := func(key string, field func(t *Timer) *bool) Setting {
		return does(key, into(func(u *Unit) *bool { return field(u.Timer) }, boolean))
	}
	return append(rows,
		does("OnCalendar", onCalendar),
		does("Unit", into(func(u *Unit) *Name { return &u.Timer.Unit }, unitName)),
		does("AccuracySec", into(func(u *Unit) *Span { return &u.Timer.Accuracy }, span)),
		does("RandomizedDelaySec", into(func(u *Unit) *Span { return &u.Timer.RandomizedDelay }, span)),
		flag("FixedRandomDelay", func(t *Timer) *bool { return &t.FixedRandomDelay }),
		flag("OnClockChange", func(t *Timer) *bool { return &t.OnClockChange }),
		flag("OnTimezoneChange", func(t *Timer) *bool { return &t.OnTimezoneChange }),
		flag("Persistent", func(t *Timer) *bool { return &t.Persistent }),
		flag("RemainAfterElapse", func(t *Timer) *bool { return &t.RemainAfterElapse }),
		flag("WakeSystem", func(t *Timer) *bool { return &t.WakeSystem }).with(Ignored, "a container cannot wake the machine"),
	)
}

func onCalendar(r *reader, u *Unit, value string) error {
	if value == "" {
		u.Timer.Monotonic, u.Timer.Calendar = nil, nil
		return nil
	}
	text, err := r.expand(value)
	if err != nil {
		return err
	}
	spec, err := calendar.Parse(text)
	if err == nil {
		u.Timer.Calendar = append(u.Timer.Calendar, spec)
	}
	return err
}

func pathSettings() []Setting {
	var rows []Setting
	for kind := PathExists; kind <= DirectoryNotEmpty; kind++ {
		rows = append(rows, does(kind.String(), each(func(u *Unit) *[]Watch { return &u.Path.Watches },
			one(func(r *reader, value string) (Watch, error) {
				p, err := absolute(r, value)
				return Watch{kind, p}, err
			}))))
	}
	return append(rows,
		does("Unit", into(func(u *Unit) *Name { return &u.Path.Unit }, unitName)),
		does("MakeDirectory", into(func(u *Unit) *bool { return &u.Path.MakeDirectory }, boolean)),
		does("DirectoryMode", into(func(u *Unit) *uint32 { return &u.Path.DirectoryMode }, mode)),
		does("TriggerLimitIntervalSec", into(func(u *Unit) *Span { return &u.Path.TriggerLimitInterval }, span)),
		does("TriggerLimitBurst", into(func(u *Unit) *uint32 { return &u.Path.TriggerLimitBurst }, unsigned)),
	)
}

func mountSettings() []Setting {
	flag := func(key string, field func(m *Mount) *bool) Setting {
		return does(key, into(func(u *Unit) *bool { return field(u.Mount) }, boolean))
	}
	return []Setting{
		does("What", into(func(u *Unit) *string { return &u.Mount.What }, expanded)),
		does("Where", into(func(u *Unit) *string { return &u.Mount.Where }, absoluteOrNone)),
		does("Type", into(func(u *Unit) *string { return &u.Mount.FSType }, expanded)),
		does("Options", into(func(u *Unit) *string { return &u.Mount.Options }, expanded)),
		flag("SloppyOptions", func(m *Mount) *bool { return &m.SloppyOptions }),
		flag("LazyUnmount", func(m *Mount) *bool { return &m.LazyUnmount }),
		flag("ReadWriteOnly", func(m *Mount) *bool { return &m.ReadWriteOnly }),
		flag("ForceUnmount", func(m *Mount) *bool { return &m.ForceUnmount }),
		does("DirectoryMode", into(func(u *Unit) *uint32 { return &u.Mount.DirectoryMode }, mode)),
		does("TimeoutSec", into(func(u *Unit) *Span { return &u.Mount.Timeout }, spanOrNever)),
	}
}

func automountSettings() []Setting {
	return []Setting{
		does("Where", into(func(u *Unit) *string { return &u.Automount.Where }, absoluteOrNone)),
		does("ExtraOptions", into(func(u *Unit) *string { return &u.Automount.ExtraOptions }, expanded)),
		does("DirectoryMode", into(func(u *Unit) *uint32 { return &u.Automount.DirectoryMode }, mode)),
		does("TimeoutIdleSec", into(func(u *Unit) *Span { return &u.Automount.TimeoutIdle }, spanOrOff)),
	}
}

func swapSettings() []Setting {
	return []Setting{
		does("What", into(func(u *Unit) *string { return &u.Swap.What }, expanded)),
		does("Options", into(func(u *Unit) *string { return &u.Swap.Options }, expanded)),
		does("Priority", into(func(u *Unit) *int32 { return &u.Swap.Priority }, signed)),
		does("TimeoutSec", into(func(u *Unit) *Span { return &u.Swap.Timeout }, spanOrNever)),
	}
}

func scopeSettings() []Setting {
	return lacks("scopes are made by programs, not by files", "RuntimeMaxSec", "RuntimeRandomizedExtraSec", "TimeoutStopSec", "OOMPolicy")
}
