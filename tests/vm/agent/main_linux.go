// Command agent is the test's hand inside a VM. Input: requests over the second
// serial port; output: what came of them (package wire). As the first process it
// prepares the machine for that; as "agent serve" it only serves.
package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "agent:", err)
		if os.Getpid() == 1 {
			// A PID 1 that ends is a kernel panic, which is what the host sees.
			unix.Sync()
		}
		os.Exit(1)
	}
}

func run(argv []string) error {
	switch {
	case len(argv) == 2 && argv[1] == "serve":
		return serve()
	case os.Getpid() == 1:
		return boot()
	}
	return fmt.Errorf("usage: agent serve (as PID 1: no arguments)")
}
