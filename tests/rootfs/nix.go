package rootfs

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Nix is a Nix store with the parts of a small NixOS-shaped system, and the
// profiles beside it:
//
//	/nix/store/HASH-busybox/bin/{busybox,sh,ls,...}
//	/nix/store/HASH-etc/etc/{os-release,passwd,...}
//	/nix/store/HASH-system-path/bin/NAME -> /nix/store/HASH-busybox/bin/NAME
//	/nix/store/HASH-nixos-system-NAME/init        a copy of firn-init
//	                                 /activate    a shell script
//	                                 /etc         -> /nix/store/HASH-etc/etc
//	                                 /sw          -> /nix/store/HASH-system-path
//	                                 /nixos-version, system
//	/nix/var/nix/profiles/per-container/NAME/system          -> system-2-link
//	                                        /system-1-link   -> /nix/store/HASH-nixos-system-...
//
// As in a real store nothing can be written to, times are 1 and names hold a
// hash over what they were made from.
type Nix struct {
	dir     string // what is, or will be, /nix
	init    []byte // firn-init
	busybox string // store paths
	path    string
}

// MakeNix makes a store in dir, an empty directory that is to be seen at /nix,
// from the programs firn-init and busybox, both static.
func MakeNix(dir, firnInit, busybox string) (*Nix, error) {
	n := &Nix{dir: dir}
	var err error
	if n.init, err = os.ReadFile(firnInit); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "store"), 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "var/nix/profiles/per-container"), 0o755); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	applets, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list busybox's applets: %w", err)
	}
	names := strings.Fields(string(applets))
	own := tree{"bin/busybox": {data: program, mode: 0o555}}
	for _, name := range names {
		if name != "busybox" {
			own["bin/"+name] = node{link: "busybox"}
		}
	}
	if n.busybox, err = n.add("busybox", own); err != nil {
		return nil, err
	}
	path := tree{}
	for name := range own {
		path[name] = node{link: n.busybox + "/" + name}
	}
	n.path, err = n.add("system-path", path)
	return n, err
}

// System adds a system of the given name, as a rebuild would, and returns its
// store path. Two names are two systems that share all but the etc.
func (n *Nix) System(name string) (string, error) { return n.SystemWith(name, activateScript) }

// SystemWith is System with an activation script of the caller's. In the script
// @sh@, @path@, @etc@ and @system@ stand for store paths; a system's own path
// is found as nixos does it: the script's directory.
func (n *Nix) SystemWith(name, activate string) (string, error) {
	etc, err := n.add("etc-"+name, etcTree(name))
	if err != nil {
		return "", err
	}
	script := strings.NewReplacer("@sh@", n.busybox+"/bin/sh", "@path@", n.path, "@etc@", etc+"/etc").Replace(activate)
	return n.add("nixos-system-"+name, tree{
		"init":          {data: n.init, mode: 0o555},
		"activate":      {data: []byte(script), mode: 0o555},
		"etc":           {link: etc + "/etc"},
		"sw":            {link: n.path},
		"nixos-version": {data: []byte("firn-" + name)},
		"system":        {data: []byte("x86_64-linux")},
	})
}

// Profile makes the profile of a container, one generation for each system, the
// last one being current, and returns its path as seen at /nix. A profile that
// is there gets further generations.
func (n *Nix) Profile(container string, systems ...string) (string, error) {
	dir := filepath.Join("var/nix/profiles/per-container", container)
	if err := os.MkdirAll(filepath.Join(n.dir, dir), 0o755); err != nil {
		return "", err
	}
	old, err := filepath.Glob(filepath.Join(n.dir, dir, "system-*-link"))
	if err != nil {
		return "", err
	}
	profile := filepath.Join(n.dir, dir, "system")
	for i, system := range systems {
		generation := fmt.Sprintf("system-%d-link", len(old)+i+1)
		if err := os.Symlink(system, filepath.Join(n.dir, dir, generation)); err != nil {
			return "", err
		}
		// As nix-env does: a new link renamed over the old one.
		if err := os.Symlink(generation, profile+".tmp"); err != nil {
			return "", err
		}
		if err := os.Rename(profile+".tmp", profile); err != nil {
			return "", err
		}
	}
	return filepath.Join("/nix", dir, "system"), nil
}

// A node is a regular file or, with link, a symbolic link.
type node struct {
	data []byte
	mode fs.FileMode
	link string
}

// A tree is the content of one store path, by relative file names.
type tree map[string]node

// add puts a tree into the store and returns its path as seen at /nix. What is
// in the store already stays as it is.
func (n *Nix) add(name string, content tree) (string, error) {
	path := filepath.Join("/nix/store", content.hash(name)+"-"+name)
	at := filepath.Join(n.dir, strings.TrimPrefix(path, "/nix"))
	if _, err := os.Lstat(at); err == nil {
		return path, nil
	}
	for file, entry := range content {
		target := filepath.Join(at, file)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return "", err
		}
		if entry.link != "" {
			if err := os.Symlink(entry.link, target); err != nil {
				return "", err
			}
			continue
		}
		if entry.mode == 0 {
			entry.mode = 0o444
		}
		if err := os.WriteFile(target, entry.data, entry.mode); err != nil {
			return "", err
		}
	}
	return path, freeze(at)
}

// freeze makes all of a store path read-only and its times 1.
func freeze(at string) error {
	long := time.Unix(1, 0)
	return filepath.WalkDir(at, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() == fs.ModeSymlink {
			return err
		}
		if entry.IsDir() {
			err = os.Chmod(name, 0o555)
		}
		return errors.Join(err, os.Chtimes(name, long, long))
	})
}

// hash is the part of a store path that depends on its content: 160 bits in
// Nix's base 32.
func (content tree) hash(name string) string {
	const digits = "0123456789abcdfghijklmnpqrsvwxyz"
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s\n", name) // a hash takes all
	for _, file := range sortedNames(content) {
		entry := content[file]
		_, _ = fmt.Fprintf(sum, "%q %o %q %x\n", file, entry.mode, entry.link, sha256.Sum256(entry.data))
	}
	var text strings.Builder
	for bits, have, left := 0, 0, sum.Sum(nil)[:20]; text.Len() < 32; {
		if have < 5 {
			bits, have, left = bits<<8|int(left[0]), have+8, left[1:]
		}
		have -= 5
		text.WriteByte(digits[bits>>have&31])
		bits &= 1<<have - 1
	}
	return text.String()
}
