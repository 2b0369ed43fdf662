package main

import (
	"path/filepath"
	"strings"
	"testing"

	"firn/init/internal/signals"
	"firn/tests/require"
	"firn/tests/rootfs"

	"golang.org/x/sys/unix"
)

// TestDebianUnits boots a Debian with its packages' own, unmodified units: its targets are reached, what a container
// cannot have is skipped, the bus runs, and all of it halts.
func TestDebianUnits(t *testing.T) {
	require.Root(t)
	require.FileSystem(t, "overlay")
	root := rootfs.Debian(t)
	copyFile(t, filepath.Join(programs(t), "firn-init"), filepath.Join(root, "firn-init"))
	c := start(t, root, config{stage: stage{Path: "/firn-init"}}, "firn-init", "--boot", "--log-level", "debug")
	c.says("firn-init: ready")
	for _, want := range []string{
		"job over unit=sysinit.target job=start result=done", "job over unit=basic.target job=start result=done",
		"job over unit=multi-user.target job=start result=done", "job over unit=graphical.target job=start result=done",
		"state unit=dbus.service from=dead to=", "state unit=systemd-tmpfiles-setup.service from=start to=exited",
		"job over unit=systemd-firstboot.service job=start result=skipped",
		"generators done",
	} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("%q was not said", want)
		}
	}
	c.before("unit=sysinit.target job=start", "unit=basic.target job=start")
	c.before("unit=basic.target job=start", "unit=multi-user.target job=start")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
	c.before("unit=multi-user.target job=stop", "unit=sysinit.target job=stop")
	c.before("unit=sysinit.target job=stop", "unit=shutdown.target job=start result=done")
	for _, not := range []string{"panic", "ordering cycle", "time is up"} {
		if strings.Contains(c.out.String(), not) {
			t.Errorf("%q was said", not)
		}
	}
}
