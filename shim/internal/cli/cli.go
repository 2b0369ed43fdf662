// Package cli is firn's command line: the native verbs and systemd-nspawn's.
//
// Role: the outermost layer. Input: arguments and the environment; output: an
// exit code and text for people, or JSON for programs. It decides nothing
// about containers: it asks config, container and lifecycle.
package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// Version is set by the linker.
var Version = "0.1.0-dev"

// exitError carries an exit code that is not 1 through cobra.
type exitError struct {
	code int
	err  error // nil: nothing more to say
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Run executes one command line, without the program's name, and returns the
// exit code and an error to print.
func Run(args []string) (int, error) {
	root := newRoot()
	root.SetArgs(args)
	err := root.Execute()
	var exit *exitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return exit.code, exit.err
	}
	return 1, err
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "firn",
		Short:         "lightweight system containers",
		Version:       Version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newNspawn())
	return root
}
