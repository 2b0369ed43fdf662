package unitfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// nullDevice is where a link leads that masks a file.
const nullDevice = "/dev/null"

// Load reads the main file of a name, from the first of the directories that
// has it, and appends its drop-ins: the *.conf files of NAME.d in any of the
// directories, in the order of their own names; of two drop-ins with one name
// the one in the earlier directory counts (systemd.unit(5)).
//
// Directories are paths in fsys, highest precedence first. Links are followed
// as fsys follows them: an absolute link needs an fsys that resolves it within
// its own root. The result's Name and the File of each assignment are absolute
// paths ("/" and the path in fsys).
//
// No main file is fs.ErrNotExist; an empty one or a link to /dev/null is
// ErrMasked. Template instances and the drop-in directories of a unit's type and
// prefix are the caller's: it passes their names to FindDropins.
func Load(fsys fs.FS, dirs []string, name string) (*File, error) {
	main, err := Find(fsys, dirs, name)
	if err != nil {
		return nil, err
	}
	dropins, err := FindDropins(fsys, dirs, name)
	if err != nil {
		return nil, err
	}
	file, err := Read(fsys, main)
	if err != nil {
		return nil, err
	}
	for _, p := range dropins {
		dropin, err := Read(fsys, p)
		if err != nil {
			return nil, err
		}
		file.Append(dropin)
	}
	return file, nil
}

// Read parses one file of fsys.
func Read(fsys fs.FS, name string) (*File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open /%s: %w", name, bare(err))
	}
	defer f.Close()
	return Parse(f, "/"+name)
}

// Find returns the path of a name in the first directory that has it.
func Find(fsys fs.FS, dirs []string, name string) (string, error) {
	for _, dir := range dirs {
		p := path.Join(dir, name)
		masked, err := isMask(fsys, p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return "", err
		case masked:
			return "", fmt.Errorf("/%s: %w", p, ErrMasked)
		}
		return p, nil
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// FindDropins returns the paths of the drop-ins of one or several names, in the
// order in which they apply. A masked drop-in hides those of the same name in
// later directories and is not in the list.
func FindDropins(fsys fs.FS, dirs []string, names ...string) ([]string, error) {
	chosen := map[string]string{} // base name to path, "" where masked
	for _, dir := range dirs {
		for _, name := range names {
			if err := gather(fsys, path.Join(dir, name+".d"), chosen); err != nil {
				return nil, err
			}
		}
	}
	var paths []string
	for _, p := range chosen {
		if p != "" {
			paths = append(paths, p)
		}
	}
	slices.SortFunc(paths, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	return paths, nil
}

// gather adds a drop-in directory's files to those that were chosen before.
func gather(fsys fs.FS, dir string, chosen map[string]string) error {
	entries, err := fs.ReadDir(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read directory /%s: %w", dir, bare(err))
	}
	for _, e := range entries {
		base := e.Name()
		if _, taken := chosen[base]; taken || !strings.HasSuffix(base, ".conf") || base[0] == '.' {
			continue
		}
		p := path.Join(dir, base)
		masked, err := isMask(fsys, p)
		switch {
		case errors.Is(err, fs.ErrNotExist): // removed meanwhile, or a dangling link
			continue
		case err != nil:
			return err
		case masked:
			chosen[base] = ""
		default:
			chosen[base] = p
		}
	}
	return nil
}

// isMask tells whether a file is there only to hide others: a link to
// /dev/null, the device itself, or an empty file.
func isMask(fsys fs.FS, name string) (bool, error) {
	if target, err := fs.ReadLink(fsys, name); err == nil && target == nullDevice {
		return true, nil
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return false, fmt.Errorf("stat /%s: %w", name, bare(err))
	}
	switch {
	case info.Mode()&fs.ModeCharDevice != 0:
		return true, nil
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("/%s: not a regular file", name)
	}
	return info.Size() == 0, nil
}

// bare drops the operation and path that a PathError repeats.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
