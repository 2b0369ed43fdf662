package unit

import (
	"strings"
	"testing"
	"time"

	"firn/init/unitfile"
)

func TestReadDefaults(t *testing.T) {
	t.Parallel()
	file, err := unitfile.Parse(strings.NewReader("[Manager]\nLogLevel=debug\nDefaultTimeoutStopSec=10s\nDefaultStartLimitBurst=9\n"+
		"DefaultLimitNOFILE=1024:524288\nDefaultTasksMax=50%\nDefaultTimerAccuracySec=1s\nDefaultRestartSec=never\n[Other]\nDefaultTasksMax=1\n"), "system.conf")
	if err != nil {
		t.Fatal(err)
	}
	d, warnings := ReadDefaults(file)
	if len(warnings) != 1 || warnings[0].String() != "system.conf:8: [Manager] DefaultRestartSec=never: not a time span" {
		t.Errorf("warnings: %v", warnings)
	}
	if d.TimeoutStop != 10*time.Second || d.TimeoutStart != 90*time.Second || d.StartLimitBurst != 9 || d.TimerAccuracy != time.Second ||
		d.TasksMax.Share != 5000 || len(d.Limits) != 1 || d.Limits[0] != (Limit{7, 1024, 524288}) || d.Restart != 100*time.Millisecond {
		t.Errorf("got %+v", d)
	}
	service, err := unitfile.Parse(strings.NewReader("[Service]\nExecStart=/bin/a\nLimitCORE=0\n"), "a.service")
	if err != nil {
		t.Fatal(err)
	}
	u := Parse("a.service", service, &d, func(v string) (string, error) { return v, nil })
	if u.Service.TimeoutStop != 10*time.Second || len(u.Exec.Limits) != 2 || len(d.Limits) != 1 {
		t.Errorf("a unit with these defaults: %+v, limits %v", u.Service, u.Exec.Limits)
	}
}
