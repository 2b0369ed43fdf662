package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"firn/shim/internal/config"
	"firn/shim/internal/container"
	"firn/shim/internal/rundir"
)

func newNspawn() *cobra.Command {
	return &cobra.Command{
		Use:                "nspawn [OPTIONS...] [PATH [ARGS...]]",
		Short:              "run a container as systemd-nspawn would",
		DisableFlagParsing: true, // the command line is systemd-nspawn's, see package config
		RunE:               func(cmd *cobra.Command, args []string) error { return runNspawn(cmd, args) },
	}
}

func runNspawn(_ *cobra.Command, args []string) error {
	c, err := nspawnConfig(args)
	if err != nil {
		return err
	}
	switch c.Action {
	case config.ActionHelp, config.ActionVersion, config.ActionCapabilities:
		return fmt.Errorf("not yet")
	case config.ActionCleanup:
		return fmt.Errorf("not yet")
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("cannot start a container: only root may")
	}
	return supervise(c, "")
}

// nspawnConfig reads the command line and the settings files it points to.
func nspawnConfig(args []string) (*config.Config, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	argv, err := config.ParseArgv(args, config.Caller{Dir: dir, LookupEnv: os.LookupEnv})
	if err != nil || argv.Action != config.ActionRun {
		return argv, err
	}
	return argv, nil
}

func supervise(c *config.Config, log string) error {
	s := &container.Supervisor{
		Config: c, Runtime: rundir.Default(), LogFile: log,
		Stdio: [3]*os.File{os.Stdin, os.Stdout, os.Stderr},
		Warn:  func(text string) { fmt.Fprintln(os.Stderr, "firn: warning:", text) },
	}
	code, err := s.Run(context.Background())
	if err != nil {
		return &exitError{code: max(code, 1), err: fmt.Errorf("cannot run container: %w", err)}
	}
	if code != 0 {
		return &exitError{code: code}
	}
	return nil
}
