// Package shim is firn-init's talk with the shim on the host, by firn/init/handoff: what both modes need of it. Its
// input are the host's requests, its output are ends asked for and answers; without a shim it does nothing.
package shim

import (
	"context"
	"errors"
	"os"
	"sync"

	"firn/init/handoff"
	"firn/init/internal/log"
	"firn/init/internal/signals"
)

// Link is the connection to the shim, there or not.
type Link struct {
	*handoff.Client
	// End gives what the shim asks for: Halt, Poweroff or Reboot. It holds one; more are answered as busy.
	End chan signals.Verb

	mu     sync.Mutex
	reload func(system string) error
	busy   bool
	log    *log.Logger
}

// Connect begins to talk to the shim, if there is one, and goes on until ctx ends.
func Connect(ctx context.Context, mode handoff.Mode, logger *log.Logger) *Link {
	l := &Link{End: make(chan signals.Verb, 1), log: logger}
	l.Client = &handoff.Client{Handle: l.handle}
	l.Client.Hello.Mode = mode
	l.Client.Hello.Boot = newBootID()
	if err := l.Open(); errors.Is(err, handoff.ErrAbsent) {
		logger.Debug("no handoff socket: not under firn")
		return l
	}
	go func() {
		if err := l.Run(ctx); err != nil {
			logger.Warn("talk to the host: " + err.Error())
		}
	}()
	return l
}

// Present reports whether the shim's socket is there, that is, whether this system runs under firn.
func Present() bool {
	_, err := os.Lstat(handoff.DefaultPath)
	return err == nil
}

// OnReload sets what activates a new system; before, and in command mode, reload is refused.
func (l *Link) OnReload(reload func(system string) error) {
	l.mu.Lock()
	l.reload = reload
	l.mu.Unlock()
}

var ends = map[handoff.Type]signals.Verb{
	handoff.Halt: signals.Halt, handoff.Poweroff: signals.Poweroff, handoff.Reboot: signals.Reboot,
}

func (l *Link) handle(m handoff.Message) handoff.Message {
	if verb, ok := ends[m.Type]; ok {
		if len(l.End) == cap(l.End) {
			return handoff.Refuse(m, handoff.Busy, "the system is ending already")
		}
		// The answer goes first: the end may come sooner than a handler returns.
		l.Answer(handoff.Acknowledge(m, ""))
		l.End <- verb // here alone: there is room
		return handoff.Message{}
	}
	switch m.Type {
	case handoff.Reload:
		return l.beginReload(m)
	case handoff.Units:
		return handoff.Refuse(m, handoff.Unsupported, "units are not supported by this firn-init")
	}
	return handoff.Unknown(m)
}

// beginReload starts an activation, one at a time; its answer follows at its end.
func (l *Link) beginReload(m handoff.Message) handoff.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.reload == nil && l.Hello.Mode == handoff.CommandMode:
		return handoff.Refuse(m, handoff.Unsupported, "reload is not supported in command mode")
	case l.reload == nil:
		return handoff.Refuse(m, handoff.Busy, "the system is not up yet")
	case l.busy:
		return handoff.Refuse(m, handoff.Busy, "another reload is running")
	}
	l.busy = true
	reload := l.reload
	go func() {
		answer := handoff.Acknowledge(m, "activated "+m.System)
		if err := reload(m.System); err != nil {
			answer = handoff.Refuse(m, handoff.Internal, err.Error())
		}
		l.mu.Lock()
		l.busy = false
		l.mu.Unlock()
		l.Answer(answer)
	}()
	return handoff.Message{}
}

// Action names an end as the exit message does.
func Action(verb signals.Verb) string {
	switch verb {
	case signals.Halt:
		return "halt"
	case signals.Poweroff:
		return "poweroff"
	case signals.Reboot, signals.Kexec, signals.SoftReboot:
		return "reboot"
	}
	return "exit"
}
