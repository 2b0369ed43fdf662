package container

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/rundir"
)

// places answers where mount sources stand on the host (spec.Places), and
// keeps account of the temporary directories that it makes for them.
type places struct {
	name    string
	view    *rootfs.View // the root alone, for +PATH
	mounted *rootfs.View // with the user's binds, for what --inaccessible= covers
	dir     rundir.Dir
	record  *rundir.Record
	claim   *rundir.Claim
	made    *[]string // of this container's earlier boots, in the order of their making
	next    int       // of them to be used
}

// Source finds a bind's or overlay's source. What it names must exist: a
// mount that comes up empty would hide the mistake.
func (p *places) Source(s config.Source) (string, error) {
	switch s.Base {
	case config.FromTemp:
		return p.temporary("overlay")
	case config.FromRoot:
		return p.view.Resolve(s.Path)
	}
	if _, err := os.Stat(s.Path); err != nil {
		return "", fmt.Errorf("source %s does not exist on the host", s.Path)
	}
	return s.Path, nil
}

// WorkDir makes the work directory of an overlay: empty, on the file system
// of the upper directory, which is only certain beside it.
func (p *places) WorkDir(upper string) (string, error) {
	return p.once(func() (string, error) {
		dir, err := os.MkdirTemp(filepath.Dir(upper), ".#firn-"+p.name+"-work")
		if err != nil {
			return "", fmt.Errorf("make work directory: %w", err)
		}
		return dir, p.note(dir)
	})
}

// inaccessibleNodes are made in /run/host/inaccessible, as systemd does.
var inaccessibleNodes = map[fs.FileMode]string{
	0: "reg", fs.ModeDir: "dir", fs.ModeNamedPipe: "fifo", fs.ModeSocket: "sock",
	fs.ModeDevice | fs.ModeCharDevice: "chr", fs.ModeDevice: "blk",
}

// Inaccessible picks the node that matches the target's type.
func (p *places) Inaccessible(target string) (string, error) {
	host, err := p.mounted.Resolve(target)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(host)
	if err != nil {
		return "", err
	}
	node, ok := inaccessibleNodes[info.Mode().Type()]
	if !ok {
		return "", fmt.Errorf("%s is of a kind that cannot be covered", target)
	}
	return filepath.Join(p.dir.Host(), "inaccessible", node), nil
}

// temporary makes a directory that is removed when the container ends. It is
// on disk: what a container writes must not fill the host's memory. Everybody
// inside may enter it, nobody on the host but root.
func (p *places) temporary(what string) (string, error) {
	return p.once(func() (string, error) {
		private, err := os.MkdirTemp("/var/tmp", "firn-"+p.name+"-"+what+"-")
		if err != nil {
			return "", fmt.Errorf("make temporary directory: %w", err)
		}
		if err := p.note(private); err != nil {
			return "", err
		}
		dir := filepath.Join(private, "src")
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "", fmt.Errorf("make temporary directory: %w", err)
		}
		return dir, nil
	})
}

// once makes a directory on the first boot and gives it again on the following
// ones, which ask for the same in the same order: what is written to it lasts
// as long as the container, reboots included.
func (p *places) once(make func() (string, error)) (string, error) {
	if p.next < len(*p.made) {
		p.next++
		return (*p.made)[p.next-1], nil
	}
	dir, err := make()
	if err == nil {
		*p.made = append(*p.made, dir)
		p.next++
	}
	return dir, err
}

// note writes the directory into the record before it is used, so that it is
// found if the supervisor is killed.
func (p *places) note(dir string) error {
	p.record.Temporary = append(p.record.Temporary, dir)
	return p.claim.Write(p.record)
}
