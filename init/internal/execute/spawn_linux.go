package execute

import (
	"bufio"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"firn/init/internal/reap"
)

// Spawner starts stages.
type Spawner struct {
	Reaper *reap.Reaper
	// Stdio are the descriptors that the stage begins with: nothing to read, and the log.
	Stdio [3]uintptr
	// Self is the program to execute, by default the running one.
	Self string
}

// Place is reap.Spec's.
type Place = func(start func(enter func(*syscall.SysProcAttr)) (pid int, err error)) (int, error)

// Report is what a stage has said. Failure is nil if the program runs.
type Report struct {
	Warnings []string
	Failure  *Failure
}

// Failure is the step that did not work.
type Failure struct {
	Code int
	Text string // "STEP reason"
}

// stageEnviron keeps Go's runtime small in the stage: it lives for a millisecond.
var stageEnviron = []string{"GOMAXPROCS=1", "GOGC=off", "GOTRACEBACK=none"}

// Start starts a process. files are what Description.Names names; they stay the caller's. reported is called once, from
// another goroutine, when the program runs or a step has failed.
func (s *Spawner) Start(d *Description, files []*os.File, place Place, reported func(Report)) (*reap.Process, error) {
	description, err := memory("firn-execute", d.Encode())
	if err != nil {
		return nil, err
	}
	defer unix.Close(description)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	all := []uintptr{s.Stdio[0], s.Stdio[1], s.Stdio[2], uintptr(description), w.Fd()}
	for _, f := range files {
		all = append(all, f.Fd())
	}
	self := s.Self
	if self == "" {
		self = "/proc/self/exe"
	}
	p, err := s.Reaper.Start(reap.Spec{
		Path: self, Args: []string{"firn-init", stageArg}, Env: stageEnviron, Dir: "/", Files: all, Place: place,
	})
	if p == nil {
		_ = r.Close()
		return nil, err
	}
	go func() {
		defer r.Close()
		reported(readReport(r))
	}()
	return p, err
}

// readReport reads to the end, which comes when the stage is over one way or the other.
func readReport(r *os.File) (report Report) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "w"):
			report.Warnings = append(report.Warnings, line[1:])
		case strings.HasPrefix(line, "e"):
			code, text, _ := strings.Cut(line[1:], " ")
			report.Failure = &Failure{Code: atoi(code), Text: text}
		}
	}
	return report
}

func atoi(s string) (n int) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n > 255 {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}
