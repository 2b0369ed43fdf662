package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"firn/tests/require"
	"firn/tests/rootfs"
)

// diskSize is that of the image, which is sparse; the guest writes to an overlay.
const diskSize = "2G"

var makingDisk sync.Mutex

// DebianDisk returns the image of a Debian with systemd, made once of the root
// that the container tests use, for Machine.Disk.
func DebianDisk(tb testing.TB) string {
	tb.Helper()
	require.Root(tb) // debootstrap, and files that others may not read
	mkfs := require.Program(tb, "mkfs.ext4")
	makingDisk.Lock()
	defer makingDisk.Unlock()
	if err := rootfs.PrepareDebian(context.Background(), os.Stderr); err != nil {
		require.Missing(tb, require.CapFile, fmt.Sprintf("a Debian root (%v)", err))
	}
	root, err := rootfs.DebianDir()
	if err != nil {
		tb.Fatal(err)
	}
	image := filepath.Join(cacheDir(tb), "vm", filepath.Base(root)+".ext4")
	if _, err := os.Stat(image); err == nil {
		return image
	}
	if err := makeDisk(mkfs, root, image); err != nil {
		tb.Fatal(err)
	}
	return image
}

func makeDisk(mkfs, root, image string) error {
	if err := os.MkdirAll(filepath.Dir(image), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(image), "disk.*")
	if err != nil {
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	// No journal: nothing is written that one would have to recover.
	out, err := exec.Command(mkfs, "-q", "-O", "^has_journal", "-d", root, part.Name(), diskSize).CombinedOutput()
	if err != nil {
		return errors.Join(fmt.Errorf("mkfs.ext4: %w: %s", err, out), os.Remove(part.Name()))
	}
	return os.Rename(part.Name(), image)
}
