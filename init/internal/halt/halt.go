// Package halt ends a system: its processes, its mounts, and then the PID namespace or the machine by reboot(2). Its
// input is a verb of the signal table, its output are no processes and a call that does not return. The last stage of
// firn-init's data flow in boot mode.
//
//	stage     | does                                                    | until
//	----------+---------------------------------------------------------+-----------------------------------
//	service   | SIGTERM (to a shell SIGHUP too) and SIGCONT to the      | it has ended, or grace is over
//	          | service's group                                         |
//	terminate | SIGTERM, SIGCONT to everything                          | nothing is left, or grace is over
//	kill      | SIGKILL to everything                                   | nothing is left, or grace is over
//	release   | unmount; on a machine sync(2) and remount read-only     |
//	end       | reboot(2); without CAP_SYS_BOOT exit                    | never
//
// A verb that acts now, and more than seven SIGINT within two seconds, go to the kill stage from any before.
package halt

import (
	"time"

	"firn/init/internal/signals"
)

// Exit codes where reboot(2) is refused, so that the manager sees no more than a code. 133 is what systemd-nspawn
// returns for a reboot.
const (
	ExitHalt   = 0
	ExitReboot = 133
)

// ExitCode is what stands for a verb then.
func ExitCode(verb signals.Verb) int {
	if verb == signals.Reboot || verb == signals.Kexec {
		return ExitReboot
	}
	return ExitHalt
}

// Word is the verb as X_SYSTEMD_SHUTDOWN= says it (systemd(1)).
func Word(verb signals.Verb) string {
	switch verb {
	case signals.Halt:
		return "halt"
	case signals.Reboot:
		return "reboot"
	case signals.Kexec:
		return "kexec"
	case signals.SoftReboot:
		return "soft-reboot"
	}
	return "poweroff"
}

// Burst counts SIGINTs: systemd(1) takes more than seven within two seconds for impatience.
type Burst struct {
	times [8]time.Time
	next  int
}

// Add counts one and reports whether it is the eighth within two seconds.
func (b *Burst) Add(now time.Time) bool {
	b.times[b.next] = now
	b.next = (b.next + 1) % len(b.times)
	oldest := b.times[b.next]
	return !oldest.IsZero() && now.Sub(oldest) <= 2*time.Second
}
