// Command firn-bench measures firn beside runc and systemd-nspawn, in one run,
// on one root, taking turns: how long a container takes to start and to stop, and
// how much memory its supervisor holds.
//
// Input: the programs beside it, Debian's runc and systemd-container, the Debian
// root of the cache; output: a table of minima, medians and ratios to firn. The
// ratios are what counts: times differ from machine to machine and hour to hour.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"firn/tests/host"
	"firn/tests/rootfs"
)

func main() {
	runs := flag.Int("runs", 20, "how often each is measured")
	flag.Parse()
	code, err := run(*runs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "firn-bench: cannot measure:", err)
		code = 1
	}
	os.Exit(code)
}

// run prepares on the machine itself and measures on a private host, where no
// other container stands and nspawn finds a /run that it accepts.
func run(runs int) (int, error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("namespaces and mounts need root (sudo make bench)")
	}
	if runs < 1 {
		return 1, errors.New("-runs must be 1 or more")
	}
	if !host.Inside() {
		if err := rootfs.PrepareDebian(context.Background(), os.Stderr); err != nil {
			return 1, err
		}
		return host.Again(host.Whole)
	}
	if err := host.Enter(host.Whole); err != nil {
		return 1, err
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	scratch, err := os.MkdirTemp("", "firn-bench-")
	if err != nil {
		return 1, err
	}
	return 0, errors.Join(measure(filepath.Dir(self), scratch, runs), os.RemoveAll(scratch))
}

// measure makes the root and prints a table for each question.
func measure(bin, scratch string, runs int) error {
	root, unmount, err := rootfs.DebianLayer(filepath.Join(scratch, "root"))
	if err != nil {
		return err
	}
	defer func() { _ = unmount() }() // the private host ends with this process
	if err := copyProgram(filepath.Join(bin, "firn-init"), filepath.Join(root, "firn-init")); err != nil {
		return err
	}
	peers, err := newPeers(bin, scratch, root)
	if err != nil {
		return err
	}
	for _, question := range []struct {
		title   string
		payload payload
	}{
		{"start, /bin/true, gone", payload{program: []string{"/bin/true"}}},
		{"firn-init in command mode: start, stop", payload{program: []string{"/firn-init", "/bin/sleep", "1000"}, stops: true}},
		{"systemd: start to ready, stop", payload{boot: true, stops: true}},
	} {
		samples, err := ask(peers, question.payload, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", question.title, err)
		}
		printTable(os.Stdout, question.title, samples)
	}
	return nil
}

func copyProgram(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
