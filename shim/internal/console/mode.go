package console

import "fmt"

// Mode is what a session does with the user's side (systemd-nspawn(1),
// "--console="). The modes pipe and autopipe make no pty: they never come here.
type Mode int

const (
	// Interactive forwards both ways; the terminal is raw meanwhile.
	Interactive Mode = iota + 1
	// ReadOnly shows the output and reads no input.
	ReadOnly
	// Passive leaves the user's side alone: output goes to the log only.
	// The pty is read all the same, so that the container never blocks on it.
	Passive
)

var modeNames = map[Mode]string{Interactive: "interactive", ReadOnly: "read-only", Passive: "passive"}

func (m Mode) String() string {
	if name, ok := modeNames[m]; ok {
		return name
	}
	return fmt.Sprintf("mode %d", int(m))
}

// ParseMode reads a mode's name. The error wraps ErrMode.
func ParseMode(name string) (Mode, error) {
	for m, n := range modeNames {
		if n == name {
			return m, nil
		}
	}
	return 0, fmt.Errorf("console mode %q: %w", name, ErrMode)
}

// Ended is why a session is over.
type Ended int

const (
	// ByEscape: the user pressed ^] three times within a second.
	ByEscape Ended = iota + 1
	// Closed: the master itself is of no use any more. That nobody has the
	// pty open inside is not the end: the next getty may open it again.
	Closed
	// Cancelled: the context ended; what the pty still held was written out.
	Cancelled
)

func (e Ended) String() string {
	switch e {
	case ByEscape:
		return "escape"
	case Closed:
		return "closed"
	case Cancelled:
		return "cancelled"
	}
	return fmt.Sprintf("end %d", int(e))
}
