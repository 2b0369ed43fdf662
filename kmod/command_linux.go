package kmod

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// runShell runs an install or remove command line of modprobe.d with the shell.
// The command sees the module's name in MODPROBE_MODULE.
func runShell(_ context.Context, module, command string) error {
	process, err := os.StartProcess("/bin/sh", []string{"sh", "-c", command}, &os.ProcAttr{
		Env:   append(os.Environ(), "MODPROBE_MODULE="+module),
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return fmt.Errorf("run %q: %w", command, err)
	}
	state, err := process.Wait()
	if err != nil {
		return fmt.Errorf("run %q: %w", command, err)
	}
	if !state.Success() {
		return fmt.Errorf("run %q: %s", command, state)
	}
	return nil
}

// CommandLine puts a module's options in the place of $CMDLINE_OPTS in an
// install or remove command, see modprobe.d(5).
func CommandLine(command, options string) string {
	return strings.ReplaceAll(command, "$CMDLINE_OPTS", options)
}

func isExist(err error) bool { return errors.Is(err, unix.EEXIST) }
