package halt

import (
	"testing"
	"time"

	"firn/init/internal/signals"
)

func TestBurst(t *testing.T) {
	t.Parallel()
	start := time.Unix(1000, 0)
	var quick, slow Burst
	for i := range 30 {
		if got := quick.Add(start.Add(time.Duration(i) * 250 * time.Millisecond)); got != (i >= 7) {
			t.Errorf("number %d at 4 a second: %v", i+1, got)
		}
		if slow.Add(start.Add(time.Duration(i) * 300 * time.Millisecond)) {
			t.Errorf("number %d at 3.3 a second is impatience", i+1)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for verb, want := range map[signals.Verb]string{
		signals.Halt: "halt", signals.Poweroff: "poweroff", signals.Reboot: "reboot", signals.Kexec: "kexec", signals.SoftReboot: "soft-reboot",
	} {
		if got := Word(verb); got != want {
			t.Errorf("%v: %s", verb, got)
		}
		if _, ok := commands[verb]; !ok && verb != signals.SoftReboot {
			t.Errorf("%s has no reboot(2) command", want)
		}
	}
}
