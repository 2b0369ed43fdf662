//go:build root

package root_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// probeVariable makes this test binary a program to run inside a container: its
// value names what to try. Shells have no word for these.
const probeVariable = "FIRN_PROBE"

// runProbe tries one thing and returns an exit code: 0 if it worked, 1 if it was
// refused, 126 if there is no such thing to try.
func runProbe(mode string) int {
	try, ok := map[string]func() error{
		"open-by-handle":  openRootByHandle,
		"release-agent":   setReleaseAgent,
		"mount-setattr":   clearReadOnly,
		"mount-cgroup-up": climbCgroups,
	}[mode]
	if !ok {
		fmt.Println("no such probe:", mode)
		return 126
	}
	if err := try(); err != nil {
		fmt.Println("refused:", err)
		return 1
	}
	return 0
}

// openRootByHandle opens the root directory of the file system behind each mount
// from a handle made up by hand: inode 2 on ext4, 128 on xfs, 256 on btrfs.
// Whoever has CAP_DAC_READ_SEARCH leaves a bound part of a file system that way.
func openRootByHandle() error {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	last := fmt.Errorf("no mount to try")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[3] == "/" {
			continue // the mount shows the whole file system anyway
		}
		fd, err := unix.Open(fields[4], unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			continue
		}
		mount := os.NewFile(uintptr(fd), fields[4])
		for inode, kind := range map[uint64]int32{2: 1, 128: 1, 256: 0x4d} { // FILEID_INO32_GEN, FILEID_BTRFS_WITHOUT_PARENT
			var opened int
			opened, last = unix.OpenByHandleAt(fd, unix.NewFileHandle(kind, binary.LittleEndian.AppendUint64(nil, inode)), unix.O_RDONLY)
			if last != nil {
				continue
			}
			dir := os.NewFile(uintptr(opened), "handle")
			if names, err := dir.Readdirnames(-1); err == nil && !sameDirectory(dir, mount) {
				fmt.Println("through", fields[4], "opened a directory with", names)
				return nil
			}
		}
	}
	return last
}

func sameDirectory(a, b *os.File) bool {
	one, errA := a.Stat()
	other, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(one, other)
}

// setReleaseAgent gives a v1 hierarchy, which is the host's, a release agent: a
// program that the kernel runs outside of every container.
func setReleaseAgent() error {
	const at = "/tmp/agent"
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	last := fmt.Errorf("no cgroup v1 hierarchy to mount")
	for _, hierarchy := range []string{"none,name=systemd", "memory", "pids", "cpu"} {
		if unix.Mount("cgroup", at, "cgroup", 0, hierarchy) != nil {
			continue
		}
		// To open it for writing is enough to show it, and changes nothing.
		var agent *os.File
		if agent, last = os.OpenFile(at+"/release_agent", os.O_WRONLY, 0); last == nil {
			last = agent.Close()
		} else {
			last = unix.Mount("", at, "", unix.MS_REMOUNT, hierarchy+",release_agent=/firn-agent")
		}
		_ = unix.Unmount(at, unix.MNT_DETACH)
		if last == nil {
			return nil
		}
	}
	return last
}

// clearReadOnly makes /nix writable with the newer of the two system calls.
func clearReadOnly() error {
	attr := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/nix", unix.AT_RECURSIVE, &attr); err != nil {
		return err
	}
	return os.WriteFile("/nix/store/firn-probe", nil, 0o644)
}

// climbCgroups mounts cgroup file systems anew and looks whether they show more
// than the container's own cgroup, such as the one that the tests run in.
func climbCgroups() error {
	const at = "/tmp/climb"
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	for _, try := range [][2]string{{"cgroup2", ""}, {"cgroup", "none,name=systemd"}, {"cgroup", "pids"}, {"cgroup", "memory"}} {
		if unix.Mount("c", at, try[0], 0, try[1]) != nil {
			continue
		}
		var seen []string
		for _, name := range []string{"tests", "machine"} {
			if _, err := os.Stat(filepath.Join(at, name)); err == nil {
				seen = append(seen, name)
			}
		}
		_ = unix.Unmount(at, unix.MNT_DETACH)
		if len(seen) > 0 {
			fmt.Println("seen above the own cgroup:", seen)
			return nil
		}
	}
	return fmt.Errorf("nothing above the own cgroup")
}

// installProbe puts this test binary into a container's root as /probe.
func installProbe(tb testing.TB, root string) {
	tb.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = self.Close() }()
	target, err := os.OpenFile(filepath.Join(root, "probe"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(target, self); err != nil {
		tb.Fatal(err)
	}
	if err := target.Close(); err != nil {
		tb.Fatal(err)
	}
}

// probeCommand runs a probe outside of any container, to see that it can work.
func probeCommand(mode string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVariable+"="+mode)
	return cmd
}
