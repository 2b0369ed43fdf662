package unit

import (
	"errors"
	"strings"

	"firn/init/unitfile"
)

// Values that stand for "not said" while a service is read.
const (
	unsetKind      ServiceKind = 1<<8 - 1
	unsetOOMPolicy OOMPolicy   = 1<<8 - 1
	unsetSpan      Span        = -1
)

// serviceSettings are the [Service] section's own (systemd.service(5)).
func serviceSettings() []Setting {
	var rows []Setting
	for phase := ExecCondition; phase <= ExecStopPost; phase++ {
		rows = append(rows, does(phase.String(), commands(func(u *Unit) *[]Command { return &u.Service.Commands[phase] })))
	}
	rows = append(rows, serviceTimes()...)
	rows = append(rows, serviceExits()...)
	flag := func(key string, field func(s *Service) *bool) Setting {
		return does(key, into(func(u *Unit) *bool { return field(u.Service) }, boolean))
	}
	return append(rows,
		does("Type", into(func(u *Unit) *ServiceKind { return &u.Service.Type }, choice[ServiceKind]("simple", "exec",
			"forking", "oneshot", "dbus", "notify", "notify-reload", "idle"))),
		does("ExitType", into(func(u *Unit) *ExitType { return &u.Service.ExitType }, choice[ExitType]("main", "cgroup"))),
		does("NotifyAccess", notifyAccess),
		does("OOMPolicy", into(func(u *Unit) *OOMPolicy { return &u.Service.OOMPolicy },
			choice[OOMPolicy]("stop", "continue", "kill"))),
		does("ReloadSignal", into(func(u *Unit) *Signal { return &u.Service.ReloadSignal }, signal)),
		does("PIDFile", into(func(u *Unit) *string { return &u.Service.PIDFile }, pidFile)),
		does("BusName", into(func(u *Unit) *string { return &u.Service.BusName }, expanded)),
		does("Sockets", each(func(u *Unit) *[]Name { return &u.Service.Sockets }, many(unitOf(SocketType)))),
		does("FileDescriptorStoreMax", into(func(u *Unit) *uint32 { return &u.Service.FileDescriptorStoreMax }, unsigned)),
		flag("RemainAfterExit", func(s *Service) *bool { return &s.RemainAfterExit }),
		flag("GuessMainPID", func(s *Service) *bool { return &s.GuessMainPID }),
		flag("NonBlocking", func(s *Service) *bool { return &s.NonBlocking }),
		flag("RootDirectoryStartOnly", func(s *Service) *bool { return &s.RootDirectoryStartOnly }),
		flag("PermissionsStartOnly", func(s *Service) *bool { return &s.PermissionsStartOnly }),
		does("USBFunctionDescriptors", nil).with(Unsupported, "USB gadgets are the host's"),
		does("USBFunctionStrings", nil).with(Unsupported, "USB gadgets are the host's"),
		does("FileDescriptorStorePreserve", nil).with(Unsupported, "descriptors are kept while the service is up, not longer"),
		does("OpenFile", nil).with(Unsupported, "files are not opened for services yet"),
		// Their place was [Service] until systemd 229; systemd reads them there to this day.
		does("StartLimitInterval", into(func(u *Unit) *Span { return &u.StartLimitInterval }, span)),
		does("StartLimitBurst", into(func(u *Unit) *uint32 { return &u.StartLimitBurst }, unsigned)),
		does("StartLimitAction", into(func(u *Unit) *Action { return &u.StartLimitAction }, readAction)),
		does("FailureAction", into(func(u *Unit) *Action { return &u.FailureAction }, readAction)),
		does("RebootArgument", into(func(u *Unit) *string { return &u.RebootArgument }, expanded)),
	)
}

func serviceTimes() []Setting {
	time := func(key string, field func(s *Service) *Span, read func(*reader, string) (Span, error)) Setting {
		return does(key, into(func(u *Unit) *Span { return field(u.Service) }, read))
	}
	failure := choice[TimeoutFailureMode]("terminate", "abort", "kill")
	return []Setting{
		time("RestartSec", func(s *Service) *Span { return &s.RestartDelay }, span),
		time("RestartMaxDelaySec", func(s *Service) *Span { return &s.RestartMaxDelay }, span),
		time("TimeoutStartSec", func(s *Service) *Span { return &s.TimeoutStart }, spanOrNever),
		time("TimeoutStopSec", func(s *Service) *Span { return &s.TimeoutStop }, spanOrNever),
		time("TimeoutAbortSec", func(s *Service) *Span { return &s.TimeoutAbort }, spanOrNever),
		time("RuntimeMaxSec", func(s *Service) *Span { return &s.RuntimeMax }, span),
		time("RuntimeRandomizedExtraSec", func(s *Service) *Span { return &s.RuntimeRandomizedExtra }, span),
		time("WatchdogSec", func(s *Service) *Span { return &s.Watchdog }, spanOrOff),
		does("TimeoutSec", func(r *reader, u *Unit, value string) error {
			v, err := spanOrNever(r, value)
			if err == nil {
				u.Service.TimeoutStart, u.Service.TimeoutStop = v, v
			}
			return err
		}),
		does("TimeoutStartFailureMode", into(func(u *Unit) *TimeoutFailureMode { return &u.Service.TimeoutStartFailureMode }, failure)),
		does("TimeoutStopFailureMode", into(func(u *Unit) *TimeoutFailureMode { return &u.Service.TimeoutStopFailureMode }, failure)),
	}
}

func serviceExits() []Setting {
	return []Setting{
		does("Restart", into(func(u *Unit) *RestartPolicy { return &u.Service.Restart }, choice[RestartPolicy]("no", "on-success",
			"on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"))),
		does("RestartMode", into(func(u *Unit) *RestartMode { return &u.Service.RestartMode },
			choice[RestartMode]("normal", "direct", "debug"))),
		does("RestartSteps", into(func(u *Unit) *uint32 { return &u.Service.RestartSteps }, unsigned)),
		does("SuccessExitStatus", exitSet(func(s *Service) *ExitSet { return &s.SuccessExit })),
		does("RestartPreventExitStatus", exitSet(func(s *Service) *ExitSet { return &s.RestartPreventExit })),
		does("RestartForceExitStatus", exitSet(func(s *Service) *ExitSet { return &s.RestartForceExit })),
	}
}

func notifyAccess(r *reader, u *Unit, value string) (err error) {
	access, err := choice[NotifyAccess]("none", "main", "exec", "all")(r, value)
	if err == nil {
		u.Service.NotifyAccess, r.notifyAccessSet = access, true
	}
	return err
}

// pidFile reads a path, of which a relative one hangs from /run.
func pidFile(r *reader, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	p, err := r.expand(value)
	if err != nil {
		return "", err
	}
	if !strings.HasPrefix(p, "/") {
		p = "/run/" + p
	}
	p, err = cleanAbsolute(p)
	if rest, ok := strings.CutPrefix(p, "/var/run/"); ok {
		r.warn("below the old directory /var/run, taken for /run/%s", rest)
		p = "/run/" + rest
	}
	return p, err
}

func exitSet(field func(s *Service) *ExitSet) parser {
	return func(r *reader, u *Unit, value string) error {
		set := field(u.Service)
		if value == "" {
			*set = ExitSet{}
			return nil
		}
		words, err := unitfile.ExtractWords(value, "", 0)
		if err != nil {
			return err
		}
		for _, word := range words {
			if code, err := ParseExitCode(word); err == nil {
				set.AddCode(code)
			} else if sig, err := ParseSignal(word); err == nil {
				set.AddSignal(sig)
			} else {
				r.warn("%q is no exit status and no signal", word)
			}
		}
		return nil
	}
}

// errors of a service as a whole (systemd.service(5), where each setting says what it needs).
var (
	errNothingToDo  = errors.New("no ExecStart=, ExecStop= or SuccessAction=: nothing to do")
	errNoStart      = errors.New("no ExecStart=, which only Type=oneshot can do without")
	errNoRemain     = errors.New("no ExecStart= and no SuccessAction=, which needs RemainAfterExit=yes")
	errManyStarts   = errors.New("more than one ExecStart=, which only Type=oneshot can have")
	errOneshotAgain = errors.New("Restart=always and on-success do not fit Type=oneshot")
	errOneshotExit  = errors.New("ExitType=cgroup does not fit Type=oneshot")
	errNoBusName    = errors.New("Type=dbus needs BusName=")
	errPAMKillMode  = errors.New("PAMName= needs KillMode=control-group or mixed")
)

func finishService(r *reader, u *Unit, d *Defaults) {
	s := u.Service
	if s.Type == unsetKind {
		switch {
		case s.BusName != "":
			s.Type = DBus
		case len(s.Commands[ExecStart]) == 0:
			s.Type = Oneshot
		default:
			s.Type = Simple
		}
	}
	if s.TimeoutStart == unsetSpan {
		s.TimeoutStart = d.TimeoutStart
		if s.Type == Oneshot {
			s.TimeoutStart = Infinity
		}
	}
	if s.OOMPolicy == unsetOOMPolicy {
		s.OOMPolicy = d.OOMPolicy
		if u.Cgroup.Delegate {
			s.OOMPolicy = OOMContinue // what runs below its own cgroup decides for itself
		}
	}
	notifies := s.Type == Notify || s.Type == NotifyReload || s.Watchdog > 0
	if notifies && s.NotifyAccess == NotifyNone {
		s.NotifyAccess = NotifyMain
		if r.notifyAccessSet {
			u.Warnings = append(u.Warnings, Warning{File: u.source(), Text: "NotifyAccess=none does not fit a service that notifies: main is used"})
		}
	}
}

func checkService(u *Unit) error {
	s := u.Service
	starts := len(s.Commands[ExecStart])
	switch {
	case starts == 0 && len(s.Commands[ExecStop]) == 0 && u.SuccessAction == ActionNone:
		return errNothingToDo
	case starts == 0 && s.Type != Oneshot:
		return errNoStart
	case starts == 0 && !s.RemainAfterExit && u.SuccessAction == ActionNone:
		return errNoRemain
	case starts > 1 && s.Type != Oneshot:
		return errManyStarts
	case s.Type == Oneshot && (s.Restart == RestartAlways || s.Restart == RestartOnSuccess):
		return errOneshotAgain
	case s.Type == Oneshot && s.ExitType == ExitCgroup:
		return errOneshotExit
	case s.Type == DBus && s.BusName == "":
		return errNoBusName
	case u.Exec.PAMName != "" && u.Kill.Mode != KillControlGroup && u.Kill.Mode != KillMixed:
		return errPAMKillMode
	}
	return nil
}
