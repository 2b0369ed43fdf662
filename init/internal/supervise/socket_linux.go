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

// socket drives a socket unit.
//
//	state     | event                                          | next
//	----------+------------------------------------------------+------------------------------------------------------
//	dead      | start                                          | listening, or failed
//	listening | traffic, Accept=no                             | running: the service is started
//	listening | traffic, Accept=yes                            | listening: an instance is started for the connection
//	running   | the service is down again                      | listening
//	listening | more than TriggerLimitBurst= in the interval   | failed
//	any       | stop                                           | dead
type socket struct {
	state
	files       []*os.File
	waiting     map[*os.File]bool // a goroutine waits for it
	listening   bool
	connections int
	accepted    uint64
	triggers    []time.Time
}

func (s *socket) sub() string {
	switch {
	case s.unit.State() == job.Failed:
		return "failed"
	case s.unit.State() != job.Active:
		return "dead"
	case s.listening:
		return "listening"
	}
	return "running"
}

func (s *socket) fdName() string {
	switch name := s.unit.Socket.FDName; {
	case name != "":
		return name
	case s.unit.Socket.Accept:
		return "connection"
	}
	return s.name()
}

// service gives the unit to start; with Accept= a template.
func (s *socket) service() unit.Name {
	if s.unit.Socket.Service != "" {
		return s.unit.Socket.Service
	}
	if s.unit.Socket.Accept {
		return unit.Name(s.unit.Name.Prefix() + "@.service")
	}
	return s.unit.Name.WithType(unit.ServiceType)
}

func (s *socket) start() job.Outcome {
	for _, phase := range []unit.ExecPhase{unit.ExecStartPre, unit.ExecStartPost, unit.ExecStopPre, unit.ExecStopPost} {
		if len(s.unit.Socket.Commands[phase]) > 0 {
			s.m.Log.Warn("commands of sockets are not run", "unit", s.name(), "setting", phase.String())
		}
	}
	files, err := listenAll(s.m.Root, s.unit.Socket)
	if err != nil {
		s.m.Log.Warn("listen: "+err.Error(), "unit", s.name())
		s.report(job.Failed, 0)
		return job.Impossible
	}
	s.files, s.waiting = files, make(map[*os.File]bool)
	s.report(job.Active, 0)
	// A service that runs already was started without its sockets: they wait for its next start.
	if u := s.m.engine.Known(s.service()); u == nil || u.State().Down() {
		s.listen()
	}
	return job.Accepted
}

// listen waits for traffic.
func (s *socket) listen() {
	s.listening = true
	for _, f := range s.files {
		s.await(f)
	}
}

// await has one goroutine wait for one file. It goes on waiting while nobody listens: what it then says is passed over.
func (s *socket) await(f *os.File) {
	if s.waiting[f] {
		return
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	s.waiting[f] = true
	go func() {
		if conn.Read(func(fd uintptr) bool { return ready(int(fd)) }) != nil {
			return // closed
		}
		s.m.Post(func() {
			if s.waiting[f] {
				delete(s.waiting, f)
				s.traffic(f)
			}
		})
	}()
}

// ready reports whether there is something to read, without waiting.
func ready(fd int) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return n > 0 && err == nil
}

func (s *socket) traffic(f *os.File) {
	if !s.listening || s.unit.State() != job.Active {
		return
	}
	if s.tooMany() {
		s.m.Log.Warn("triggered too often", "unit", s.name())
		s.close()
		s.report(job.Failed, 0)
		return
	}
	if s.m.closing {
		return
	}
	if s.unit.Socket.Accept {
		s.acceptAll(f)
		s.await(f)
		return
	}
	s.listening = false
	if _, err := s.m.engine.Enqueue(s.m.engine.Unit(s.service()), job.Start, unit.JobReplace); err != nil {
		s.m.Log.Warn("start its service: "+err.Error(), "unit", s.name())
		s.close()
		s.report(job.Failed, 0)
	}
}

// tooMany applies TriggerLimitIntervalSec= and TriggerLimitBurst= (systemd.socket(5)).
func (s *socket) tooMany() bool {
	c := s.unit.Socket
	burst := int(c.TriggerLimitBurst)
	if burst == 0 {
		burst = 20
		if c.Accept {
			burst = 200
		}
	}
	if c.TriggerLimitInterval <= 0 {
		return false
	}
	now := time.Now()
	kept := s.triggers[:0]
	for _, t := range s.triggers {
		if now.Sub(t) < c.TriggerLimitInterval {
			kept = append(kept, t)
		}
	}
	s.triggers = append(kept, now)
	return len(s.triggers) > burst
}

// acceptAll takes in the connections that wait.
func (s *socket) acceptAll(f *os.File) {
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	for range 64 { // the rest comes with the next look
		fd := -1
		_ = conn.Control(func(l uintptr) {
			fd, _, err = unix.Accept4(int(l), unix.SOCK_CLOEXEC)
		})
		if errors.Is(err, unix.EAGAIN) {
			return
		}
		if err != nil {
			s.m.Log.Warn("accept: "+err.Error(), "unit", s.name())
			return
		}
		s.connected(os.NewFile(uintptr(fd), "connection"))
	}
}

// connected starts an instance for one connection.
func (s *socket) connected(f *os.File) {
	if s.connections >= int(s.unit.Socket.MaxConnections) {
		s.m.Log.Warn("too many connections", "unit", s.name(), "MaxConnections", strconv.Itoa(int(s.unit.Socket.MaxConnections)))
		_ = f.Close()
		return
	}
	name := s.service().WithInstance(instanceName(s.accepted, f))
	s.accepted++
	u := s.m.engine.Unit(name)
	svc, ok := s.m.driver(u).(*service)
	if !ok || !u.State().Down() {
		s.m.Log.Warn("no service for a connection", "unit", s.name(), "service", string(name))
		_ = f.Close()
		return
	}
	svc.connection, svc.socket = f, s
	s.connections++
	if _, err := s.m.engine.Enqueue(u, job.Start, unit.JobReplace); err != nil {
		s.m.Log.Warn("start "+string(name)+": "+err.Error(), "unit", s.name())
		svc.connection = nil
		_ = f.Close()
		s.closed()
	}
}

// closed counts a connection's end.
func (s *socket) closed() { s.connections-- }

// instanceName tells connections apart as systemd does: a number and both ends' addresses.
func instanceName(n uint64, f *os.File) string {
	name := strconv.FormatUint(n, 10)
	local, peer := addresses(f)
	if local != "" {
		return unit.Escape(name + "-" + local + "-" + peer)
	}
	if cred, err := unix.GetsockoptUcred(int(f.Fd()), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
		name += fmt.Sprintf("-%d-%d", cred.Pid, cred.Uid)
	}
	return unit.Escape(name)
}

// addresses gives an Internet connection's ends, empty for others.
func addresses(f *os.File) (local, peer string) {
	fd := int(f.Fd())
	l, err := unix.Getsockname(fd)
	if err != nil {
		return "", ""
	}
	p, err := unix.Getpeername(fd)
	if err != nil {
		return "", ""
	}
	return formatAddress(l), formatAddress(p)
}

// peerEnviron tells an instance who is at the other end.
func (s *socket) peerEnviron(f *os.File) []string {
	_, peer := addresses(f)
	i := strings.LastIndexByte(peer, ':')
	if i < 0 {
		return nil
	}
	return []string{"REMOTE_ADDR=" + strings.Trim(peer[:i], "[]"), "REMOTE_PORT=" + peer[i+1:]}
}

// triggered hears of the service's states.
func (s *socket) triggered(u *job.Unit, _, to job.State) {
	if s.unit.Socket.Accept || s.unit.State() != job.Active || u.Name != s.m.engine.Unit(s.service()).Name {
		return
	}
	svc, _ := u.Driver.(*service)
	switch {
	case to.Down() && !s.listening && (svc == nil || !svc.machine.Sub.State().Up()):
		if svc != nil && svc.machine.Result.String() == "start-limit-hit" {
			// Whoever connects would start it again at once, without end.
			s.close()
			s.report(job.Failed, 0)
			return
		}
		s.listen()
	case to.Up() && s.listening:
		s.listening = false
	}
}

func (s *socket) stop(bool) job.Outcome {
	s.close()
	s.report(job.Inactive, 0)
	return job.Accepted
}

func (s *socket) close() {
	s.listening = false
	clear(s.waiting)
	for _, f := range s.files {
		_ = f.Close()
	}
	s.files = nil
	if !s.unit.Socket.RemoveOnStop {
		return
	}
	for _, l := range s.unit.Socket.Listens {
		if strings.HasPrefix(l.Address, "/") && l.Kind != unit.ListenSpecial {
			_ = os.Remove(filepath.Join(s.m.Root, l.Address))
		}
	}
	for _, link := range s.unit.Socket.Symlinks {
		_ = os.Remove(filepath.Join(s.m.Root, link))
	}
}

func (s *socket) reload() job.Outcome { return job.NoSuchVerb }
