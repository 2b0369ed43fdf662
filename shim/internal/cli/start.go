package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"firn/shim/internal/container"
	"firn/shim/internal/rundir"
	"firn/shim/internal/systemd"
)

// logDir keeps the console output of containers that no one watches.
const logDir = "/var/log/firn"

// startTimeout is how long a system may take until it is ready, where nothing
// else was said: the service manager's own patience (DefaultTimeoutStartSec=).
const startTimeout = 90 * time.Second

type startOptions struct {
	noBlock bool
	timeout time.Duration
}

func newStart() *cobra.Command {
	var o startOptions
	cmd := &cobra.Command{
		Use:     "start NAME...",
		GroupID: "life",
		Short:   "start containers in the background",
		Long: `Starts containers from their settings: through the unit container-NAME.service,
container@NAME.service or systemd-nspawn@NAME.service on a host with systemd that
has one, else under a supervisor of firn's own. Waits until a system that boots
has told that it is ready, unless --no-block is given.`,
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: configuredNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot start: %w", err)
			}
			return each(names, func(name string) error { return h.start(cmd.Context(), name, o) })
		},
	}
	cmd.Flags().BoolVar(&o.noBlock, "no-block", false, "return when PID 1 runs, ready or not")
	cmd.Flags().DurationVar(&o.timeout, "timeout", startTimeout, "how long to wait for readiness")
	return cmd
}

func (h *host) start(ctx context.Context, name string, o startOptions) error {
	if h.runtime.Dir(name).Held() {
		return fmt.Errorf("cannot start %q: %w", name, rundir.ErrBusy)
	}
	if unit, ok := systemd.UnitOf(ctx, name); ok {
		if err := systemd.StartUnit(ctx, unit, o.noBlock); err != nil {
			return fmt.Errorf("cannot start %q: %w", name, err)
		}
		return nil
	}
	if err := h.startDetached(ctx, name, o); err != nil {
		return fmt.Errorf("cannot start %q: %w", name, err)
	}
	return nil
}

// report is what a detached supervisor tells on its descriptor 3, one JSON
// object a line: a record after each change, and last the error that ended it.
type report struct {
	Phase rundir.Phase `json:"phase,omitempty"`
	Boot  bool         `json:"boot,omitempty"` // readiness will be told
	Ready bool         `json:"ready,omitempty"`
	Warn  string       `json:"warning,omitempty"`
	Error string       `json:"error,omitempty"`
}

// startDetached runs "firn run NAME" in a session of its own and follows its
// reports.
func (h *host) startDetached(ctx context.Context, name string, o startOptions) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	reports, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer reports.Close()
	cmd := exec.Command(self, "run", "--"+detachedFlag, "--", name)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	done := progress("Starting " + name)
	defer done()
	if o.timeout > 0 {
		_ = reports.SetReadDeadline(time.Now().Add(o.timeout))
	}
	if err := follow(reports, o.noBlock); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// follow reads reports until the container is where the caller wants it.
func follow(r io.Reader, noBlock bool) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var rep report
		if err := json.Unmarshal(lines.Bytes(), &rep); err != nil {
			return fmt.Errorf("read supervisor's report: %w", err)
		}
		switch {
		case rep.Warn != "":
			warn(rep.Warn)
		case rep.Error != "":
			return errors.New(rep.Error)
		case rep.Phase == rundir.Running && (noBlock || !rep.Boot || rep.Ready):
			return nil
		case rep.Phase == rundir.Stopping:
			return errors.New("it ended before it was ready")
		}
	}
	if err := lines.Err(); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("not ready in time; it goes on starting, see firn status")
	}
	return errors.New("supervisor ended without a word")
}

// detachedFlag is the hidden option by which start calls run.
const detachedFlag = "detached"

func newRun() *cobra.Command {
	var detached bool
	cmd := &cobra.Command{
		Use:     "run NAME",
		GroupID: "life",
		Short:   "run a container in the foreground from its settings",
		Long: `Runs the container NAME from /etc/systemd/nspawn/NAME.nspawn (or
/run/systemd/nspawn) and, without Root= there, from /var/lib/containers/NAME or
/var/lib/machines/NAME. Exit status as systemd-nspawn's.`,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: configuredNames,
		RunE: func(_ *cobra.Command, args []string) error {
			if os.Geteuid() != 0 {
				return errors.New("cannot run container: must be root")
			}
			if detached {
				return runDetached(args[0])
			}
			c, err := namedConfig(args[0])
			if err != nil {
				return fmt.Errorf("cannot run %q: %w", args[0], err)
			}
			return superviseHere(c)
		},
	}
	cmd.Flags().BoolVar(&detached, detachedFlag, false, "")
	_ = cmd.Flags().MarkHidden(detachedFlag)
	return cmd
}

// runDetached is the supervisor behind start: silent, its console kept in a
// log, its course told on descriptor 3 until the reader is gone.
func runDetached(name string) error {
	pipe := os.NewFile(3, "reports")
	syscall.CloseOnExec(3)
	tell := func(r report) {
		line, _ := json.Marshal(r)
		_, _ = pipe.Write(append(line, '\n')) // EPIPE: start has seen enough
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	c, err := namedConfig(name)
	if err == nil {
		err = os.MkdirAll(logDir, 0o750)
	}
	if err == nil {
		err = supervise(&container.Supervisor{
			Config: c, Stdio: [3]*os.File{null, null, null},
			Warn:    func(text string) { tell(report{Warn: text}) },
			LogFile: filepath.Join(logDir, name+".log"),
			Changed: func(r rundir.Record) { tell(report{Phase: r.Phase, Boot: r.Boot, Ready: r.Ready}) },
		})
	}
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		return err
	}
	if start, ok := errors.AsType[*container.StartError](err); ok {
		err = start.Err // the reader says whose start it was
	}
	if err != nil {
		tell(report{Error: err.Error()})
	}
	return err
}

// supervise runs the container to its end.
func supervise(s *container.Supervisor) error {
	s.Runtime = rundir.Default()
	code, err := s.Run(context.Background())
	if start, ok := errors.AsType[*container.StartError](err); ok {
		err = fmt.Errorf("cannot %w", start)
	}
	if err != nil {
		return &exitError{max(code, 1), err}
	}
	if code != 0 {
		return &exitError{code, nil}
	}
	return nil
}
