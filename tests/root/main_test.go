//go:build root

// Package root_test holds rung 3: the built programs as a user meets them, with
// real namespaces, cgroups and systems. Input: bin/firn, bin/firn-init, a Debian
// root and a NixOS-shaped store; output: one file for each promise, and each
// test ends with nothing left on its private host.
package root_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"firn/tests/host"
	"firn/tests/require"
	"firn/tests/rootfs"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(probeVariable); mode != "" {
		os.Exit(runProbe(mode))
	}
	host.Main(m, func() error { return rootfs.PrepareDebian(context.Background(), os.Stderr) })
}

// program returns the absolute path of a built program; $FIRN_BIN names another
// directory than the tree's bin/.
func program(tb testing.TB, name string) string {
	tb.Helper()
	dir := os.Getenv("FIRN_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		tb.Fatal(err)
	}
	require.File(tb, path, "make build")
	return path
}

// nix is the store at /nix that all tests share; each has its own profile in it.
var nix = struct {
	once  sync.Once
	store *rootfs.Nix
	err   error
}{}

func store(tb testing.TB) *rootfs.Nix {
	tb.Helper()
	firnInit, busybox := program(tb, "firn-init"), require.Program(tb, "busybox")
	nix.once.Do(func() { nix.store, nix.err = rootfs.MakeNix(host.Nix, firnInit, busybox) })
	if nix.err != nil {
		tb.Fatal(nix.err)
	}
	return nix.store
}

// profile makes a profile with one generation for a container.
func profile(tb testing.TB, name string) string {
	tb.Helper()
	n := store(tb)
	system, err := n.System("demo")
	if err != nil {
		tb.Fatal(err)
	}
	path, err := n.Profile(name, system)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			tb.Error(err)
		}
	})
	return path
}
