// Package signals says what each signal means to PID 1 and takes signals in. Its input is what the kernel delivers;
// its output are effects for the loops of boot mode and command mode. systemd(1), SIGNALS, is the source of the
// table: who manages a container signals its PID 1 without knowing which program that is.
package signals

import (
	"strconv"
	"syscall"
)

// RTMin is SIGRTMIN as programs see it: the kernel's 32 and 33 belong to the C library.
const RTMin = syscall.Signal(34)

// Verb is what boot mode does at a signal.
type Verb int

// Verbs. Those from Halt to SoftReboot end the system.
const (
	Nothing Verb = iota
	Halt
	Poweroff
	Reboot
	Kexec
	SoftReboot
	Reload
	DumpState
	LogDebug
	LogRestore
	LogConsole
	LogKmsg
	LogDefault
	ShowStatus
	HideStatus
)

// Ends reports whether the verb ends the system.
func (v Verb) Ends() bool { return v >= Halt && v <= SoftReboot }

// Row is what one signal does.
type Row struct {
	Signal syscall.Signal
	Name   string
	Verb   Verb
	// Now: no service is stopped first. The file systems are still synced and unmounted.
	Now bool
	// Systemd is what systemd(1) does, where that is not said by the verb alone.
	Systemd string
	// Note is what firn-init logs, and why it differs from systemd if it does.
	Note string
}

// Table is in systemd(1)'s order.
var Table = []Row{
	{Signal: syscall.SIGTERM, Verb: Nothing, Systemd: "re-executes itself",
		Note: "re-execution asked for: nothing to do, as no state would change hands (halt with SIGRTMIN+3)"},
	{Signal: syscall.SIGINT, Verb: Reboot, Systemd: "ctrl-alt-del.target, which is reboot.target; more than 7 within 2 s: at once"},
	{Signal: syscall.SIGWINCH, Verb: Nothing, Systemd: "kbrequest.target",
		Note: "keyboard request: no kbrequest.target here"},
	{Signal: syscall.SIGPWR, Verb: Nothing, Systemd: "sigpwr.target",
		Note: "power failure: no sigpwr.target here"}, // Poweroff under LXC: see ForManager
	{Signal: syscall.SIGUSR1, Verb: Nothing, Systemd: "connects to D-Bus again",
		Note: "D-Bus reconnect asked for: firn-init holds no connection"},
	{Signal: syscall.SIGUSR2, Verb: DumpState},
	{Signal: syscall.SIGHUP, Verb: Reload},
	{Signal: RTMin + 0, Verb: Nothing, Systemd: "default.target",
		Note: "never seen: see Listen. There is one target, and it is reached"},
	{Signal: RTMin + 1, Verb: Nothing, Systemd: "rescue.target",
		Note: "rescue mode asked for: no rescue.target here"},
	{Signal: RTMin + 2, Verb: Nothing, Systemd: "emergency.service",
		Note: "emergency mode asked for: no emergency.service here"},
	{Signal: RTMin + 3, Verb: Halt},
	{Signal: RTMin + 4, Verb: Poweroff},
	{Signal: RTMin + 5, Verb: Reboot},
	{Signal: RTMin + 6, Verb: Kexec},
	{Signal: RTMin + 7, Verb: SoftReboot},
	{Signal: RTMin + 13, Verb: Halt, Now: true},
	{Signal: RTMin + 14, Verb: Poweroff, Now: true},
	{Signal: RTMin + 15, Verb: Reboot, Now: true},
	{Signal: RTMin + 16, Verb: Kexec, Now: true},
	{Signal: RTMin + 17, Verb: SoftReboot, Now: true},
	{Signal: RTMin + 20, Verb: ShowStatus},
	{Signal: RTMin + 21, Verb: HideStatus},
	{Signal: RTMin + 22, Verb: LogDebug},
	{Signal: RTMin + 23, Verb: LogRestore},
	{Signal: RTMin + 24, Verb: Nothing, Systemd: "user managers only: exit",
		Note: "exit asked for: only a user's manager does that"},
	{Signal: RTMin + 25, Verb: Nothing, Systemd: "re-executes itself",
		Note: "re-execution asked for: nothing to do, as no state would change hands (halt with SIGRTMIN+3)"},
	{Signal: RTMin + 26, Verb: LogDefault},
	{Signal: RTMin + 27, Verb: LogConsole},
	{Signal: RTMin + 28, Verb: LogKmsg},
	{Signal: RTMin + 29, Verb: LogDefault, Systemd: "no longer in the manual; once: restores the log target"},
}

// ForManager gives the row of a signal in boot mode under a manager, named as $container names it. The row of a
// signal without one has Verb Nothing and no Note.
func ForManager(sig syscall.Signal, container string) Row {
	for _, row := range Table {
		if row.Signal != sig {
			continue
		}
		row.Name = Name(sig)
		// LXC asks its containers to halt by SIGPWR (lxc.container.conf(5), lxc.signal.halt).
		if sig == syscall.SIGPWR && (container == "lxc" || container == "lxc-libvirt") {
			row.Verb, row.Note = Poweroff, ""
		}
		return row
	}
	return Row{Signal: sig, Name: Name(sig)}
}

// EndsCommand gives the row of a signal that ends a system, for command mode, where all others are forwarded.
// SIGINT does not count: there it is the user's, and the command's.
func EndsCommand(sig syscall.Signal) (Row, bool) {
	row := ForManager(sig, "")
	return row, sig >= RTMin && row.Verb.Ends()
}

// Forwarded reports whether command mode hands a signal on. Not SIGCHLD, which tells of firn-init's own children;
// SIGURG, by which the Go runtime preempts itself; SIGPIPE, which only comes of firn-init's own writes; nor SIGTTIN
// and SIGTTOU, which tell firn-init that it is not in the foreground. SIGPROF and SIGRTMIN+0 would be, but never come:
// see Listen.
func Forwarded(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU:
		return false
	}
	return true
}

var names = map[syscall.Signal]string{
	syscall.SIGHUP: "SIGHUP", syscall.SIGINT: "SIGINT", syscall.SIGQUIT: "SIGQUIT", syscall.SIGILL: "SIGILL",
	syscall.SIGTRAP: "SIGTRAP", syscall.SIGABRT: "SIGABRT", syscall.SIGBUS: "SIGBUS", syscall.SIGFPE: "SIGFPE",
	syscall.SIGKILL: "SIGKILL", syscall.SIGUSR1: "SIGUSR1", syscall.SIGSEGV: "SIGSEGV", syscall.SIGUSR2: "SIGUSR2",
	syscall.SIGPIPE: "SIGPIPE", syscall.SIGALRM: "SIGALRM", syscall.SIGTERM: "SIGTERM", syscall.SIGSTKFLT: "SIGSTKFLT",
	syscall.SIGCHLD: "SIGCHLD", syscall.SIGCONT: "SIGCONT", syscall.SIGSTOP: "SIGSTOP", syscall.SIGTSTP: "SIGTSTP",
	syscall.SIGTTIN: "SIGTTIN", syscall.SIGTTOU: "SIGTTOU", syscall.SIGURG: "SIGURG", syscall.SIGXCPU: "SIGXCPU",
	syscall.SIGXFSZ: "SIGXFSZ", syscall.SIGVTALRM: "SIGVTALRM", syscall.SIGPROF: "SIGPROF", syscall.SIGWINCH: "SIGWINCH",
	syscall.SIGIO: "SIGIO", syscall.SIGPWR: "SIGPWR", syscall.SIGSYS: "SIGSYS",
}

// Name gives a signal's name as systemd and kill(1) write it.
func Name(sig syscall.Signal) string {
	if name, ok := names[sig]; ok {
		return name
	}
	if sig == RTMin {
		return "SIGRTMIN+0"
	}
	if sig > RTMin && sig <= 64 {
		return "SIGRTMIN+" + strconv.Itoa(int(sig-RTMin))
	}
	return "signal " + strconv.Itoa(int(sig))
}
