package supervise

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"slices"
	"strconv"
	"strings"

	"firn/init/internal/execute"
	"firn/init/internal/job"
	"firn/init/internal/supervise/machine"
	"firn/init/internal/unit"
)

// describe puts together what the stage is told of a command.
func (s *service) describe(phase unit.ExecPhase, index int, main bool) (*execute.Description, []*os.File, error) {
	svc := s.machine.Service // whose commands the machine counts, also after a reload of the units
	d := &execute.Description{
		Unit: s.name(), Command: svc.Commands[phase][index], Exec: *s.unit.Exec, Connection: -1, Control: !main,
		UID: s.uid, Root: s.m.Root,
	}
	if svc.PermissionsStartOnly && phase != unit.ExecStart {
		d.Command.Flags |= unit.FullPrivileges
	}
	var files []*os.File
	if phase == unit.ExecStart {
		files = s.files(d)
		if svc.Watchdog > 0 && svc.Watchdog != unit.Infinity {
			d.Watchdog = uint64(svc.Watchdog.Microseconds())
		}
	}
	d.Environ = s.environ(phase)
	return d, files, nil
}

// files are the sockets that the main process gets.
func (s *service) files(d *execute.Description) (files []*os.File) {
	if s.connection != nil {
		in := s.unit.Exec.Stdin.Kind
		d.Names, d.Connection = []string{s.socket.fdName()}, 0
		d.ConnectionOnly = in == unit.StdioSocket || s.unit.Exec.Stdout.Kind == unit.StdioSocket
		return []*os.File{s.connection}
	}
	add := func(u *job.Unit) {
		if sock, ok := u.Driver.(*socket); ok && !sock.unit.Socket.Accept {
			for _, f := range sock.files {
				files = append(files, f)
				d.Names = append(d.Names, sock.fdName())
			}
		}
	}
	var done []unit.Name
	for _, name := range s.unit.Service.Sockets {
		if u := s.m.engine.Known(name); u != nil && !slices.Contains(done, u.Name) {
			done = append(done, u.Name)
			add(u)
		}
	}
	s.unit.Others(job.TriggeredBy, func(u *job.Unit) {
		if !slices.Contains(done, u.Name) {
			add(u)
		}
	})
	if len(files) == 1 && s.unit.Exec.Stdin.Kind == unit.StdioSocket {
		d.Connection, d.ConnectionOnly = 0, true
	}
	d.NonBlocking = s.unit.Service.NonBlocking
	return files
}

// environ is what PID 1 itself gives to a command (systemd.exec(5), "Environment Variables in Spawned Processes").
func (s *service) environ(phase unit.ExecPhase) []string {
	env := slices.Clone(s.m.Environ)
	for _, name := range s.unit.Exec.PassEnvironment {
		for _, v := range s.m.Own {
			if strings.HasPrefix(v, name+"=") {
				env = append(env, v)
			}
		}
	}
	env = append(env, "INVOCATION_ID="+s.invocation)
	if s.unit.Service.NotifyAccess != unit.NotifyNone && s.m.notify != nil {
		env = append(env, "NOTIFY_SOCKET="+s.m.notify.path)
	}
	if s.main != nil && phase != unit.ExecStart {
		env = append(env, "MAINPID="+strconv.Itoa(s.main.PID))
	}
	if file := s.unit.Service.PIDFile; file != "" {
		env = append(env, "PIDFILE="+file)
	}
	if s.connection != nil {
		env = append(env, s.socket.peerEnviron(s.connection)...)
	}
	if phase == unit.ExecStop || phase == unit.ExecStopPost {
		env = append(env, "SERVICE_RESULT="+s.machine.Result.String())
		if s.main == nil {
			env = append(env, exitEnviron(s.machine.LastExit)...)
		}
	}
	return env
}

func exitEnviron(e machine.Exit) []string {
	code, status := "exited", strconv.Itoa(int(e.Status))
	if e.Signaled {
		code, status = "killed", strings.TrimPrefix(signalName(e.Status), "SIG")
		if e.Dumped {
			code = "dumped"
		}
	}
	return []string{"EXIT_CODE=" + code, "EXIT_STATUS=" + status}
}

func newInvocation() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never an error since Go 1.24
	return hex.EncodeToString(id[:])
}

// dynamicUID chooses a user for DynamicUser=, by User= or the unit's name. One that the system knows is taken as it is.
func (m *Manager) dynamicUID(u *job.Unit) uint32 {
	name := u.Exec.User
	if name == "" {
		name = u.Name.Prefix()
	}
	if text, err := os.ReadFile(m.Root + "/etc/passwd"); err == nil {
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, name+":") {
				return 0
			}
		}
	}
	uid, ok := execute.DynamicUID(name, func(uid uint32) bool { return m.dynamic[uid] != "" && m.dynamic[uid] != name })
	if !ok {
		return 0
	}
	m.dynamic[uid] = name
	return uid
}
