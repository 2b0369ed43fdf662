package supervise

import "firn/init/internal/unit"

func (s *service) startWatchdog() {
	if s.watchEvery == 0 {
		s.watchEvery = s.unit.Service.Watchdog
	}
	if s.watchEvery <= 0 || s.watchEvery == unit.Infinity || s.watchdog != nil {
		return
	}
	s.watchdog = s.m.after(s.watchEvery, func() {
		if s.watchdog != nil {
			s.watchdog = nil
			s.m.Log.Warn("no sign of life in time", "unit", s.name(), "WatchdogSec", s.watchEvery.String())
			s.machine.WatchdogExpired()
		}
	})
}

func (s *service) stopWatchdog() {
	if s.watchdog != nil {
		s.watchdog.Stop()
		s.watchdog = nil
	}
	s.watchEvery = 0
}
