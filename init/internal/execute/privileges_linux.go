package execute

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"firn/init/internal/unit"
)

// The calls here change the calling thread alone, as the kernel has it: execve ends all other threads, and to change
// them too, as Go's own functions do, takes longer than all the rest.

func raw(trap, a, b, c uintptr) error {
	if _, _, errno := unix.RawSyscall(trap, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

// schedParam is struct sched_param of sched_setscheduler(2).
type schedParam struct{ priority int32 }

func setScheduler(policy uintptr, priority int32) error {
	param := schedParam{priority}
	return raw(unix.SYS_SCHED_SETSCHEDULER, 0, policy, uintptr(unsafe.Pointer(&param)))
}

// setIOPriority is ioprio_set(2) for the caller (IOPRIO_WHO_PROCESS is 1).
func setIOPriority(class, priority uint8) error {
	return raw(unix.SYS_IOPRIO_SET, 1, 0, uintptr(class)<<13|uintptr(priority))
}

func (s *stage) switches() bool { return !s.privileged() && (s.setUser || len(s.groups) > 0) }

func (s *stage) takeGroups() error {
	if !s.switches() {
		return nil
	}
	var first unsafe.Pointer
	if len(s.groups) > 0 {
		first = unsafe.Pointer(&s.groups[0])
	}
	if err := raw(unix.SYS_SETGROUPS, uintptr(len(s.groups)), uintptr(first), 0); err != nil {
		return fmt.Errorf("set groups: %w", err)
	}
	gid := uintptr(s.user.gid)
	if err := raw(unix.SYS_SETRESGID, gid, gid, gid); err != nil {
		return fmt.Errorf("set group %d: %w", gid, err)
	}
	return nil
}

// boundCapabilities drops from the bounding set what is not in CapabilityBoundingSet=, or not in the manager's own.
func (s *stage) boundCapabilities() error {
	if s.privileged() {
		return nil
	}
	for c := range uintptr(unix.CAP_LAST_CAP + 1) {
		if s.Exec.CapabilityBoundingSet&(1<<c) != 0 {
			continue
		}
		if have, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, c, 0, 0, 0); err != nil || have == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if s.Exec.SecureBits != 0 {
		if err := unix.Prctl(unix.PR_SET_SECUREBITS, uintptr(s.Exec.SecureBits), 0, 0, 0); err != nil {
			return &StepError{Code: exitSecureBits, Err: err}
		}
	}
	return nil
}

// takeUser changes the user and keeps the ambient capabilities, which a change from root would take
// (capabilities(7), "Effect of user ID changes on capabilities").
func (s *stage) takeUser() error {
	if s.privileged() {
		return nil
	}
	ambient := s.Exec.AmbientCapabilities
	if ambient != 0 {
		if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
			return &StepError{Code: exitCapabilities, Err: fmt.Errorf("keep capabilities: %w", err)}
		}
	}
	if s.setUser {
		uid := uintptr(s.user.uid)
		if err := raw(unix.SYS_SETRESUID, uid, uid, uid); err != nil {
			return fmt.Errorf("set user %d: %w", uid, err)
		}
	}
	if ambient == 0 {
		return nil
	}
	if err := raiseAmbient(ambient); err != nil {
		return &StepError{Code: exitCapabilities, Err: err}
	}
	return nil
}

// raiseAmbient makes capabilities inheritable and then ambient, as far as they are permitted.
func raiseAmbient(set uint64) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	for i := range data {
		data[i].Inheritable |= uint32(set>>(32*i)) & data[i].Permitted
		data[i].Effective = data[i].Permitted
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("set capabilities: %w", err)
	}
	for c := range uintptr(unix.CAP_LAST_CAP + 1) {
		if set&(1<<c) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, c, 0, 0); err != nil {
			return fmt.Errorf("raise ambient capability %d: %w", c, err)
		}
	}
	return nil
}

func (s *stage) noNewPrivileges() error {
	if !s.Exec.NoNewPrivileges || s.Command.Flags&unit.FullPrivileges != 0 {
		return nil
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}
