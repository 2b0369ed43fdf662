package unit

import "firn/init/internal/calendar"

// Timer is the [Timer] section (systemd.timer(5)).
type Timer struct {
	Monotonic         []TimerBase
	Calendar          []*calendar.Spec
	Unit              Name // Unit=; "" stands for the service of the name's own stem
	Accuracy          Span // 1 min by default
	RandomizedDelay   Span
	FixedRandomDelay  bool
	OnClockChange     bool
	OnTimezoneChange  bool
	Persistent        bool
	WakeSystem        bool
	RemainAfterElapse bool // on by default
}

// TimerBase is one monotonic On...Sec=.
type TimerBase struct {
	Base TimerEvent
	Span Span
}

// TimerEvent is what a monotonic timer counts from.
type TimerEvent uint8

// Events.
const (
	OnActive       TimerEvent = iota // the timer's own activation
	OnBoot                           // the machine's boot; in a container the manager's start
	OnStartup                        // the manager's start
	OnUnitActive                     // the unit was last activated
	OnUnitInactive                   // the unit was last deactivated
)

func (e TimerEvent) String() string {
	return [...]string{"OnActiveSec", "OnBootSec", "OnStartupSec", "OnUnitActiveSec", "OnUnitInactiveSec"}[e]
}
