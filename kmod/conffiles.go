package kmod

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"
)

// A ConfFile is one configuration file that counts.
type ConfFile struct {
	Name string // base name, by which the files are ordered and masked
	Path string
}

// ModprobeDirs are the directories of modprobe.d(5), highest precedence first.
var ModprobeDirs = []string{"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d"}

// DepmodDirs are the directories of depmod.d(5), highest precedence first.
var DepmodDirs = []string{"/etc/depmod.d", "/run/depmod.d", "/usr/local/lib/depmod.d", "/usr/lib/depmod.d", "/lib/depmod.d"}

// ListConfFiles returns the *.conf files of the given directories (or files,
// taken whatever their name) below root, in the order of their base names. Of
// two with one name the first directory's counts, so that a link to /dev/null
// there masks the other. Directories that do not exist are skipped.
func ListConfFiles(root string, paths []string) ([]ConfFile, error) {
	var files []ConfFile
	seen := map[string]bool{}
	add := func(name, path string) {
		if !seen[name] {
			seen[name] = true
			files = append(files, ConfFile{name, path})
		}
	}
	for _, path := range paths {
		names, err := listIn(root, path)
		if errors.Is(err, syscall.ENOTDIR) {
			add(path[strings.LastIndexByte(path, '/')+1:], path)
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if strings.HasSuffix(name, ".conf") && name[0] != '.' {
				add(name, path+"/"+name)
			}
		}
	}
	slices.SortFunc(files, func(a, b ConfFile) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}
