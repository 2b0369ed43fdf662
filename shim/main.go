// Command firn runs NixOS systems, and any other Linux root file system, as
// lightweight system containers.
//
// Synopsis:
//
//	firn COMMAND [OPTIONS] [NAME] [ARGS]
//	firn nspawn [OPTIONS] [PATH [ARGS]]
//	systemd-nspawn [OPTIONS] [PATH [ARGS]]     when called by that name
//
// Role: the host shim. It reads the container's config, makes namespaces,
// mounts and cgroups with libcontainer, supervises, and halts.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"firn/shim/internal/cli"
	"firn/shim/internal/stage"
)

// The main goroutine keeps the main thread: a start gives a thread away
// (package container), and the process's own namespaces are those of this one.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) == 2 {
		switch os.Args[1] {
		case reexecArg:
			containerInit() // does not return
		case stage.HolderArg:
			stage.Hold()
		}
	}
	args := os.Args[1:]
	if filepath.Base(os.Args[0]) == "systemd-nspawn" {
		args = append([]string{"nspawn"}, args...)
	}
	code, err := cli.Run(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "firn: %v\n", err)
	}
	os.Exit(code)
}
