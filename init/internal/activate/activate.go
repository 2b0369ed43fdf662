// Package activate brings a NixOS system path into force, as NixOS's stage 2 does. Its input is the path of a system
// (nixpkgs' config.system.build.toplevel), its output what the system's activation script makes, and two links; a boot
// step, and all of a reload.
//
//	SYSTEM/activate            run with systemConfig, HOME and PATH in its environment
//	/run/current-system        the system in force: set by the script, and here if the script has not
//	/run/booted-system         the system of this boot: set here
//
// A script that fails does not end the boot: what it did not bring up is the operator's to see in a running system.
package activate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrNoSystem: the path has neither activate nor sw.
var ErrNoSystem = errors.New("not a NixOS system: neither activate nor sw in it")

// Find gives the system that an argv[0] stands in: DIR for DIR/init, if that is a system. argv[0] may be a link to
// such an init, as /sbin/init is; every step on its way is looked at. None is "".
func Find(argv0 string) string {
	for range 40 { // the kernel's own limit for links
		if !filepath.IsAbs(argv0) {
			return ""
		}
		if dir := filepath.Dir(argv0); filepath.Base(argv0) == "init" && check(dir) == nil {
			return dir
		}
		next, err := os.Readlink(argv0)
		if err != nil {
			return ""
		}
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(argv0), next)
		}
		argv0 = next
	}
	return ""
}

func check(dir string) error {
	for _, name := range []string{"activate", "sw"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look at system: %w", err)
		}
	}
	return fmt.Errorf("look at system %s: %w", dir, ErrNoSystem)
}

// Resolve gives the store path behind the path of a system, which may be a profile: links made to it must not move
// when the profile does.
func Resolve(system string) (string, error) {
	path, err := filepath.EvalSymlinks(system)
	if err != nil {
		return "", fmt.Errorf("resolve system: %w", err)
	}
	return path, check(path)
}

// Environ is what the script gets besides what every child does.
func Environ(base []string, system string) []string {
	env := make([]string, 0, len(base)+3)
	for _, v := range base {
		if name, _, _ := strings.Cut(v, "="); name != "PATH" && name != "HOME" && name != "systemConfig" {
			env = append(env, v)
		}
	}
	return append(env, "systemConfig="+system, "HOME=/root",
		"PATH="+system+"/sw/bin:"+system+"/sw/sbin:/usr/bin:/usr/sbin:/bin:/sbin")
}

// link makes or turns a link in one step, so that nobody finds it missing.
func link(target, name string) error {
	temp := fmt.Sprintf("%s.%d", name, os.Getpid())
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if err := os.Symlink(target, temp); err != nil {
		return fmt.Errorf("link %s: %w", name, err)
	}
	if err := os.Rename(temp, name); err != nil {
		os.Remove(temp)
		return fmt.Errorf("link %s: %w", name, err)
	}
	return nil
}
