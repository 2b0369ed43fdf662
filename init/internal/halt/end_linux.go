package halt

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/init/internal/log"
	"firn/init/internal/mounts"
	"firn/init/internal/signals"
)

// Release lets go of file systems: on a machine of all, written out first; in a container of those in mounted. A
// container's data are in the host's page cache, which outlives it; sync(2) would write out every file system of the host
// before the container could end.
func Release(machine bool, mounted []string, logger *log.Logger) {
	var err error
	if machine {
		unix.Sync()
		err = mounts.ReleaseMachine()
		unix.Sync()
	} else {
		err = mounts.Unmount(mounted)
	}
	if err != nil {
		logger.Warn(err.Error())
	}
}

var commands = map[signals.Verb]int{
	signals.Halt: unix.LINUX_REBOOT_CMD_HALT, signals.Poweroff: unix.LINUX_REBOOT_CMD_POWER_OFF,
	signals.Reboot: unix.LINUX_REBOOT_CMD_RESTART, signals.Kexec: unix.LINUX_REBOOT_CMD_KEXEC,
}

// End ends the system by reboot(2). In a PID namespace of its own the kernel ends PID 1 by SIGINT for halt and
// power-off, by SIGHUP for reboot (reboot(2), PID namespaces). It returns only with an error: the caller then exits.
func End(verb signals.Verb) error {
	if verb == signals.Kexec && !kexecLoaded() {
		verb = signals.Reboot // as systemd does, and all that a container can
	}
	if err := unix.Reboot(commands[verb]); err != nil {
		return fmt.Errorf("%s: %w", Word(verb), err)
	}
	select {} // the kernel has taken the word, and ends us
}

func kexecLoaded() bool {
	text, err := os.ReadFile("/sys/kernel/kexec_loaded")
	return err == nil && strings.TrimSpace(string(text)) == "1"
}

// Again starts firn-init anew as it was started first: a soft reboot (systemd-soft-reboot.service(8)). Signals that come
// meanwhile stay pending. It returns only with an error.
func Again() error {
	runtime.LockOSThread()
	var all unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, nil)
	if err == nil {
		err = syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	}
	return fmt.Errorf("start again: %w", err)
}

// Refused reports whether the error of End says no more than that reboot(2) is not for us.
func Refused(err error) bool { return errors.Is(err, unix.EPERM) }

// TakeCtrlAltDel makes the keys Ctrl, Alt and Del send SIGINT to PID 1 of a machine instead of resetting it.
func TakeCtrlAltDel() error {
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_CAD_OFF); err != nil {
		return fmt.Errorf("take Ctrl-Alt-Del: %w", err)
	}
	return nil
}
