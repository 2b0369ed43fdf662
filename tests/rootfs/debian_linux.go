// Package rootfs makes the root file systems that tests, demo and bench run as
// containers: a Debian with systemd, made once by debootstrap and kept in
// $FIRN_CACHE, and a Nix store shaped as NixOS's out of firn-init and busybox.
// Input: this machine's apt setup and programs; output: directories.
package rootfs

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"firn/tests/require"

	"golang.org/x/sys/unix"
)

// debianPackages are installed besides those that every Debian has.
const debianPackages = "systemd-sysv,dbus,iproute2,procps"

// Cache returns the directory for what takes long to make: $FIRN_CACHE, by
// default .cache/firn in the home directory.
func Cache() (string, error) {
	if dir := os.Getenv("FIRN_CACHE"); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".cache/firn"), err
}

// debianDir is where the Debian root stands once it is made; another list of
// packages is another root.
func debianDir() (string, error) {
	cache, err := Cache()
	sum := fnv.New32a()
	_, _ = io.WriteString(sum, debianPackages) // a hash takes all
	return filepath.Join(cache, "roots", fmt.Sprintf("debian-%08x", sum.Sum32())), err
}

// PrepareDebian makes the Debian root in the cache if it is not there. It needs
// debootstrap and the network. Progress goes to log.
func PrepareDebian(ctx context.Context, log io.Writer) error {
	dir, err := debianDir()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	mirror, codename, err := mirror(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(log, "making a Debian %s root in %s, once\n", codename, dir)
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include="+debianPackages, codename, partial, mirror)
	if output, err := cmd.CombinedOutput(); err != nil {
		_ = os.RemoveAll(partial) // the next run starts anew in any case
		return fmt.Errorf("debootstrap: %w\n%s", err, output)
	}
	if err := unbrand(partial); err != nil {
		return err
	}
	return os.Rename(partial, dir)
}

// unbrand removes what debootstrap copied from this machine, and what makes two
// roots the same machine.
func unbrand(root string) error {
	var problem error
	for _, name := range []string{"etc/hostname", "etc/resolv.conf", "etc/machine-id", "var/lib/dbus/machine-id"} {
		if err := os.Remove(filepath.Join(root, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			problem = errors.Join(problem, err)
		}
	}
	// An empty machine-id is filled at boot; a missing one would make it a first
	// boot, with questions (machine-id(5)).
	problem = errors.Join(problem, os.WriteFile(filepath.Join(root, "etc/machine-id"), nil, 0o444))
	packages, err := filepath.Glob(filepath.Join(root, "var/cache/apt/archives/*.deb"))
	for _, name := range packages {
		err = errors.Join(err, os.Remove(name))
	}
	return errors.Join(problem, err)
}

// mirror asks apt for the Debian archive that this machine uses, and for the
// release to make.
func mirror(ctx context.Context) (uri, codename string, err error) {
	output, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(REPO_URI) $(CODENAME) $(LABEL) $(COMPONENT)", "Created-By: Packages").Output()
	if err != nil {
		return "", "", fmt.Errorf("ask apt for its archives: %w", err)
	}
	return chooseMirror(string(output))
}

// chooseMirror takes the first archive of a Debian release proper: no updates,
// no security, no other vendor.
func chooseMirror(targets string) (uri, codename string, err error) {
	for line := range strings.Lines(targets) {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[2] == "Debian" && fields[3] == "main" && !strings.Contains(fields[1], "-") {
			return fields[0], fields[1], nil
		}
	}
	return "", "", errors.New("find a Debian archive: apt has none (has apt-get update run?)")
}

// lock takes an exclusive lock on a file, so that two test runs do not make the
// same root.
func lock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), file.Close())
	}
	return func() { _ = file.Close() }, nil // closing unlocks
}

// debian returns the Debian root of the cache, which a test must not write to.
func debian(tb testing.TB) string {
	tb.Helper()
	dir, err := debianDir()
	if err != nil {
		tb.Fatal(err)
	}
	require.File(tb, dir, "made by debootstrap")
	return dir
}

// Debian returns a Debian root for one test: a layer over the one of the cache.
// What the test writes is gone afterwards. It needs a private host.
func Debian(tb testing.TB) string {
	tb.Helper()
	debian(tb)
	root, unmount, err := DebianLayer(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := unmount(); err != nil {
			tb.Error(err)
		}
	})
	return root
}

// DebianLayer makes in dir a Debian root that is a layer over the one of the
// cache, and returns it with a function that drops what was written to it.
func DebianLayer(dir string) (root string, unmount func() error, err error) {
	lower, err := debianDir()
	if err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	// The layer is on a tmpfs: the directory for temporary files may itself be an
	// overlay, which cannot be an upper layer.
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		return "", nil, fmt.Errorf("mount tmpfs on %s: %w", dir, err)
	}
	root, upper, work := filepath.Join(dir, "root"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, name := range []string{root, upper, work} {
		if err := os.Mkdir(name, 0o755); err != nil {
			return "", nil, errors.Join(err, detach(dir))
		}
	}
	options := "lowerdir=" + lower + ",upperdir=" + upper + ",workdir=" + work
	if err := unix.Mount("overlay", root, "overlay", 0, options); err != nil {
		return "", nil, errors.Join(fmt.Errorf("mount overlay on %s: %w", root, err), detach(dir))
	}
	return root, func() error { return errors.Join(detach(root), detach(dir)) }, nil
}

// detach unmounts dir, for which a process that is just ending may hold a
// directory open. One that stays in use is detached all the same, so that it does
// not trouble others, and reported.
func detach(dir string) error {
	err := unix.Unmount(dir, 0)
	for deadline := time.Now().Add(time.Second); err == unix.EBUSY && time.Now().Before(deadline); err = unix.Unmount(dir, 0) {
		time.Sleep(10 * time.Millisecond)
	}
	if err == nil {
		return nil
	}
	return errors.Join(fmt.Errorf("unmount %s: %w", dir, err), unix.Unmount(dir, unix.MNT_DETACH))
}

// DebianCopy returns a Debian root for one test as plain files, for what a layer
// does not serve.
func DebianCopy(tb testing.TB) string {
	tb.Helper()
	root := filepath.Join(tb.TempDir(), "root")
	if output, err := exec.Command("cp", "-a", "--reflink=auto", debian(tb), root).CombinedOutput(); err != nil {
		tb.Fatalf("copy Debian root: %v: %s", err, output)
	}
	return root
}
