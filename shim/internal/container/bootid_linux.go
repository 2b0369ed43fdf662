package container

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const bootIDPath = "/proc/sys/kernel/random/boot_id"

// newBootID gives each boot of the container an id of its own, as a machine's
// kernel does: a file over the host's (sd_id128_get_boot(3) reads it).
// libcontainer mounts nothing below /proc/sys, so this is done in the
// namespace of a PID 1 that waits to be executed, on a thread that ends with it.
func newBootID(pid int) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		done <- mountBootID(pid)
	}()
	if err := <-done; err != nil {
		return fmt.Errorf("make boot id: %w", err)
	}
	return nil
}

func mountBootID(pid int) error {
	ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", pid))
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return os.NewSyscallError("unshare", err)
	}
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNS); err != nil {
		return os.NewSyscallError("setns", err)
	}
	// From here on "/" is the container's root; /run is its own empty tmpfs.
	const file = "/run/.firn-boot-id"
	if err := os.WriteFile(file, bootID(), 0o444); err != nil {
		return err
	}
	defer os.Remove(file) // the mount keeps it
	if err := unix.Mount(file, bootIDPath, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	const flags = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", bootIDPath, "", flags, ""); err != nil {
		return fmt.Errorf("remount: %w", err)
	}
	return nil
}

// bootID is a random UUID (version 4) in the kernel's own form.
func bootID() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, says its documentation
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	h := hex.EncodeToString(id)
	return []byte(h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:] + "\n")
}
