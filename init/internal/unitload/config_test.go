package unitload

import (
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	t.Parallel()
	d, warnings, err := Defaults(tree(t, map[string]string{
		"etc/systemd/system.conf":              "[Manager]\nDefaultTimeoutStopSec=10\n#DefaultRestartSec=5\n",
		"usr/lib/systemd/system.conf.d/a.conf": "[Manager]\nDefaultTimeoutStartSec=20\nDefaultTimeoutStopSec=30\n",
	}))
	if err != nil || len(warnings) != 0 || d.TimeoutStop != 30*time.Second || d.TimeoutStart != 20*time.Second || d.Restart != 100*time.Millisecond {
		t.Errorf("%+v, %v, %v", d, warnings, err)
	}
	if d, _, err := Defaults(tree(t, nil)); err != nil || d.TimeoutStop != 90*time.Second {
		t.Errorf("without a file: %+v, %v", d, err)
	}
}
