package unit

import (
	"errors"
	"strings"
)

// finish sets what depends on several settings.
func (r *reader) finish(d *Defaults) {
	u := r.unit
	switch u.Name.Type() {
	case ServiceType:
		finishService(r, u, d)
	case SocketType:
		s := u.Socket
		if s.TriggerLimitBurst == 0 && !r.triggerLimitSet {
			s.TriggerLimitBurst = 20
			if s.Accept {
				s.TriggerLimitBurst = 200
			}
		}
		if s.MaxConnectionsPerSource == 0 {
			s.MaxConnectionsPerSource = s.MaxConnections
		}
	case MountType:
		finishMount(u)
	case AutomountType:
		if u.Automount.Where == "" {
			u.Automount.Where, _ = UnescapePath(u.Name.Stem())
		}
	}
	if u.Exec != nil {
		u.Exec.finish(r.stdinSet, r.stdoutSet)
		u.nameDynamicUser()
	}
	switch u.Name {
	case "-.slice", "system.slice":
		if u.Description = "System Slice"; u.Name == "-.slice" {
			u.Description = "Root Slice"
		}
		u.Options = u.Options&^DefaultDependencies | Perpetual
	case "-.mount":
		u.Options |= Perpetual
	}
	switch {
	case u.Name == "-.slice" || u.Name == "system.slice":
		u.Documentation = append(u.Documentation, "man:systemd.special(7)")
	case u.Name.Type() == SliceType && u.Description == "":
		u.Description = "Slice /" + strings.Trim(strings.ReplaceAll(u.Name.Stem(), "-", "/"), "/")
	}
}

// nameDynamicUser gives a dynamic user the unit's own name where User= gives none (systemd.exec(5), DynamicUser=).
func (u *Unit) nameDynamicUser() {
	e := u.Exec
	if !e.DynamicUser {
		return
	}
	e.PrivateTmp = true
	if name := u.Name.Prefix(); e.User == "" && len(name) <= longestUser && strings.Trim(name, letters+digits+"_-") == "" {
		e.User = name
	}
	if e.Group == "" {
		e.Group = e.User
	}
}

const longestUser = 31 // as utmp has room for

// finish gives the standard descriptors their defaults (systemd.exec(5), StandardOutput=).
func (e *Exec) finish(stdinSet, stdoutSet bool) {
	if !stdinSet && e.StdinData != "" {
		e.Stdin = Stdio{Kind: StdioData}
	}
	if !stdoutSet && e.Stdin.Kind != StdioNull && e.Stdin.Kind != StdioData && e.Stdin.Kind != StdioFile {
		e.Stdout = Stdio{Kind: StdioInherit} // a terminal's or a socket's other direction
	}
	if e.Stdout.Kind == StdioInherit && (e.Stdin.Kind == StdioNull || e.Stdin.Kind == StdioData) {
		e.Stdout = Stdio{Kind: StdioNull}
	}
}

func finishMount(u *Unit) {
	if u.Mount.Where == "" {
		u.Mount.Where, _ = UnescapePath(u.Name.Stem())
	}
}

var (
	errNoListen     = errors.New("no Listen...= setting")
	errNotAccepting = errors.New("Accept=yes needs sockets that accept connections")
	errAcceptTarget = errors.New("Service= does not fit Accept=yes, which starts an instance of its own template")
	errAcceptNone   = errors.New("Accept=yes needs MaxConnections= of at least 1")
	errNoTimer      = errors.New("no On...= setting")
	errNoWatch      = errors.New("no path to watch")
	errWhere        = errors.New("Where= is not the path that the unit's name stands for")
	errNoWhat       = errors.New("no What= setting")
)

// check tells why a unit cannot be used although each line of it can be read.
func check(u *Unit) error {
	switch u.Name.Type() {
	case ServiceType:
		return checkService(u)
	case SocketType:
		return checkSocket(u.Socket)
	case TimerType:
		if t := u.Timer; len(t.Monotonic)+len(t.Calendar) == 0 && !t.OnClockChange && !t.OnTimezoneChange {
			return errNoTimer
		}
	case PathType:
		if len(u.Path.Watches) == 0 {
			return errNoWatch
		}
	case MountType:
		switch {
		case PathName(u.Mount.Where, MountType) != u.Name:
			return errWhere
		case u.Mount.What == "":
			return errNoWhat
		}
	case AutomountType:
		if PathName(u.Automount.Where, AutomountType) != u.Name {
			return errWhere
		}
	case SwapType:
		if u.Swap.What == "" {
			return errNoWhat
		}
	}
	return nil
}

func checkSocket(s *Socket) error {
	if len(s.Listens) == 0 {
		return errNoListen
	}
	if !s.Accept {
		return nil
	}
	for _, l := range s.Listens {
		if l.Kind != ListenStream && l.Kind != ListenSequentialPacket {
			return errNotAccepting
		}
	}
	switch {
	case s.Service != "":
		return errAcceptTarget
	case s.MaxConnections == 0:
		return errAcceptNone
	}
	return nil
}

// source is the file that stands for the whole unit in messages.
func (u *Unit) source() string {
	if u.Fragment != "" {
		return u.Fragment
	}
	return string(u.Name)
}
