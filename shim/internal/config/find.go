package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"firn/init/unitfile"
)

// trustedDirs hold the administrator's settings files, higher precedence first
// (systemd.nspawn(5), ".nspawn File Discovery").
var trustedDirs = []string{"etc/systemd/nspawn", "run/systemd/nspawn"}

// SettingsFile is one settings file that applies to a container.
type SettingsFile struct {
	Path    string // in the file system that was searched, without leading "/"
	Trusted bool   // of /etc or /run, so that privileged settings count
}

// Settings are the files that apply, in the order in which they do.
type Settings []SettingsFile

// FindSettings looks for the settings files of a machine:
//
//  1. NAME.nspawn in /etc/systemd/nspawn, else in /run/systemd/nspawn: trusted.
//  2. Only if there is none: NAME.nspawn beside the image, that is in the
//     directory that holds the root directory, and NAME.nspawn.d/*.conf there:
//     not trusted. image is an absolute path, or empty for none.
//  3. NAME.nspawn.d/*.conf in the two directories of 1, by their own names, one
//     in /etc hiding one of the same name in /run: trusted, and applied last, so
//     that the administrator can amend what came with an image.
//
// Drop-ins are firn's addition, with the rules of systemd.unit(5); systemd-nspawn
// reads none. A main file or drop-in that is empty or a link to /dev/null hides
// those of lower precedence.
func FindSettings(root fs.FS, name, image string) (Settings, error) {
	if _, err := parseMachine(name); err != nil {
		return nil, err
	}
	file := name + ".nspawn"
	var found Settings
	main, err := unitfile.Find(root, trustedDirs, file)
	switch {
	case err == nil:
		found = Settings{{Path: main, Trusted: true}}
	case errors.Is(err, unitfile.ErrMasked):
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("find settings of %q: %w", name, err)
	case image != "":
		if found, err = beside(root, file, image); err != nil {
			return nil, fmt.Errorf("find settings of %q: %w", name, err)
		}
	}
	dropins, err := unitfile.FindDropins(root, trustedDirs, file)
	if err != nil {
		return nil, fmt.Errorf("find settings of %q: %w", name, err)
	}
	for _, p := range dropins {
		found = append(found, SettingsFile{Path: p, Trusted: true})
	}
	return found, nil
}

// beside looks in the directory that holds the image. The drop-ins count only
// with a main file: a stray NAME.nspawn.d is no image vendor's doing.
func beside(root fs.FS, file, image string) (Settings, error) {
	dir := strings.TrimPrefix(path.Dir(path.Clean(image)), "/")
	if !path.IsAbs(image) || path.Clean(image) == "/" {
		return nil, nil
	}
	if dir == "" {
		dir = "."
	}
	dirs := []string{dir}
	main, err := unitfile.Find(root, dirs, file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unitfile.ErrMasked) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found := Settings{{Path: main}}
	dropins, err := unitfile.FindDropins(root, dirs, file)
	for _, p := range dropins {
		found = append(found, SettingsFile{Path: p})
	}
	return found, err
}

// Read parses the files and applies them in order. With SettingsTrusted every
// file is trusted; with SettingsNo none is read. It returns nil where no file
// applies.
func (s Settings) Read(root fs.FS, mode SettingsMode, caller Caller) (*Config, error) {
	if len(s) == 0 || mode == SettingsNo {
		return nil, nil
	}
	b := &build{c: &Config{Action: ActionRun}, caller: caller}
	for _, file := range s {
		text, err := unitfile.Read(root, file.Path)
		if err != nil {
			return nil, err
		}
		if err := b.file(text, file.Trusted || mode == SettingsTrusted); err != nil {
			return nil, err
		}
	}
	return b.c, nil
}
