package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// View is the file system as the container will see it: its root with bind
// mounts on top. It answers, before anything is mounted, where a path inside
// stands on the host, so that a program that is missing, not executable or
// for another machine is a sentence and not a failed start.
//
// The answer holds for the moment it is given. What is mounted later is
// resolved by the kernel again, inside the root.
type View struct {
	Root  string // absolute
	Binds []Bind
}

// Bind is one bind mount: Target inside shows Source of the host.
type Bind struct{ Source, Target string }

var (
	// ErrEscapes says that a symbolic link leads above the root.
	ErrEscapes = errors.New("leads out of the root")
	// ErrDangles says that a symbolic link has no target inside the root.
	ErrDangles = errors.New("has no target inside the root")
)

// maxLinks is the kernel's own bound on symbolic links in one path (MAXSYMLINKS).
const maxLinks = 40

// Resolve follows p, absolute inside, and returns where it stands on the host.
// The last component is followed too. A missing component gives an error that
// wraps fs.ErrNotExist; after a symbolic link also ErrDangles.
func (v View) Resolve(p string) (string, error) {
	todo := components(p)
	// link is the last symbolic link met; the components that remain beyond
	// tail are those of its target.
	at, link, tail := "/", "", 0
	for links := 0; len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		if len(todo) < tail {
			link = ""
		}
		if next == ".." {
			if at == "/" && link != "" {
				return "", fmt.Errorf("%s: symbolic link %s %w", p, link, ErrEscapes)
			}
			at = path.Dir(at)
			continue
		}
		inside := path.Join(at, next)
		host := v.host(inside)
		info, err := os.Lstat(host)
		if errors.Is(err, fs.ErrNotExist) && link != "" {
			return "", fmt.Errorf("%s: symbolic link %s %w: %w", p, link, ErrDangles, fs.ErrNotExist)
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", inside, unwrapPath(err))
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = inside
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: too many symbolic links", p)
		}
		target, err := os.Readlink(host)
		if err != nil {
			return "", err
		}
		link, tail = inside+" -> "+target, len(todo)
		if path.IsAbs(target) {
			at = "/"
		}
		todo = append(components(target), todo...)
	}
	return v.host(at), nil
}

// CheckTarget tells whether a mount at p would land where p says: p may be
// missing, but no symbolic link in it may dangle or lead out of the root.
func (v View) CheckTarget(p string) error {
	_, err := v.Resolve(p)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrDangles) {
		return nil
	}
	return err
}

// host maps a path without symbolic links to the host: the last bind whose
// target holds it wins, as the topmost mount does.
func (v View) host(inside string) string {
	for i := len(v.Binds) - 1; i >= 0; i-- {
		b := v.Binds[i]
		if inside == b.Target {
			return b.Source
		}
		if rest, ok := strings.CutPrefix(inside, strings.TrimSuffix(b.Target, "/")+"/"); ok {
			return filepath.Join(b.Source, rest)
		}
	}
	return filepath.Join(v.Root, inside)
}

func components(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
}

// unwrapPath drops the host's path from an error: the path inside is named
// already and the other means nothing to the reader.
func unwrapPath(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
