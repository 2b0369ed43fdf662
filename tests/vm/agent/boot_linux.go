package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// What the harness packs beside the agent.
const (
	loadList = "/vm/load" // modules to load, one path a line, dependencies first
	rootDisk = "/vm/root" // holds the device of the root to boot into; may be absent
	rootInit = "/vm/init" // what to start there, an argument a line
	diskTree = "/vm/disk" // laid over the disk's root; may be absent
	unitFile = "/vm/firn-vm.service"
)

// mounts is what a PID 1 finds missing.
var mounts = []struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}{
	{"proc", "/proc", "proc", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"sysfs", "/sys", "sysfs", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
	{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=755"},
	{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "gid=5,mode=620,ptmxmode=666"},
	{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=755"},
	{"tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, ""},
}

// boot is the first process's way: mounts, modules, then either the root of a
// disk with its own init, or serving.
func boot() error {
	for _, m := range mounts {
		if err := mount(m.source, m.target, m.fstype, m.flags, m.data); err != nil {
			return err
		}
	}
	if err := loadModules(); err != nil {
		return err
	}
	device, err := os.ReadFile(rootDisk)
	if err == nil {
		return switchRoot(strings.TrimSpace(string(device)))
	}
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return serve()
}

func mount(source, target, fstype string, flags uintptr, data string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, fstype, flags, data); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}

// loadModules loads what the harness lists. No module loader is used: that is
// what the tests are about.
func loadModules() error {
	f, err := os.Open(loadList)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if err := insert(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func insert(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if filepath.Ext(path) != ".ko" {
		flags = unix.MODULE_INIT_COMPRESSED_FILE // Linux 5.17, where it is built in
	}
	if err := unix.FinitModule(int(f.Fd()), "", flags); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load %s: %w", path, err)
	}
	return nil
}

// switchRoot lays a tmpfs over the disk, so that the disk is never written, and
// starts the init found there, with the agent as one of its services.
func switchRoot(device string) error {
	const lower, layer, root = "/lower", "/layer", "/newroot"
	if err := mount(device, lower, "ext4", unix.MS_RDONLY, ""); err != nil {
		return err
	}
	if err := mount("tmpfs", layer, "tmpfs", 0, "mode=755,size=80%"); err != nil {
		return err
	}
	for _, dir := range []string{layer + "/upper", layer + "/work"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	data := "lowerdir=" + lower + ",upperdir=" + layer + "/upper,workdir=" + layer + "/work"
	if err := mount("overlay", root, "overlay", 0, data); err != nil {
		return err
	}
	if err := carryOver(root); err != nil {
		return err
	}
	for _, target := range []string{"/dev", "/proc", "/sys", "/run"} {
		if err := unix.Mount(target, root+target, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", target, err)
		}
	}
	// The initramfs itself cannot be unmounted: the new root is moved over it.
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(root, "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	text, err := os.ReadFile(rootInit)
	if err != nil {
		return err
	}
	argv := strings.Split(string(text), "\n")
	if err := unix.Exec(argv[0], argv, os.Environ()); err != nil {
		return fmt.Errorf("start %s: %w", argv[0], err)
	}
	return nil
}

// carryOver makes the test's files, the modules and the agent's unit visible on
// the new root: /vm and /lib/modules of the initramfs under the same names, and
// the unit in the directory for run-time units.
func carryOver(root string) error {
	for _, dir := range []string{"/vm", "/lib/modules"} {
		if err := mount(dir, root+dir, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	if _, err := os.Stat(diskTree); err == nil {
		if err := os.CopyFS(root, os.DirFS(diskTree)); err != nil {
			return err
		}
	}
	unit, err := os.ReadFile(unitFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil // the machine's init is not systemd, for which this directory is a sign
	}
	if err != nil {
		return err
	}
	const units = "/run/systemd/system"
	if err := os.MkdirAll(units+"/multi-user.target.wants", 0o755); err != nil {
		return err
	}
	name := filepath.Base(unitFile)
	if err := os.WriteFile(filepath.Join(units, name), unit, 0o644); err != nil {
		return err
	}
	return os.Symlink("../"+name, filepath.Join(units, "multi-user.target.wants", name))
}
