// Package require says what a test needs from the machine. Input: the needs of
// a test; output: a skip that gives its reason or, where the environment
// variable FIRN_REQUIRE forbids it, a failure. All rungs of tests stand on it.
//
// FIRN_REQUIRE is a list of capabilities, separated by commas, that the machine
// is known to have: "all", or some of root, cgroup, kernel, program, file.
package require

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Variable is the environment variable that turns skips into failures.
const Variable = "FIRN_REQUIRE"

// Capabilities that a test may need.
const (
	CapRoot    = "root"    // the superuser, with the right to mount
	CapCgroup  = "cgroup"  // a cgroup tree that can be written
	CapKernel  = "kernel"  // a feature of the kernel
	CapProgram = "program" // a program in $PATH
	CapFile    = "file"    // a file that an earlier step provides
)

// Missing ends the test: as a skip, or as a failure if FIRN_REQUIRE names the
// capability. The reason completes the sentence "this test needs ...".
func Missing(tb testing.TB, capability, reason string) {
	tb.Helper()
	if insisted(os.Getenv(Variable), capability) {
		tb.Fatalf("%s=%s, but this test needs %s", Variable, os.Getenv(Variable), reason)
	}
	tb.Skipf("this test needs %s", reason)
}

// insisted reports whether the list in FIRN_REQUIRE covers the capability.
func insisted(list, capability string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "all" || item == capability {
			return true
		}
	}
	return false
}

// Root needs the superuser.
func Root(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		Missing(tb, CapRoot, "root")
	}
}

// Program needs a program in $PATH or in the directories of the superuser, and
// returns where it is.
func Program(tb testing.TB, name string) string {
	tb.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(dir + "/" + name); err == nil {
			return path
		}
	}
	Missing(tb, CapProgram, "the program "+name)
	return ""
}

// File needs a file; hint says how it is made, such as "make build".
func File(tb testing.TB, path, hint string) {
	tb.Helper()
	if _, err := os.Stat(path); err != nil {
		Missing(tb, CapFile, fmt.Sprintf("%s (%s)", path, hint))
	}
}

// FileSystem needs a type of file system in the running kernel.
func FileSystem(tb testing.TB, name string) {
	tb.Helper()
	text, err := os.ReadFile("/proc/filesystems")
	if err != nil {
		Missing(tb, CapKernel, "a readable /proc/filesystems")
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[len(fields)-1] == name {
			return
		}
	}
	Missing(tb, CapKernel, "the file system "+name)
}
