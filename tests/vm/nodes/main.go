// Command nodes makes the static nodes of the running kernel's module tree, as
// firn-init does at boot. Input: /lib/modules, /etc/group; output: nodes in /dev.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"firn/devnodes"
)

func main() {
	if err := makeNodes("/dev"); err != nil {
		fmt.Fprintln(os.Stderr, "nodes:", err)
		os.Exit(1)
	}
}

func makeNodes(dev string) error {
	files, err := filepath.Glob("/lib/modules/*/modules.devname")
	if err != nil {
		return err
	}
	static, err := devnodes.Static(files...)
	if err != nil {
		return err
	}
	existing, err := devnodes.Existing(dev)
	if err != nil {
		return err
	}
	plan, err := devnodes.Plan(static, existing)
	if err != nil {
		return err
	}
	groups, err := devnodes.LoadGroups("/etc/group")
	if err != nil {
		return err
	}
	return devnodes.Apply(dev, plan, devnodes.Options{Groups: groups})
}
