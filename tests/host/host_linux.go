// Package host gives tests and the demo a host of their own, on the machine they
// run on: the same programs and processes, but mounts, and for tests also the
// cgroup tree, the network, /run, /etc, /var and the directory for temporary
// files, that nobody else uses. Input: a program that can run again as its own
// child; output: that child on a private host, where /nix can be filled, and in
// the end nothing left of it. A leak (see Watch) is then exact: whatever appears
// there was made by what the test started.
//
// The private root is a tmpfs on which each directory of / is bound, so that
// /nix can stand there although the machine's / is not written to.
package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"firn/tests/require"

	"golang.org/x/sys/unix"
)

// Nix is where the store of the private host stands: an empty directory on the
// disk that holds temporary files.
const Nix = "/nix"

// layers holds, on the private host, what was written to /etc and /var.
const layers = "/.layers"

// scratchVariable tells the child where its parts stand; it also tells the two
// runs of the program apart.
const scratchVariable = "FIRN_TEST_HOST"

// A Kind says how much of the machine is private.
type Kind string

const (
	// Mounts: only mounts are private. cgroups, network and /run are the machine's.
	Mounts Kind = "mounts"
	// Whole: as Mounts, and the cgroup tree, network, /run, /etc and /var are private.
	Whole Kind = "whole"
)

// Inside reports whether this process runs on a private host.
func Inside() bool { return os.Getenv(scratchVariable) != "" }

// absent says why this process has no private host although Main asked for one.
var absent error

// Main runs the tests of a package on a private host, and exits. prepare runs
// before, on the machine itself, where the network is. Where no private host can
// be made the tests run as they are, for Watch to skip them or let them fail.
func Main(m *testing.M, prepare func() error) {
	if Inside() {
		absent = Enter(Whole)
		os.Exit(m.Run())
	}
	if absent = errNoRoot; os.Geteuid() == 0 {
		absent = prepare()
	}
	if absent == nil {
		var code int
		if code, absent = Again(Whole); absent == nil {
			os.Exit(code)
		}
	}
	os.Exit(m.Run())
}

var errNoRoot = errors.New("not root")

// need skips or fails a test that was not given a private host.
func need(tb testing.TB) {
	tb.Helper()
	if absent != nil {
		require.Missing(tb, require.CapRoot, fmt.Sprintf("a private host (%v)", absent))
	}
}

// Again runs this program once more, with the same arguments, where Enter makes
// a private host, and returns its exit code. It removes what the host was made of.
func Again(kind Kind) (code int, err error) {
	// This process stays until all is cleared away, whatever signal comes.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(signals)
	scratch, err := os.MkdirTemp("", "firn-host-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	for _, dir := range []string{"root", "nix", "tmp"} {
		if err := os.Mkdir(filepath.Join(scratch, dir), 0o755); err != nil {
			return 0, err
		}
	}

	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), scratchVariable+"="+scratch)
	// The child dies with its parent, so that an interrupted run ends whole.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if kind == Whole {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWCGROUP | unix.CLONE_NEWNET
		tree, treeErr := makeTree()
		if treeErr != nil {
			return 0, treeErr
		}
		defer func() { err = errors.Join(err, tree.remove()) }()
	}

	if err := startIn(cmd, kind); err != nil {
		return 0, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s) // gone already: Wait tells
		}
	}()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// Enter makes the private host in a process that Again started.
func Enter(kind Kind) error {
	scratch := os.Getenv(scratchVariable)
	cwd, err := os.Getwd()
	if err != nil {
		return err
	}
	root := filepath.Join(scratch, "root")
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := mount("tmpfs", root, "tmpfs", 0, "mode=755"); err != nil {
		return err
	}
	// Unbindable, or the bind of the directory that it stands in would hold it too.
	if err := unix.Mount("", root, "", unix.MS_UNBINDABLE, ""); err != nil {
		return fmt.Errorf("make %s unbindable: %w", root, err)
	}
	own := []string{"nix"}
	if kind == Whole {
		own = append(own, "run", "sys")
	}
	if err := bindTop(root, own); err != nil {
		return err
	}
	if err := mount(filepath.Join(scratch, "nix"), filepath.Join(root, "nix"), "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if kind == Whole {
		if err := furnish(root, scratch); err != nil {
			return err
		}
	}
	if err := pivot(root, cwd); err != nil || kind != Whole {
		return err
	}
	if err := errors.Join(layer("etc", "var"), showInit()); err != nil {
		return err
	}
	// Where overlays are made that are themselves to be written to.
	return mount("tmpfs", "/var/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// bindTop gives root each entry of / but those of which it has its own.
func bindTop(root string, own []string) error {
	entries, err := os.ReadDir("/")
	if err != nil {
		return err
	}
	for _, name := range own {
		if err := os.Mkdir(filepath.Join(root, name), 0o755); err != nil {
			return err
		}
	}
	for _, entry := range entries {
		source, target := "/"+entry.Name(), filepath.Join(root, entry.Name())
		switch {
		case slices.Contains(own, entry.Name()):
		case entry.Type() == os.ModeSymlink:
			link, err := os.Readlink(source)
			if err != nil {
				return err
			}
			if err := os.Symlink(link, target); err != nil {
				return err
			}
		case entry.IsDir():
			if err := os.Mkdir(target, 0o755); err != nil {
				return err
			}
			if err := mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// furnish gives root what a Whole host has of its own.
func furnish(root, scratch string) error {
	for _, m := range []struct{ target, fstype string }{{"run", "tmpfs"}, {"sys", "sysfs"}} {
		if err := mount(m.fstype, filepath.Join(root, m.target), m.fstype, unix.MS_NOSUID|unix.MS_NODEV, ""); err != nil {
			return err
		}
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	if err := mountTree(filepath.Join(root, "sys/fs/cgroup")); err != nil {
		return err
	}
	return os.Setenv("TMPDIR", filepath.Join(scratch, "tmp"))
}

// layer lays a layer over directories of /, so that writing to them stays here.
// It comes after pivot: overlayfs takes no layer from an unbindable mount.
func layer(names ...string) error {
	for _, name := range names {
		upper, work, lower := filepath.Join(layers, name), filepath.Join(layers, name+".work"), filepath.Join(layers, name+".lower")
		if err := errors.Join(os.MkdirAll(upper, 0o755), os.Mkdir(work, 0o755), os.Mkdir(lower, 0o755)); err != nil {
			return err
		}
		if err := mount("/"+name, lower, "", unix.MS_BIND, ""); err != nil {
			return err
		}
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
		if err := mount("overlay", "/"+name, "overlay", 0, options); err != nil {
			return err
		}
	}
	return nil
}

// pivot makes root this process's root directory and drops the old one.
func pivot(root, cwd string) error {
	old := filepath.Join(root, ".old")
	if err := os.Mkdir(old, 0o700); err != nil {
		return err
	}
	if err := unix.PivotRoot(root, old); err != nil {
		return fmt.Errorf("pivot root to %s: %w", root, err)
	}
	if err := os.Chdir(cwd); err != nil {
		return err
	}
	if err := unix.Unmount("/.old", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the old root: %w", err)
	}
	// Ordinary again: containers bind parts of it.
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make / bindable: %w", err)
	}
	return os.Remove("/.old")
}

// loopbackUp brings up the loopback link of a new network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	return nil
}

// mount is mount(2) with an error that says what was mounted.
func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		what := strings.TrimSpace(fstype + " " + source)
		return fmt.Errorf("mount %s on %s (%s): %w", what, target, data, err)
	}
	return nil
}
