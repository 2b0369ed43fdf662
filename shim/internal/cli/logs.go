package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"firn/shim/internal/config"
	"firn/shim/internal/console"
)

func newLogs() *cobra.Command {
	var lines int
	var follow bool
	cmd := &cobra.Command{
		Use:     "logs NAME",
		GroupID: "look",
		Short:   "show a container's console output",
		Long: `Shows what the console of a container printed that firn start has started, now or
the last time. Under systemd the journal has it: journalctl -u UNIT.`,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: runningNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := config.CheckMachineName(args[0]); err != nil {
				return &exitError{exitUsage, fmt.Errorf("cannot show log: %w", err)}
			}
			path := filepath.Join(logDir, args[0]+".log")
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("cannot show log: no console log is kept for %q", args[0])
			}
			if follow {
				return console.TailFollow(cmd.Context(), path, lines, os.Stdout)
			}
			text, err := console.Tail(path, lines)
			if err != nil {
				return fmt.Errorf("cannot show log: %w", err)
			}
			_, err = os.Stdout.Write(text)
			return err
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", -1, "show the last N lines only; all without")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes")
	return cmd
}
