package execute

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/init/internal/program"
	"firn/init/internal/signals"
	"firn/init/internal/unit"
)

// step is one of the stage's; code is the exit code of one that does not work, unless it says another itself.
type step struct {
	code int
	run  func(*stage) error
}

var steps = []step{
	{exitSetsid, (*stage).session},
	{exitUser, (*stage).findUser},
	{exitGroup, (*stage).findGroups},
	{exitStdin, (*stage).stdin},
	{exitStdout, (*stage).stdout},
	{exitStderr, (*stage).stderr},
	{exitOOMAdjust, (*stage).oomScore},
	{exitMemory, (*stage).coredumpFilter},
	{exitNice, (*stage).nice},
	{exitSetScheduler, (*stage).scheduler},
	{exitCPUAffinity, (*stage).affinity},
	{exitIOPrio, (*stage).ioPriority},
	{exitTimerSlack, (*stage).timerSlack},
	{exitRuntimeDir, (*stage).directories},
	{exitCredentials, (*stage).credentials},
	{exitMemory, (*stage).environment},
	{exitSignalMask, (*stage).dispositions},
	{exitChroot, (*stage).root},
	{exitChdir, (*stage).workingDirectory},
	{exitExec, (*stage).findProgram},
	{exitFDs, (*stage).passFiles},
	{exitLimits, (*stage).limits},
	{exitGroup, (*stage).takeGroups},
	{exitCapabilities, (*stage).boundCapabilities},
	{exitUser, (*stage).takeUser},
	{exitNoNewPrivileges, (*stage).noNewPrivileges},
}

func (s *stage) session() error {
	// A program that was started as a group's leader has no session to make.
	if _, err := unix.Setsid(); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("start a session: %w", err)
	}
	return nil
}

// database reads a file of users or groups in the system's root; one that is not there is empty.
func (s *stage) database(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.Root, "/etc", name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	return string(text), nil
}

func (s *stage) findUser() error {
	if s.UID != 0 {
		name := s.Exec.User
		if name == "" {
			name = strconv.FormatUint(uint64(s.UID), 10)
		}
		s.user, s.setUser = user{name: name, home: "/", shell: "/usr/sbin/nologin", uid: s.UID, gid: s.UID}, true
		return nil
	}
	if s.Exec.User == "" {
		return nil
	}
	passwd, err := s.database("passwd")
	if err != nil {
		return err
	}
	u, ok := findUser(passwd, s.Exec.User)
	if !ok {
		return fmt.Errorf("user %s: no such user", s.Exec.User)
	}
	s.user, s.setUser = u, true
	return nil
}

func (s *stage) findGroups() error {
	if !s.setUser && s.Exec.Group == "" && len(s.Exec.SupplementaryGroups) == 0 {
		return nil
	}
	group, err := s.database("group")
	if err != nil {
		return err
	}
	if s.Exec.Group != "" && (s.UID == 0 || s.Exec.Group != s.Exec.User) {
		gid, err := findGroup(group, s.Exec.Group)
		if err != nil && s.UID != 0 {
			gid, err = s.UID, nil // a dynamic user's group has its number
		}
		if err != nil {
			return err
		}
		s.user.gid = gid
	}
	s.groups = []uint32{s.user.gid}
	if s.setUser {
		s.groups = append(s.groups, groupsOf(group, s.user.name)...)
	}
	for _, name := range s.Exec.SupplementaryGroups {
		gid, err := findGroup(group, name)
		if err != nil {
			return err
		}
		s.groups = append(s.groups, gid)
	}
	return nil
}

// denied reports whether an error says no more than that this container may not.
func denied(err error) bool { return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) }

func (s *stage) oomScore() error {
	if !s.Exec.OOMScore.Set {
		return nil
	}
	err := os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(int(s.Exec.OOMScore.Value))), 0)
	if denied(err) {
		return nil // as systemd: a score below the manager's is not for a container to have
	}
	return err
}

func (s *stage) coredumpFilter() error {
	if !s.Exec.CoredumpFilterSet {
		return nil
	}
	return os.WriteFile("/proc/self/coredump_filter", []byte("0x"+strconv.FormatUint(s.Exec.CoredumpFilter, 16)), 0)
}

func (s *stage) nice() error {
	if !s.Exec.Nice.Set {
		return nil
	}
	err := unix.Setpriority(unix.PRIO_PROCESS, 0, int(s.Exec.Nice.Value))
	if denied(err) {
		s.warn("Nice=%d: not permitted", s.Exec.Nice.Value)
		return nil
	}
	return err
}

// resetOnFork is SCHED_RESET_ON_FORK of sched_setscheduler(2).
const resetOnFork = 0x40000000

func (s *stage) scheduler() error {
	c := s.Exec.CPUScheduling
	if !c.Set {
		return nil
	}
	policy := uintptr(c.Policy)
	if c.ResetOnFork {
		policy |= resetOnFork
	}
	return setScheduler(policy, int32(c.Priority))
}

func (s *stage) affinity() error {
	if len(s.Exec.CPUAffinity) == 0 {
		return nil
	}
	var set unix.CPUSet
	for i, word := range s.Exec.CPUAffinity {
		for bit := range 64 {
			if word&(1<<bit) != 0 {
				set.Set(64*i + bit)
			}
		}
	}
	return unix.SchedSetaffinity(0, &set)
}

func (s *stage) ioPriority() error {
	if !s.Exec.IOScheduling.Set {
		return nil
	}
	err := setIOPriority(s.Exec.IOScheduling.Class, s.Exec.IOScheduling.Priority)
	if denied(err) {
		s.warn("IOSchedulingClass=: not permitted")
		return nil
	}
	return err
}

func (s *stage) timerSlack() error {
	if s.Exec.TimerSlack <= 0 {
		return nil
	}
	return unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(s.Exec.TimerSlack), 0, 0, 0)
}

// dispositions leaves SIGPIPE ignored if the unit is not told otherwise, and no other signal. Handlers do not outlive
// execve.
func (s *stage) dispositions() error {
	signals.HearIgnored()
	if s.Exec.IgnoreSIGPIPE {
		signal.Ignore(unix.SIGPIPE)
	}
	unix.Umask(int(s.Exec.UMask))
	return nil
}

func (s *stage) root() error {
	if s.Exec.RootDirectory == "" || s.Command.Flags&unit.FullPrivileges != 0 {
		return nil
	}
	if err := unix.Chroot(s.Exec.RootDirectory); err != nil {
		return fmt.Errorf("RootDirectory=%s: %w", s.Exec.RootDirectory, err)
	}
	return unix.Chdir("/")
}

func (s *stage) workingDirectory() error {
	dir := s.Exec.WorkingDirectory
	switch {
	case dir == "~" && s.setUser:
		dir = s.user.home
	case dir == "~":
		dir = "/root"
	case dir == "":
		dir = "/"
	}
	err := unix.Chdir(dir)
	if err != nil && s.Exec.WorkingDirectoryOptional {
		err = unix.Chdir("/")
	}
	if err != nil {
		return fmt.Errorf("WorkingDirectory=%s: %w", dir, err)
	}
	return nil
}

func (s *stage) findProgram() error {
	path, ok := lookup(s.env, "PATH")
	if !ok {
		path = defaultPath
	}
	found, err := program.Find(s.Command.Path, path)
	s.path = found
	return err
}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// passFiles moves what is passed to the descriptors from 3 on, and marks all others to be closed.
func (s *stage) passFiles() error {
	files := s.files
	if s.ConnectionOnly {
		files = nil
	}
	// First out of the way of each other and of the reports, then down: the numbers overlap.
	base := firstPassed + len(s.files) + 1
	report, err := unix.FcntlInt(reportFD, unix.F_DUPFD_CLOEXEC, base+len(files))
	if err != nil {
		return err
	}
	s.control = os.NewFile(uintptr(report), "reports")
	high := make([]int, len(files))
	for i, fd := range files {
		if high[i], err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, base); err != nil {
			return err
		}
	}
	// Whatever else is open, inherited by PID 1 from its own manager perhaps, is closed by execve.
	if err := unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC); err != nil && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	for i, fd := range high {
		if err := unix.Dup3(fd, 3+i, 0); err != nil {
			return err
		}
		if err := unix.SetNonblock(3+i, s.NonBlocking); err != nil {
			return err
		}
	}
	return nil
}

// limits sets what it can: a hard limit above the container's own needs CAP_SYS_RESOURCE, and then its own is taken.
func (s *stage) limits() error {
	for _, l := range s.Exec.Limits {
		want := syscall.Rlimit{Cur: l.Soft, Max: l.Hard}
		err := syscall.Setrlimit(int(l.Resource), &want)
		if denied(err) {
			var have syscall.Rlimit
			if err = syscall.Getrlimit(int(l.Resource), &have); err == nil {
				want.Max = min(want.Max, have.Max)
				want.Cur = min(want.Cur, want.Max)
				s.warn("Limit%s=: not permitted, %d is taken", limitName(l.Resource), want.Max)
				err = syscall.Setrlimit(int(l.Resource), &want)
			}
		}
		if err != nil {
			return fmt.Errorf("Limit%s=: %w", limitName(l.Resource), err)
		}
	}
	return nil
}

// limitNames are the settings' names by the kernel's numbers (include/uapi/asm-generic/resource.h).
var limitNames = [...]string{"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS",
	"SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"}

func limitName(resource uint8) string {
	if int(resource) < len(limitNames) {
		return limitNames[resource]
	}
	return strconv.Itoa(int(resource))
}
