package config

import (
	"errors"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is the kernel's PATH_MAX less the final NUL.
const maxPath = 4095

// hostPath makes a path of the host absolute and clean. A ".." takes back the
// part before it, be that a link or not, as it does for a shell's cd.
func (b *build) hostPath(p string) (string, error) {
	if p == "" {
		return "", errEmpty
	}
	if !filepath.IsAbs(p) {
		if !filepath.IsAbs(b.caller.Dir) {
			return "", errors.New("relative path without a working directory")
		}
		p = filepath.Join(b.caller.Dir, p)
	}
	return containerPath(p)
}

// containerPath checks and cleans a path that has to be absolute. A ".." is
// refused in paths of the container by the callers that mount there: there it
// would have to be resolved against links that do not exist yet.
func containerPath(p string) (string, error) {
	switch {
	case p == "":
		return "", errEmpty
	case !filepath.IsAbs(p):
		return "", errNotAbsolute
	case len(p) > maxPath:
		return "", errors.New("path longer than 4095 bytes")
	case !isText(p):
		return "", errControl
	}
	return filepath.Clean(p), nil
}

// mountTarget is a containerPath that something can be mounted on.
func mountTarget(p string) (string, error) {
	for part := range strings.SplitSeq(p, "/") {
		if part == ".." {
			return "", errors.New(`target holds ".."`)
		}
	}
	clean, err := containerPath(p)
	if err == nil && clean == "/" {
		err = errors.New("target is the container's root, use --volatile= or --read-only for that")
	}
	return clean, err
}

// isText tells whether a text may stand in paths, variables and log lines.
func isText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}
