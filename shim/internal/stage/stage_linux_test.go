package stage

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"firn/tests/require"
)

// The holder of the user namespace is this test's own program.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == HolderArg {
		Hold()
	}
	os.Exit(m.Run())
}

// onThread runs work on a thread that ends with it.
func onThread(work func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- work()
	}()
	return <-done
}

// A container's mount namespace is a copy of the locked stage's: unshare makes
// one. In it a bind of a staged mount stays read-only, submounts too, and a
// writable one stays writable.
func TestLockedBindsStayReadOnly(t *testing.T) {
	require.Root(t)
	source, dir, dest := t.TempDir(), t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(source, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := onThread(func() error {
		s, err := Enter(dir)
		if err != nil {
			return err
		}
		if err := unix.Mount("t", filepath.Join(source, "sub"), "tmpfs", 0, ""); err != nil {
			return err
		}
		locked, err := s.Bind(source, true, true)
		if err != nil {
			return err
		}
		free, err := s.Bind(source, false, false)
		if err != nil {
			return err
		}
		overlay, err := s.Overlay([]string{"lowerdir=" + locked + ":" + t.TempDir(), "ro"})
		if err != nil {
			return err
		}
		if err := s.Lock(); err != nil {
			return err
		}
		if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return err
		}
		for _, tc := range []struct {
			source string
			below  string
			locked bool
		}{{locked, "", true}, {locked, "sub", true}, {free, "", false}, {overlay, "", true}} {
			if err := unix.Mount(tc.source, dest, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
				return err
			}
			at := filepath.Join(dest, tc.below)
			remount := unix.Mount("", at, "", unix.MS_BIND|unix.MS_REMOUNT, "")
			write := os.WriteFile(filepath.Join(at, "file"), nil, 0o644)
			if tc.locked != errors.Is(write, unix.EROFS) || tc.locked && tc.source == locked && !errors.Is(remount, unix.EPERM) {
				t.Errorf("%s/%s: remount %v, write %v; want locked %v", tc.source, tc.below, remount, write, tc.locked)
			}
			if err := unix.Unmount(dest, unix.MNT_DETACH); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("the stage is seen outside: %v", left)
	}
}
