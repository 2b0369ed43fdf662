package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
	"firn/init/internal/signals"
)

const store = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-nixos-system-demo"

// newSystem makes a root with a store in which one NixOS-shaped system stands, firn-init its init.
func newSystem(t *testing.T, activate string) string {
	t.Helper()
	root := newRoot(t)
	if err := os.MkdirAll(root+store+"/sw/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(root, "bin/firn-init"), root+store+"/init")
	writeFile(t, root+store+"/activate", "#!/bin/sh\n"+activate, 0o755)
	return root
}

func TestActivation(t *testing.T) {
	t.Parallel()
	const script = `
echo "activating $systemConfig with HOME=$HOME container=$container stdin=$(readlink /proc/self/fd/0)"
echo "path $PATH"
mkdir -p /etc/modules-load.d
echo filed > /etc/hostname
echo nonesuch > /etc/modules-load.d/nixos.conf
ln -sfn "$systemConfig" /run/current-system
`
	root := newSystem(t, script)
	profile := root + "/nix/var/nix/profiles"
	if err := os.MkdirAll(profile, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"system-1-link": store, "system": "system-1-link"} {
		if err := os.Symlink(target, filepath.Join(profile, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/nix/var/nix/profiles/system/init", root+"/bin/init"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root+"/sbin", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(store+"/init", root+"/sbin/init"); err != nil {
		t.Fatal(err)
	}
	lines := map[string]struct {
		path string
		argv []string
	}{
		"store path":     {store + "/init", []string{store + "/init"}},
		"profile":        {"/nix/var/nix/profiles/system/init", []string{"/nix/var/nix/profiles/system/init"}},
		"link to it":     {"/sbin/init", []string{"/sbin/init"}},
		"link to a link": {"/bin/init", []string{"/bin/init", "quiet", "single", "--nonsense"}},
		"option":         {"/bin/firn-init", []string{"firn-init", "--boot", "--system", "/nix/var/nix/profiles/system"}},
	}
	for name, tt := range lines {
		t.Run(name, func(t *testing.T) { // one after the other: they write the same files
			argv := append(slices.Clone(tt.argv), "--", "sh", "-c", "echo links=$(readlink /run/current-system),$(readlink /run/booted-system) name=$(hostname). path=$PATH")
			c := start(t, root, config{stage: stage{Path: tt.path, Hostname: "localhost"}}, argv...)
			c.exits(0)
			for _, want := range []string{
				"activating " + store + " with HOME=/root container=test stdin=/dev/null",
				"path " + store + "/sw/bin:", "links=" + store + "," + store + " name=filed. path=",
				":/run/current-system/sw/bin:", "module=nonesuch origin=/etc/modules-load.d/nixos.conf:1",
			} {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("%q is missing", want)
				}
			}
			for _, word := range tt.argv[1:] {
				if name == "link to a link" && !strings.Contains(c.out.String(), "word="+word+"\n") {
					t.Errorf("the word %q was passed over in silence", word)
				}
			}
		})
	}
}

// TestActivationFails: it is reported, and the system comes up all the same.
func TestActivationFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ script, says string }{
		"exits":          {"echo half done; exit 4\n", "script exited with code 4"},
		"killed":         {"kill -9 $$\n", "script killed by SIGKILL"},
		"no interpreter": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newSystem(t, tt.script)
			if tt.script == "" {
				writeFile(t, root+store+"/activate", "#!/nix/store/none/bin/bash\n", 0o755)
				tt.says = "no such file or directory"
			}
			c := start(t, root, config{stage: stage{Path: store + "/init"}}, store+"/init", "--", "readlink", "/run/current-system")
			c.exits(0)
			for _, want := range []string{"warning: activate " + store, tt.says, "firn-init: ready", "\n" + store + "\n"} {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("%q is missing", want)
				}
			}
		})
	}
}

// TestHaltInActivation: a script that takes its time does not keep the system from halting.
func TestHaltInActivation(t *testing.T) {
	t.Parallel()
	root := newSystem(t, "echo script up\nsleep 1000\n")
	c := start(t, root, config{stage: stage{Path: store + "/init"}}, store+"/init")
	c.says("script up")
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
	if strings.Contains(c.out.String(), "firn-init: ready") {
		t.Error("said to be ready")
	}
}

func TestNoSystem(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, bootLine("--system", "/nonesuch", "--", "true")...)
	c.exits(1)
	c.says("error: cannot boot: activation: resolve system: lstat /nonesuch: no such file or directory")
}

// TestNotify: what a manager at $NOTIFY_SOCKET is told, in order.
func TestNotify(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: root + "/run/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	env := []string{"NOTIFY_SOCKET=/run/notify", "container_uuid=6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c"}
	// /run is a mount point already, so that the socket is not covered.
	mounts := []stageMount{{Source: root + "/run", Target: "run", Flags: unix.MS_BIND}}
	c := start(t, root, config{env: env, stage: stage{Mounts: mounts, Hostname: "demo"}},
		bootLine("--", "sh", "-c", "echo socket=$NOTIFY_SOCKET.; echo service up; while :; do sleep 1; done")...)
	c.says("service up")
	c.says("firn-init: ready")
	c.signal(signals.RTMin + 5)
	c.endsBy(unix.SIGHUP)
	var got []string
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		b := make([]byte, 4096)
		n, err := conn.Read(b)
		if err != nil {
			break
		}
		got = append(got, string(b[:n]))
	}
	want := []string{
		"X_SYSTEMD_SIGNALS_LEVEL=2", "X_SYSTEMD_HOSTNAME=demo", "X_SYSTEMD_MACHINE_ID=6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c",
		"X_SYSTEMD_UNIT_ACTIVE=sysinit.target", "X_SYSTEMD_UNIT_ACTIVE=basic.target", "READY=1\nSTATUS=Ready.",
		"X_SYSTEMD_UNIT_ACTIVE=multi-user.target", "X_SYSTEMD_UNIT_INACTIVE=multi-user.target",
		"X_SYSTEMD_UNIT_ACTIVE=shutdown.target", "EXIT_STATUS=0\nX_SYSTEMD_SHUTDOWN=reboot",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the manager was told\n%q, want\n%q", got, want)
	}
	if !strings.Contains(c.out.String(), "socket=.\n") {
		t.Error("the service got the manager's socket")
	}
}

// TestModulesAskHost: without CAP_SYS_MODULE the lists' modules are asked of the host, and its word is logged.
func TestModulesAskHost(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	release := kernelRelease(t)
	writeFile(t, root+"/etc/modules-load.d/a.conf", "# a comment\nfrobnicate\n", 0o644)
	writeFile(t, root+"/lib/modules/"+release+"/modules.dep", "kernel/frobnicate.ko:\n", 0o644)
	writeFile(t, root+"/lib/modules/"+release+"/kernel/frobnicate.ko", "no module", 0o644)
	shim := newShim(t, root)
	c := start(t, root, config{stage: stage{Mounts: []stageMount{shim.mount}, Drop: []int{unix.CAP_SYS_MODULE}}}, bootLine(stay...)...)
	shim.accept(c)
	if m := shim.until(handoff.LoadModule); m.Module != "frobnicate" {
		t.Errorf("asked for %+v", m)
	}
	shim.until(handoff.Ready)
	c.says("no CAP_SYS_MODULE")
	c.says("module denied by the host module=frobnicate origin=/etc/modules-load.d/a.conf:2")
	c.says("not on the list")
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
}

func kernelRelease(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// TestShell: with a terminal at /dev/console a login shell runs there, in the foreground, and again after its end.
func TestShell(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	writeFile(t, root+"/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644)
	writeFile(t, root+"/dev/console", "", 0o600)
	writeFile(t, root+"/dev/null", "", 0o666)
	master, slave := openPTY(t)
	mounts := []stageMount{
		{Source: slave.Name(), Target: "dev/console", Flags: unix.MS_BIND},
		{Source: "/dev/null", Target: "dev/null", Flags: unix.MS_BIND},
	}
	c := start(t, root, config{stage: stage{Mounts: mounts}}, bootLine()...)
	c.says("firn-init: ready")
	screen := &output{more: make(chan struct{}, 1)}
	go func() { _, _ = io.Copy(screen, master) }()
	terminal := &container{t: t, out: screen}
	for round := range 2 {
		if _, err := fmt.Fprintf(master, "echo round%d-$((20+%d)) $0 $HOME; exit\n", round, round); err != nil {
			t.Fatal(err)
		}
		terminal.says(fmt.Sprintf("round%d-%d -sh /root", round, 20+round))
	}
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
	if strings.Contains(screen.String(), "job control turned off") {
		t.Error("the shell has no job control")
	}
}
