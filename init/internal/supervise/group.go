package supervise

import (
	"errors"
	"syscall"

	"firn/cgroups"
	"firn/init/internal/unit"
)

// Groups makes control groups.
type Groups interface {
	// Make gives the control group of a unit, with its limits set as far as the system can. The error may come with a
	// Group: what could not be limited.
	Make(name unit.Name, limits *unit.Cgroup) (Group, error)
}

// Group is a control group with the processes of one unit.
type Group interface {
	// Start is execute.Place.
	Start(start func(enter func(*syscall.SysProcAttr)) (pid int, err error)) (int, error)
	// Processes lists the PIDs.
	Processes() ([]int, error)
	// Has reports whether a process is in it.
	Has(pid int) bool
	Empty() bool
	// Signal signals all processes but some, and counts them.
	Signal(sig syscall.Signal, except map[int]bool) (int, error)
	// OOMKilled reports whether the kernel has killed for want of memory since it was asked last.
	OOMKilled() bool
	Remove() error
}

// groupProblem logs what a control group lacks: a controller that this system does not have once, since it is the same
// for every unit.
func (m *Manager) groupProblem(unit string, err error) {
	switch {
	case !errors.Is(err, cgroups.ErrNoController):
		m.Log.Warn("control group: "+err.Error(), "unit", unit)
	case !m.limitsTold:
		m.limitsTold = true
		m.Log.Info("limits of units have no effect here: "+err.Error(), "unit", unit)
	default:
		m.Log.Debug("limits: "+err.Error(), "unit", unit)
	}
}

func (s *service) makeGroup() (err error) {
	if s.m.Groups == nil || s.group != nil {
		return nil
	}
	group, err := s.m.Groups.Make(s.unit.Name, s.unit.Cgroup)
	if group != nil {
		s.group = group
	}
	return err
}
