package execute

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/init/internal/unit"
)

// stageArg is the argument that makes firn-init the stage.
const stageArg = "--execute-stage"

// Descriptors of the stage; see the package's head.
const (
	descriptionFD = 3
	reportFD      = 4
	firstPassed   = 5
)

// The stage runs before main and most packages' own preparations: it is in the way of every process that is started.
func init() {
	if len(os.Args) == 2 && os.Args[1] == stageArg {
		runtime.LockOSThread() // what is set for a thread is set for the one that calls execve
		os.Exit(runStage())
	}
}

// stage is the work of becoming a program.
type stage struct {
	*Description
	env     []string
	path    string // of the program
	user    user
	groups  []uint32
	dirs    [unit.DirectoryKinds][]string // that were made
	files   []int                         // what is passed, in order
	control *os.File                      // reports
	setUser bool
}

func runStage() int {
	s := &stage{control: os.NewFile(reportFD, "reports")}
	unix.CloseOnExec(reportFD)
	err := s.read()
	if err == nil {
		err = s.run()
	}
	var step *StepError
	if !errors.As(err, &step) {
		step = &StepError{Code: exitExec, Err: err}
	}
	s.report(fmt.Sprintf("e%d %s %s\n", step.Code, codeNames[step.Code], oneLine(step.Err.Error())))
	return step.Code
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", "; ") }

func (s *stage) report(line string) { _, _ = s.control.WriteString(line) } // nobody is left to tell

// warn reports what is not as asked and yet no reason to stop.
func (s *stage) warn(format string, args ...any) {
	s.report("w" + oneLine(fmt.Sprintf(format, args...)) + "\n")
}

func (s *stage) read() error {
	f := os.NewFile(descriptionFD, "description")
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDescription+1))
	if err == nil && len(data) > maxDescription {
		err = ErrDescription
	}
	if err != nil {
		return at(exitMemory, err)
	}
	s.Description, err = Decode(data)
	return at(exitMemory, err)
}

// privileged reports whether the command keeps PID 1's rights: all of them, or all but the sandbox.
func (s *stage) privileged() bool {
	return s.Command.Flags&(unit.FullPrivileges|unit.NoUserSwitch) != 0
}

func (s *stage) run() error {
	for i := range s.Names {
		s.files = append(s.files, firstPassed+i)
		unix.CloseOnExec(firstPassed + i)
	}
	for _, step := range steps {
		if err := step.run(s); err != nil {
			return at(step.code, err)
		}
	}
	return at(exitExec, s.execute())
}

// execute becomes the program.
func (s *stage) execute() error {
	argv := s.Command.Argv
	if s.Command.Flags&unit.NoVariables == 0 {
		argv = expandArgs(argv, s.env)
	}
	if err := syscall.Exec(s.path, argv, s.env); err != nil {
		return fmt.Errorf("execute %s: %w", s.path, err)
	}
	return nil
}
