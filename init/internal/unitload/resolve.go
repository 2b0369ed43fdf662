package unitload

import (
	"errors"
	"io/fs"
	"path"
	"strings"
)

const maxLinks = 40 // as many as the kernel follows

// resolveLinks gives the path that p stands for, each link on the way followed within the root; p is absolute. What
// does not exist stands for itself.
func resolveLinks(fsys fs.FS, p string) (string, error) {
	done := "/"
	rest := strings.Split(p, "/")
	for links := 0; len(rest) > 0; {
		element := rest[0]
		rest = rest[1:]
		switch element {
		case "", ".":
			continue
		case "..":
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, element)
		target, err := fs.ReadLink(fsys, next[1:])
		if err != nil {
			done = next // no link, or not there
			continue
		}
		if links++; links > maxLinks {
			return "", ErrLoop
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// isMask tells whether the file at an absolute path is a mask: it leads to /dev/null, or is empty. A root that is only a
// tree need not have a /dev/null.
func isMask(fsys fs.FS, p string) (bool, error) {
	info, err := fs.Stat(fsys, p[1:])
	if err == nil && info.Mode()&fs.ModeCharDevice == 0 {
		return info.Mode().IsRegular() && info.Size() == 0, nil
	}
	resolved, loop := resolveLinks(fsys, p)
	switch {
	case loop != nil:
		return false, loop
	case resolved == "/dev/null":
		return true, nil
	}
	return false, bare(err)
}

// bare drops the operation and path that a PathError repeats.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
