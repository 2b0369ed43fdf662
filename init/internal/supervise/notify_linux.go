package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/job"
	"firn/init/internal/unit"
)

// notifySocket takes in datagrams of sd_notify(3).
type notifySocket struct {
	path string
	f    *os.File
}

// notifyPath is where systemd has it; programs learn it from $NOTIFY_SOCKET.
const notifyPath = "/run/systemd/notify"

// maxNotify bounds a datagram; what is longer is cut, as systemd does.
const maxNotify = 4096

// Listen opens the socket for readiness.
func (m *Manager) Listen() error {
	path := filepath.Join(m.Root, notifyPath)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("listen for readiness: %w", err)
	}
	_ = os.Remove(path) // of a PID 1 before us
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("listen for readiness: %w", err)
	}
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	if err == nil {
		err = os.Chmod(path, 0o777)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	}
	if err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("listen for readiness at %s: %w", path, err)
	}
	m.notify = &notifySocket{path: path, f: os.NewFile(uintptr(fd), path)}
	go m.notify.receive(func(pid int, text string) {
		// Here, not on the Manager's goroutine: a sender that is over by then has left no trace of its unit.
		name := unitOf(pid)
		m.Post(func() { m.notified(pid, name, text) })
	})
	return nil
}

func (n *notifySocket) receive(got func(pid int, text string)) {
	conn, err := n.f.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, maxNotify)
	control := make([]byte, 512)
	for {
		var size, oob int
		var rerr error
		err := conn.Read(func(fd uintptr) bool {
			size, oob, _, _, rerr = unix.Recvmsg(int(fd), buf, control, unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
			return !errors.Is(rerr, unix.EAGAIN)
		})
		if err != nil {
			return
		}
		if rerr != nil {
			continue
		}
		if pid := sender(control[:oob]); pid > 0 {
			got(pid, string(buf[:size]))
		}
	}
}

// sender gives the PID by which the kernel vouches for a datagram. Descriptors that came along are closed: BARRIER=1
// asks for just that, and FDSTORE=1 is not supported.
func sender(control []byte) (pid int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, c := range messages {
		if cred, err := unix.ParseUnixCredentials(&c); err == nil {
			pid = int(cred.Pid)
		}
		if fds, err := unix.ParseUnixRights(&c); err == nil {
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		}
	}
	return pid
}

// unitOf gives the unit in whose control group a process is, by the last component that is a unit's name.
func unitOf(pid int) unit.Name {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.Split(strings.TrimSpace(line), "/")
		for i := len(parts) - 1; i > 0; i-- {
			if strings.HasSuffix(parts[i], ".service") {
				return unit.Name(parts[i])
			}
		}
	}
	return ""
}

// serviceOf finds the service that a process belongs to.
func (m *Manager) serviceOf(pid int, name unit.Name) *service {
	for _, s := range m.services {
		if s.main != nil && s.main.PID == pid || s.control != nil && s.control.PID == pid {
			return s
		}
	}
	if u := m.engine.Known(name); u != nil {
		s, _ := u.Driver.(*service)
		return s
	}
	return nil
}

// notified acts on one datagram.
func (m *Manager) notified(pid int, name unit.Name, text string) {
	s := m.serviceOf(pid, name)
	if s == nil {
		m.Log.Debug("readiness from a stranger", "pid", strconv.Itoa(pid))
		return
	}
	main := s.main != nil && s.main.PID == pid
	control := s.control != nil && s.control.PID == pid
	switch access := s.unit.Service.NotifyAccess; {
	case access == unit.NotifyAll, access == unit.NotifyMain && main, access == unit.NotifyExec && (main || control):
	default:
		m.Log.Warn("readiness of a process that may not: NotifyAccess="+access.String(), "unit", s.name(), "pid", strconv.Itoa(pid))
		return
	}
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "="); ok {
			fields[key] = value
		}
	}
	s.notified(fields)
}

func (s *service) notified(fields map[string]string) {
	if text, ok := fields["STATUS"]; ok {
		s.status = text
	}
	if pid, err := strconv.Atoi(fields["MAINPID"]); err == nil && pid > 1 && (s.main == nil || s.main.PID != pid) {
		if err := s.adopt(pid); err != nil {
			s.m.Log.Warn("MAINPID: "+err.Error(), "unit", s.name())
		} else {
			s.machine.MainChanged()
		}
	}
	if usec, err := strconv.ParseInt(fields["WATCHDOG_USEC"], 10, 64); err == nil && usec > 0 && usec < 1<<52 {
		s.stopWatchdog()
		s.watchEvery = time.Duration(usec) * time.Microsecond
		s.startWatchdog()
	}
	if usec, err := strconv.ParseInt(fields["EXTEND_TIMEOUT_USEC"], 10, 64); err == nil && usec > 0 && usec < 1<<52 && s.timer != nil {
		s.Arm(time.Duration(usec) * time.Microsecond)
	}
	switch {
	case fields["RELOADING"] == "1":
		s.machine.Reloading()
	case fields["READY"] == "1":
		s.machine.Ready()
	}
	if fields["STOPPING"] == "1" {
		s.machine.Stopping()
	}
	switch fields["WATCHDOG"] {
	case "1":
		if s.watchdog != nil {
			every := s.watchEvery
			s.stopWatchdog()
			s.watchEvery = every
			s.startWatchdog()
		}
	case "trigger":
		s.machine.WatchdogExpired()
	}
}

// Status is what is known of a unit.
type Status struct {
	Name, Load, Active, Sub, Description, Text, Result string
	MainPID                                            int
	Since                                              time.Time
}

func (m *Manager) status(u *job.Unit) Status {
	st := Status{
		Name: string(u.Name), Load: u.Unit.State.String(), Active: u.State().String(), Sub: m.driver(u).sub(),
		Description: u.Description,
	}
	if s, ok := u.Driver.(*service); ok {
		st.Text, st.Result, st.Since = s.status, s.machine.Result.String(), s.activated
		if s.main != nil {
			st.MainPID = s.main.PID
		}
	}
	return st
}
