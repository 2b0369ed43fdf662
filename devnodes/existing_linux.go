package devnodes

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Existing lists the device nodes below devDir that a udev rule speaks of, with
// the rule's mode and group: those that the kernel itself has made in a devtmpfs
// for a driver that is built in, 0600 and root's (fuse on Debian's 6.12). Given
// to Apply, they become what udev would make of them.
func Existing(devDir string) ([]Node, error) {
	var nodes []Node
	for _, r := range rules {
		files, err := filepath.Glob(filepath.Join(devDir, r.pattern))
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", r.pattern, err)
		}
		for _, file := range files {
			f, fd, err := place{dir: unix.AT_FDCWD, name: file}.look()
			if err != nil {
				continue // gone since, or not for us to see
			}
			unix.Close(fd)
			name, err := filepath.Rel(devDir, file)
			if err != nil || !f.Type.IsDevice() {
				continue
			}
			nodes = append(nodes, Node{Name: name, Type: f.Type, Major: f.Major, Minor: f.Minor})
		}
	}
	plan, err := Plan(nodes) // a node that two rules match stands once
	return Defaults(plan), err
}
