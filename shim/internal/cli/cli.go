// Package cli is firn's command line: the native verbs and systemd-nspawn's.
//
// Role: the outermost layer. Input: arguments and the environment; output: an
// exit code and text for people, or JSON for programs. It decides nothing
// about containers: it asks config, container and lifecycle.
package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"firn/cgroups"
	"firn/shim/internal/config"
	"firn/shim/internal/container"
	"firn/shim/internal/rundir"
)

// Version is set by the linker.
var Version = "0.1.0-dev"

// Exit codes beside 0, 1 and a payload's own.
const (
	exitUsage      = 2 // the command line is wrong
	exitNotRunning = 3 // as systemctl status: the container does not run
	exitTimeout    = 4 // stop: the container did not end in time
)

// exitError carries an exit code through cobra.
type exitError struct {
	code int
	err  error // nil: nothing more to say
}

func (e *exitError) Error() string { return fmt.Sprint(e.err) }

func (e *exitError) Unwrap() error { return e.err }

// Run executes one command line, without the program's name, and returns the
// exit code and an error to print, or nil.
func Run(args []string) (int, error) {
	setUpLog()
	root := Root()
	root.SetArgs(args)
	err := root.Execute()
	var exit *exitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.code, exit.err
	case errors.Is(err, container.ErrNotRunning):
		return exitNotRunning, err
	}
	return 1, err
}

// host is what every verb works on.
type host struct {
	runtime rundir.Root
	cgroups *cgroups.Host
}

// openHost looks at the host and removes what killed supervisors have left.
func openHost() (*host, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("must be root")
	}
	found, err := cgroups.Discover()
	if err != nil {
		return nil, err
	}
	h := &host{runtime: rundir.Default(), cgroups: found}
	if err := container.Sweep(h.runtime, h.cgroups); err != nil {
		warn(err.Error())
	}
	return h, nil
}

// Root is the tree of commands, for Run and for the manual pages.
func Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "firn",
		Short: "lightweight system containers",
		Long: `firn runs NixOS systems, and any other Linux root file system, as lightweight
system containers, on hosts with or without systemd.

Exit status: 0 done, 1 error, 2 usage, 3 not running, 4 did not stop in time;
run, nspawn and exec return the payload's own.`,
		Args:              knownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Version:           Version,
		DisableAutoGenTag: true,
		SilenceErrors:     true,
		SilenceUsage:      true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddGroup(
		&cobra.Group{ID: "life", Title: "Starting and stopping:"},
		&cobra.Group{ID: "look", Title: "Looking:"},
		&cobra.Group{ID: "work", Title: "Working inside:"},
	)
	root.AddCommand(
		newNspawn(), newRun(), newStart(), newStop(), newRestart(), newKill(),
		newList(), newStatus(), newLogs(), newExec(), newLogin(),
	)
	return root
}

// knownCommand answers a verb that there is none of.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += fmt.Sprintf(" (did you mean %s?)", near[0])
	}
	return &exitError{exitUsage, errors.New(text + "; see firn --help")}
}

// usage makes cobra's complaint about arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &exitError{exitUsage, fmt.Errorf("%w; see firn %s --help", err, cmd.Name())}
		}
		return nil
	}
}

// runningNames completes the name of a running container.
func runningNames(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, _ := rundir.Default().Names()
	return names, cobra.ShellCompDirectiveNoFileComp
}

// configuredNames completes the name of a container that could be started: one
// that has settings, or a root where roots are looked for.
func configuredNames(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, pattern := range []string{
		"/etc/systemd/nspawn/*.nspawn", "/run/systemd/nspawn/*.nspawn", "/var/lib/containers/*", "/var/lib/machines/*",
	} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			name := strings.TrimSuffix(filepath.Base(path), ".nspawn")
			if config.CheckMachineName(name) == nil && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
