package unit

import (
	"fmt"

	"firn/init/unitfile"
)

// managerKeys are the settings of [Manager] in system.conf (systemd-system.conf(5)) that stand for a setting of
// services, of one timer setting, and of limits.
func managerKeys() map[string][2]string {
	keys := map[string][2]string{
		"DefaultTimeoutStartSec": {"Service", "TimeoutStartSec"}, "DefaultTimeoutStopSec": {"Service", "TimeoutStopSec"},
		"DefaultTimeoutAbortSec": {"Service", "TimeoutAbortSec"}, "DefaultRestartSec": {"Service", "RestartSec"},
		"DefaultStartLimitIntervalSec": {"Unit", "StartLimitIntervalSec"}, "DefaultStartLimitInterval": {"Unit", "StartLimitInterval"},
		"DefaultStartLimitBurst": {"Unit", "StartLimitBurst"}, "DefaultTasksMax": {"Service", "TasksMax"},
		"DefaultOOMPolicy": {"Service", "OOMPolicy"}, "DefaultTimerAccuracySec": {"Timer", "AccuracySec"},
	}
	for _, l := range limits {
		keys["DefaultLimit"+l.name] = [2]string{"Service", "Limit" + l.name}
	}
	return keys
}

// ReadDefaults reads the manager's configuration into defaults. What it says of the manager itself is not looked at.
func ReadDefaults(file *unitfile.File) (Defaults, []Warning) {
	d := SystemDefaults()
	// Each default is read by the setting's own parser, into units that nobody starts.
	service, timer := empty("default.service", &d), empty("default.timer", &d)
	service.Service.TimeoutStart, service.Service.OOMPolicy = d.TimeoutStart, d.OOMPolicy
	r := &reader{unit: service, expand: func(v string) (string, error) { return v, nil }}
	var warnings []Warning
	keys := managerKeys()
	for section, a := range file.All() {
		place, ok := keys[a.Key]
		if section.Name != "Manager" || !ok {
			continue
		}
		setting, _ := Lookup(place[0], place[1])
		u := service
		if place[0] == "Timer" {
			u = timer
		}
		r.at = a
		if err := setting.parse(r, u, a.Value); err != nil {
			warnings = append(warnings, Warning{a.File, a.Line, fmt.Sprintf("[Manager] %s=%s: %v", a.Key, a.Value, err)})
		}
	}
	s := service.Service
	d.TimeoutStart, d.TimeoutStop, d.TimeoutAbort, d.Restart = s.TimeoutStart, s.TimeoutStop, s.TimeoutAbort, s.RestartDelay
	d.StartLimitInterval, d.StartLimitBurst = service.StartLimitInterval, service.StartLimitBurst
	d.TasksMax, d.OOMPolicy, d.Limits = service.Cgroup.TasksMax, s.OOMPolicy, service.Exec.Limits
	d.TimerAccuracy = timer.Timer.Accuracy
	return d, warnings
}
