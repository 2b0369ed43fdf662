// Package service decides what boot mode runs once the system is up: a command that was given, else a shell on the
// console, else nothing. Its input are the command line, /etc/passwd and the console; its output a reap.Spec. The
// last boot step.
package service

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Kind is what there is to run.
type Kind int

// Kinds.
const (
	None Kind = iota
	Command
	Shell
)

// Console is where a shell talks to people.
const Console = "/dev/console"

// shells are tried after root's own; the first that is there is taken.
var shells = []string{"/run/current-system/sw/bin/bash", "/bin/bash", "/bin/sh", "/run/current-system/sw/bin/sh"}

// RootShell gives the shell of root by the text of /etc/passwd (passwd(5)), empty if it names none.
func RootShell(passwd string) string {
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) == 7 && f[2] == "0" {
			return f[6]
		}
	}
	return ""
}

// FindShell gives the shell to run below root ("" for the system's own), empty if there is none.
func FindShell(root string) string {
	candidates := shells
	if passwd, err := os.ReadFile(filepath.Join(root, "/etc/passwd")); err == nil {
		if own := RootShell(string(passwd)); filepath.IsAbs(own) {
			candidates = append([]string{own}, shells...)
		}
	}
	for _, shell := range candidates {
		if info, err := os.Stat(filepath.Join(root, shell)); err == nil && info.Mode()&fs.ModeType == 0 && info.Mode()&0o111 != 0 {
			return shell
		}
	}
	return ""
}

// A shell that ends is started again, as a getty would: at once after a real session, slower when it ends quickly, so
// that a console that hangs up or a broken shell costs nothing.
const (
	session  = 5 * time.Second
	maxDelay = 30 * time.Second
)

// NextDelay gives how long to wait before the next shell, from how long the last one ran and the wait before it.
func NextDelay(ran, last time.Duration) time.Duration {
	if ran >= session {
		return 0
	}
	return min(max(2*last, 500*time.Millisecond), maxDelay)
}
