//go:build root

package root_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// probeVariable makes this test binary a program to run inside a container: its
// value names what to try. Shells have no word for these.
const probeVariable = "FIRN_PROBE"

// runProbe tries one thing and returns an exit code: 0 if it worked, 1 if it was
// refused, 2 if it could not even be tried.
func runProbe(mode string) int {
	try, ok := map[string]func() error{
		"open-by-handle":  openRootByHandle,
		"release-agent":   setReleaseAgent,
		"mount-setattr":   clearReadOnly,
		"mount-cgroup-up": climbCgroups,
	}[mode]
	if !ok {
		fmt.Println("no such probe:", mode)
		return 2
	}
	if err := try(); err != nil {
		fmt.Println("refused:", err)
		return 1
	}
	return 0
}

// openRootByHandle opens inode 2, the root directory of an ext file system, or
// 128 and 256, those of xfs and btrfs, from a handle made up by hand: whoever has
// CAP_DAC_READ_SEARCH leaves a bind-mounted part of a file system that way.
func openRootByHandle() error {
	mount, err := os.Open("/")
	if err != nil {
		return err
	}
	defer func() { _ = mount.Close() }()
	var last error
	for _, inode := range []uint64{2, 128, 256} {
		bytes := binary.LittleEndian.AppendUint64(nil, inode)
		for _, kind := range []int32{1, 0x4d, 0x81} { // FILEID_INO32_GEN, btrfs, xfs
			fd, err := unix.OpenByHandleAt(int(mount.Fd()), unix.NewFileHandle(kind, bytes), unix.O_RDONLY)
			if err != nil {
				last = err
				continue
			}
			dir := os.NewFile(uintptr(fd), "handle")
			names, _ := dir.Readdirnames(-1)
			if !sameDirectory(dir, mount) {
				fmt.Println("opened a directory with", names)
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

// setReleaseAgent gives the v1 name=systemd hierarchy, which is the host's, a
// release agent: a program that the kernel runs outside of every container.
func setReleaseAgent() error {
	if err := os.MkdirAll("/tmp/agent", 0o755); err != nil {
		return err
	}
	var last error
	for _, options := range []string{"none,name=systemd", "memory", "pids", "cpu"} {
		for _, flags := range []uintptr{0, unix.MS_REMOUNT} {
			last = unix.Mount("cgroup", "/tmp/agent", "cgroup", flags, options+",release_agent=/firn-agent")
			if last == nil && flags != 0 {
				return nil
			}
			if last != nil {
				last = unix.Mount("cgroup", "/tmp/agent", "cgroup", 0, options)
			}
		}
		last = unix.Mount("cgroup", "/tmp/agent", "cgroup", unix.MS_REMOUNT, options+",release_agent=/firn-agent")
		_ = unix.Unmount("/tmp/agent", unix.MNT_DETACH)
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

// climbCgroups mounts cgroup file systems anew and looks whether anything above
// the container's own cgroup can be reached: their roots must be the
// container's, which knows no cgroup "tests" and no "machine".
func climbCgroups() error {
	if err := os.MkdirAll("/tmp/climb", 0o755); err != nil {
		return err
	}
	refused := fmt.Errorf("nothing above the own cgroup")
	for _, try := range [][2]string{{"cgroup2", ""}, {"cgroup", "none,name=systemd"}, {"cgroup", "pids"}, {"cgroup", "memory"}} {
		if unix.Mount("c", "/tmp/climb", try[0], 0, try[1]) != nil {
			continue
		}
		for _, name := range []string{"tests", "machine", "../tests", "../../tests"} {
			if _, err := os.Stat(filepath.Join("/tmp/climb", name)); err == nil && name[0] != '.' {
				refused = nil
			}
		}
		_ = unix.Unmount("/tmp/climb", unix.MNT_DETACH)
	}
	return refused
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
