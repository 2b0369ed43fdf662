package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A hierarchy is one cgroup file system of the machine.
type hierarchy struct {
	mountPoint string
	options    string // of the superblock: controllers, name=
	v2         bool
}

// hierarchies lists the cgroup mounts of this process in mountinfo's order.
func hierarchies() ([]hierarchy, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var all []hierarchy
	for line := range strings.Lines(string(text)) {
		mount, super, ok := strings.Cut(line, " - ")
		fields, types := strings.Fields(mount), strings.Fields(super)
		if !ok || len(fields) < 5 || len(types) < 3 {
			continue
		}
		if types[0] == "cgroup" || types[0] == "cgroup2" {
			all = append(all, hierarchy{fields[4], controllers(types[2]), types[0] == "cgroup2"})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no cgroup hierarchy is mounted")
	}
	return all, nil
}

// controllers cuts the options of a superblock to those that choose a v1
// hierarchy in mount(2).
func controllers(options string) string {
	kept := slices.DeleteFunc(strings.Split(options, ","), func(option string) bool {
		return slices.Contains([]string{"rw", "ro", "xattr", "clone_children", "noprefix", "nsdelegate", "memory_recursiveprot"}, option) ||
			strings.HasPrefix(option, "release_agent=")
	})
	return strings.Join(kept, ",")
}

// A tree is the private host's part of each hierarchy.
type tree struct {
	name  string
	parts []string // directories
}

func treeName(pid int) string { return "firn-host-" + strconv.Itoa(pid) }

// makeTree makes one cgroup at the top of each hierarchy.
func makeTree() (*tree, error) {
	all, err := hierarchies()
	if err != nil {
		return nil, err
	}
	made := &tree{name: treeName(os.Getpid())}
	for _, h := range all {
		dir := filepath.Join(h.mountPoint, made.name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, errors.Join(err, made.remove())
		}
		made.parts = append(made.parts, dir)
		if err := inheritCpuset(dir); err != nil {
			return nil, errors.Join(err, made.remove())
		}
	}
	return made, nil
}

// inheritCpuset fills a new cgroup of the v1 cpuset hierarchy, which takes no
// process before its CPUs and memory nodes are set.
func inheritCpuset(dir string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || strings.TrimSpace(string(value)) != "" {
			continue // another hierarchy, or inherited already
		}
		if value, err = os.ReadFile(filepath.Join(filepath.Dir(dir), file)); err != nil {
			continue // v2: the root has no such file, and an empty one inherits
		}
		if err := os.WriteFile(filepath.Join(dir, file), value, 0); err != nil {
			return err
		}
	}
	return nil
}

// startIn starts cmd; for a Whole host in the tree, so that its cgroup namespace
// has its root there. The namespace's root is the cgroup of the parent at
// clone(2): this process goes there and back.
func startIn(cmd *exec.Cmd, kind Kind) (err error) {
	if kind != Whole {
		return cmd.Start()
	}
	all, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		own, err := ownCgroup(h)
		if err != nil {
			return err
		}
		if err := join(filepath.Join(h.mountPoint, treeName(os.Getpid()))); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, join(own)) }()
	}
	return cmd.Start()
}

func join(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0)
}

// ownCgroup returns the directory of this process's cgroup in a hierarchy.
func ownCgroup(h hierarchy) (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && (h.v2 && parts[0] == "0" || !h.v2 && parts[1] == h.options) {
			return filepath.Join(h.mountPoint, parts[2]), nil
		}
	}
	return "", fmt.Errorf("find own cgroup: none for %s", h.mountPoint)
}

// mountTree mounts, at target on the private host, the cgroup tree as the
// machine has it, seen from this process's cgroup namespace, and moves this
// process from the namespace's root into a cgroup "tests".
func mountTree(target string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	if unified := len(all) == 1 && all[0].v2; !unified {
		if err := mount("tmpfs", target, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=755"); err != nil {
			return err
		}
		if err := copyLinks("/sys/fs/cgroup", target); err != nil {
			return err
		}
	}
	for _, h := range all {
		relative, err := filepath.Rel("/sys/fs/cgroup", h.mountPoint)
		if err != nil || strings.HasPrefix(relative, "..") {
			return fmt.Errorf("cgroup hierarchy outside /sys/fs/cgroup: %s", h.mountPoint)
		}
		at, fstype, options := filepath.Join(target, relative), "cgroup", h.options
		if h.v2 {
			fstype, options = "cgroup2", ""
		}
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		if err := mount(fstype, at, fstype, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
			return err
		}
		leaf := filepath.Join(at, "tests")
		if err := errors.Join(os.Mkdir(leaf, 0o755), inheritCpuset(leaf), join(leaf)); err != nil {
			return err
		}
		if h.v2 {
			if err := enableAll(at); err != nil {
				return err
			}
		}
	}
	return nil
}

// showInit makes PID 1 appear, on the private host, at the root of every
// hierarchy. It stands outside of the cgroup namespace, and programs that take
// its cgroup for the top, as systemd's do, would find "/..".
func showInit() error {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	const file = layers + "/init-cgroup"
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(":/tests\n"), []byte(":/\n")), 0o444); err != nil {
		return err
	}
	return mount(file, "/proc/1/cgroup", "", unix.MS_BIND, "")
}

// copyLinks copies symbolic links such as cpu -> cpu,cpuacct.
func copyLinks(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type() != os.ModeSymlink {
			continue
		}
		link, err := os.Readlink(filepath.Join(from, entry.Name()))
		if err != nil {
			return err
		}
		if err := os.Symlink(link, filepath.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// enableAll gives the children of a v2 cgroup every controller it has itself.
func enableAll(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(text)) {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0); err != nil {
			return fmt.Errorf("enable cgroup controller %s: %w", controller, err)
		}
	}
	return nil
}

// remove kills what is left in the tree and removes it.
func (t *tree) remove() error {
	var problem error
	for _, part := range t.parts {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			err := removeCgroup(part)
			if err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			if time.Now().After(deadline) {
				problem = errors.Join(problem, err)
				break
			}
		}
	}
	return problem
}

// removeCgroup kills the processes of one cgroup and those below it, and removes
// them, deepest first.
func removeCgroup(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			if err := removeCgroup(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	pids, err := processesOf(dir)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL) // gone already: as well
		}
	}
	return os.Remove(dir)
}

// processesOf lists the processes of one cgroup, not of those below it.
func processesOf(dir string) ([]int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
