package unitload

import (
	"errors"
	"fmt"
	"io/fs"

	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// configPath is where system.conf and its drop-ins are (systemd-system.conf(5)).
var configPath = []string{"etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"}

// Defaults reads what the system's configuration sets for all units. Without a configuration they are systemd's own.
func Defaults(fsys fs.FS) (unit.Defaults, []unit.Warning, error) {
	const name = "system.conf"
	file := &unitfile.File{Name: name}
	main, err := unitfile.Find(fsys, configPath, name)
	switch {
	case err == nil:
		if file, err = unitfile.Read(fsys, main); err != nil {
			return unit.SystemDefaults(), nil, fmt.Errorf("read manager's configuration: %w", err)
		}
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unitfile.ErrMasked):
		return unit.SystemDefaults(), nil, fmt.Errorf("read manager's configuration: %w", err)
	}
	dropins, err := unitfile.FindDropins(fsys, configPath, name)
	if err != nil {
		return unit.SystemDefaults(), nil, fmt.Errorf("read manager's configuration: %w", err)
	}
	for _, p := range dropins {
		dropin, err := unitfile.Read(fsys, p)
		if err != nil {
			return unit.SystemDefaults(), nil, fmt.Errorf("read manager's configuration: %w", err)
		}
		file.Append(dropin)
	}
	d, warnings := unit.ReadDefaults(file)
	return d, warnings, nil
}
