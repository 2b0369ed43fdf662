package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"firn/shim/internal/container"
)

func newExec() *cobra.Command {
	var c container.Command
	var noTTY, forceTTY bool
	cmd := &cobra.Command{
		Use:     "exec [OPTIONS] NAME COMMAND [ARGS...]",
		GroupID: "work",
		Short:   "run a command in a running container",
		Long: `Runs a command in a running container, on a terminal of its own if firn has one.
Exit status: the command's own; 128+N if signal N ended it.`,
		Args:              usage(cobra.MinimumNArgs(2)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Args = args[1:]
			if c.Args[0] == "--" && len(c.Args) > 1 {
				c.Args = c.Args[1:] // before the command too, as people type it
			}
			c.TTY = forceTTY || !noTTY && onTerminal()
			return execIn(cmd, args[0], func(*container.Handle) (container.Command, error) { return c, nil })
		},
	}
	cmd.Flags().SetInterspersed(false)
	cmd.Flags().StringVarP(&c.User, "user", "u", "", "user of the container to run as")
	cmd.Flags().StringVar(&c.Dir, "chdir", "", "working directory in the container")
	cmd.Flags().StringArrayVarP(&c.Env, "setenv", "E", nil, "NAME=VALUE for the command's environment")
	cmd.Flags().BoolVarP(&forceTTY, "tty", "t", false, "give the command a terminal")
	cmd.Flags().BoolVarP(&noTTY, "pipe", "P", false, "pass firn's own descriptors")
	return cmd
}

func newLogin() *cobra.Command {
	return &cobra.Command{
		Use:               "login NAME",
		GroupID:           "work",
		Short:             "open a login prompt in a running container",
		Long:              "Opens a login prompt in a running container. Press ^] three times within a second to leave.",
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return execIn(cmd, args[0], func(h *container.Handle) (container.Command, error) {
				login, err := h.LoginCommand()
				return container.Command{Args: login, TTY: true}, err
			})
		},
	}
}

// execIn runs a command in the named container and leaves with its code.
func execIn(cmd *cobra.Command, name string, command func(*container.Handle) (container.Command, error)) error {
	h, err := openHost()
	if err != nil {
		return fmt.Errorf("cannot execute: %w", err)
	}
	running, err := container.Find(cmd.Context(), h.runtime, h.cgroups, name)
	if err != nil {
		return fmt.Errorf("cannot execute: %w", err)
	}
	defer running.Close()
	c, err := command(running)
	if err != nil {
		return fmt.Errorf("cannot execute: %w", err)
	}
	c.Stdio = [3]*os.File{os.Stdin, os.Stdout, os.Stderr}
	code, err := running.Exec(cmd.Context(), c)
	if err != nil {
		return &exitError{max(code, 1), fmt.Errorf("cannot execute in %q: %w", name, err)}
	}
	if code != 0 {
		return &exitError{code, nil}
	}
	return nil
}

func onTerminal() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd()))
}
