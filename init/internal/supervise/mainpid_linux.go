package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"firn/init/internal/reap"
	"firn/init/internal/supervise/machine"
)

// FindMain looks for the main process of a forking service.
func (s *service) FindMain() machine.Found {
	if s.unit.Service.PIDFile != "" {
		return s.findByFile()
	}
	if !s.unit.Service.GuessMainPID || s.group == nil {
		return machine.MainUnknown
	}
	pids, err := s.group.Processes()
	if err != nil || len(pids) != 1 {
		return machine.MainUnknown
	}
	if s.adopt(pids[0]) != nil {
		return machine.MainUnknown
	}
	return machine.MainFound
}

func (s *service) findByFile() machine.Found {
	path := filepath.Join(s.m.Root, s.unit.Service.PIDFile)
	if s.pidFile == nil {
		// Watched before it is read: nothing that comes in between is missed.
		s.pidFile = watchFile(path, func() { s.m.Post(s.machine.PIDFileChanged) })
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return machine.MainNotYet
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return machine.MainNotYet
	}
	if err := s.adopt(pid); err != nil {
		s.m.Log.Warn(err.Error(), "unit", s.name(), "PIDFile", s.unit.Service.PIDFile)
		return machine.MainNotYet
	}
	return machine.MainFound
}

// errStranger is the error of a PID that is not the unit's.
var errStranger = errors.New("not a process of the unit")

// adopt makes a process the main one. A file that anybody may write must not make us signal a stranger.
func (s *service) adopt(pid int) error {
	if s.group != nil && !s.group.Has(pid) {
		return fmt.Errorf("process %d: %w", pid, errStranger)
	}
	p, err := s.m.Reaper.Adopt(pid)
	if err != nil {
		return err
	}
	s.main = p
	s.m.watch(p, func(reap.Process) { s.ended(p) })
	return nil
}
