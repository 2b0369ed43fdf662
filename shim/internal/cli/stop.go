package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/container"
)

// defaultStopTimeout is how long the origin's preStop waits.
const defaultStopTimeout = 180 * time.Second

// forceTimeout bounds the wait after SIGKILL.
const forceTimeout = 20 * time.Second

type stopOptions struct {
	timeout time.Duration
	force   bool
}

func (o *stopOptions) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&o.timeout, "timeout", defaultStopTimeout, "how long the container may take to halt")
	cmd.Flags().BoolVar(&o.force, "force", false, "kill what has not ended by then")
}

func newStop() *cobra.Command {
	var o stopOptions
	cmd := &cobra.Command{
		Use:     "stop NAME...",
		GroupID: "life",
		Short:   "halt containers in order",
		Long: `Asks PID 1 of each container, and no other process, to halt (SIGRTMIN+3, or what
--kill-signal= said) and waits until the container is gone. Exit status 4 if one
did not end in time; with --force it is killed then.`,
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot stop: %w", err)
			}
			return each(names, func(name string) error { return h.stop(cmd.Context(), name, o) })
		},
	}
	o.flags(cmd)
	return cmd
}

// each does work for all names, in turn, and joins the errors. The exit code
// is the highest one.
func each(names []string, work func(name string) error) error {
	var errs []error
	code := 0
	for _, name := range names {
		err := work(name)
		if err == nil {
			continue
		}
		errs = append(errs, err)
		var exit *exitError
		switch {
		case errors.As(err, &exit):
			code = max(code, exit.code)
		case errors.Is(err, container.ErrNotRunning):
			code = max(code, exitNotRunning)
		default:
			code = max(code, 1)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &exitError{code, errors.Join(errs...)}
}

// stop halts one container and says what happened.
func (h *host) stop(ctx context.Context, name string, o stopOptions) error {
	if err := config.CheckMachineName(name); err != nil {
		return &exitError{exitUsage, fmt.Errorf("cannot stop: %w", err)}
	}
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	running, err := container.Find(limited, h.runtime, h.cgroups, name)
	if errors.Is(err, context.DeadlineExceeded) {
		return &exitError{exitTimeout, fmt.Errorf("cannot stop %q: still starting after %s", name, o.timeout)}
	}
	if err != nil {
		return fmt.Errorf("cannot stop: %w", err)
	}
	defer running.Close()
	began := time.Now()
	done := progress(fmt.Sprintf("Stopping %s (PID %d)", name, running.Record.Leader.PID))
	err = running.Stop(limited)
	done()
	switch {
	case err == nil:
		fmt.Printf("%s stopped in %s\n", name, round(time.Since(began)))
		return nil
	case !errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("cannot stop %q: %w", name, err)
	case !o.force:
		return &exitError{exitTimeout, fmt.Errorf("cannot stop %q: PID %d did not end within %s; --force kills it",
			name, running.Record.Leader.PID, o.timeout)}
	}
	forced, cancel := context.WithTimeout(ctx, forceTimeout)
	defer cancel()
	if err := running.Force(forced); err != nil {
		return fmt.Errorf("cannot kill %q: %w", name, err)
	}
	fmt.Printf("%s killed after %s\n", name, round(time.Since(began)))
	return nil
}

func newKill() *cobra.Command {
	var signal, whom string
	cmd := &cobra.Command{
		Use:               "kill NAME...",
		GroupID:           "life",
		Short:             "send a signal to a container's processes",
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			sig, err := config.ParseSignal(signal)
			if err != nil {
				return &exitError{exitUsage, fmt.Errorf("cannot kill: --signal: %w", err)}
			}
			if whom != "leader" && whom != "all" {
				return &exitError{exitUsage, fmt.Errorf("cannot kill: --kill-whom=%s: want leader or all", whom)}
			}
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot kill: %w", err)
			}
			return each(names, func(name string) error {
				running, err := container.Find(cmd.Context(), h.runtime, h.cgroups, name)
				if err != nil {
					return fmt.Errorf("cannot kill: %w", err)
				}
				defer running.Close()
				return running.Kill(unix.Signal(sig), whom == "all")
			})
		},
	}
	cmd.Flags().StringVarP(&signal, "signal", "s", "SIGTERM", "signal by name or number")
	cmd.Flags().StringVar(&whom, "kill-whom", "all", "leader: PID 1 alone; all: every process")
	return cmd
}

func newRestart() *cobra.Command {
	var o stopOptions
	cmd := &cobra.Command{
		Use:               "restart NAME...",
		GroupID:           "life",
		Short:             "halt containers and start them again",
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			h, err := openHost()
			if err != nil {
				return fmt.Errorf("cannot restart: %w", err)
			}
			return each(names, func(name string) error {
				if err := h.stop(cmd.Context(), name, o); err != nil && !errors.Is(err, container.ErrNotRunning) {
					return err
				}
				return h.start(cmd.Context(), name, startOptions{timeout: startTimeout})
			})
		},
	}
	o.flags(cmd)
	return cmd
}
