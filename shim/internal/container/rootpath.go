package container

import (
	"fmt"
	"os"
	"path/filepath"
)

// Directories in which a container's root is looked for by its name: firn's
// own and NixOS's, then systemd-nspawn's (systemd-nspawn(1), -M).
const (
	containersDir = "/var/lib/containers"
	machinesDir   = "/var/lib/machines"
)

// rootPath is the root directory that was asked for, absolute: -D, or Root= of
// the settings, or the first of the known directories that has the name.
func (s *Supervisor) rootPath() (string, error) {
	if dir := s.Config.Root.Directory; dir.Set {
		return dir.V, nil
	}
	if root := s.Config.Firn.Root; root.Set {
		return root.V, nil
	}
	candidates := []string{filepath.Join(containersDir, s.name), filepath.Join(machinesDir, s.name)}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	if s.Config.Root.Template.Set {
		return candidates[1], nil // to be made
	}
	return "", fmt.Errorf("no root directory for container %q: neither %s nor %s exists", s.name, candidates[0], candidates[1])
}
