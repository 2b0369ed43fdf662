package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"firn/init/internal/signals"
)

// stay is a service that says that it is up and stays.
var stay = []string{"--", "sh", "-c", "echo service up; while :; do sleep 1; done"}

func bootLine(options ...string) []string { return append([]string{"firn-init", "--boot"}, options...) }

func TestBootMounts(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, bootLine("--", "sh", "-c", "cat /proc/mounts; stat -c '%n %a' /tmp /run /dev /dev/shm; echo > /dev/null && ls -l /dev/")...)
	c.exits(0)
	for _, want := range []string{
		"proc /proc proc rw,nosuid,nodev,noexec", "sysfs /sys sysfs", "tmpfs /dev tmpfs rw,nosuid", "devpts /dev/pts devpts",
		"tmpfs /dev/shm tmpfs rw,nosuid,nodev", "tmpfs /run tmpfs rw,nosuid,nodev", "/tmp 1777\n", "/run 755\n", "/dev/shm 1777\n",
		"ptmx -> pts/ptmx", "fd -> /proc/self/fd",
	} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if strings.Contains(c.out.String(), " /tmp tmpfs") {
		t.Error("/tmp was mounted although it can be written")
	}
}

// TestBootKeepsMounts: what the manager has mounted stays, and what it has put below a directory is not hidden.
func TestBootKeepsMounts(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	writeFile(t, root+"/run/host/os-release", "ID=firn\n", 0o644)
	mounts := []stageMount{
		{Source: "proc", Target: "proc", Type: "proc", Data: "hidepid=1"},
		{Source: "mine", Target: "dev", Type: "tmpfs", Data: "size=1m"},
		{Source: "mine", Target: "tmp", Type: "tmpfs", Data: "size=1m"},
		{Source: root + "/run/host", Target: "run/host", Flags: unix.MS_BIND},
	}
	c := start(t, root, config{stage: stage{Mounts: mounts}}, bootLine("--", "cat", "/proc/mounts", "/run/host/os-release")...)
	c.exits(0)
	text := c.out.String()
	for _, target := range []string{"/proc", "/dev", "/tmp", "/run"} {
		want := 1
		if target == "/run" {
			want = 0 // a directory, since a mount would hide /run/host
		}
		if n := strings.Count(text, " "+target+" "); n != want {
			t.Errorf("%s is mounted %d times, want %d", target, n, want)
		}
	}
	for _, want := range []string{"hidepid", "mine /dev tmpfs", "mine /tmp tmpfs", "ID=firn"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestBootReadOnly: a root that cannot be written gets what it needs in memory, and the machine id is bound.
func TestBootReadOnly(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	writeFile(t, root+"/etc/machine-id", "", 0o444)
	mounts := []stageMount{
		{Source: root, Target: "", Flags: unix.MS_BIND},
		{Source: "", Target: "", Flags: unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY},
	}
	env := []string{"container_uuid=6f7b6a2c-3e0b-4d1f-9a53-0d0c7e0a1b2c"}
	c := start(t, root, config{stage: stage{Mounts: mounts}, env: env}, bootLine("--", "sh", "-c",
		"cat /etc/machine-id; cat /proc/mounts; echo x >/etc/machine-id || echo refused; touch /tmp/file && echo tmp works")...)
	c.exits(0)
	for _, want := range []string{"6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c\n", " /etc/machine-id tmpfs ro,", " /tmp tmpfs rw,", "refused", "tmp works"} {
		if !strings.Contains(c.out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	if text, err := os.ReadFile(root + "/etc/machine-id"); err != nil || len(text) != 0 {
		t.Errorf("the file itself holds %q, %v", text, err)
	}
}

func TestBootMachineID(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef"
	for name, tt := range map[string]struct{ file, uuid, want string }{
		"kept":        {file: id + "\n", uuid: "6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c", want: id},
		"given":       {file: "uninitialized\n", uuid: "6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c", want: "6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c"},
		"no file":     {uuid: "6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c", want: "6f7b6a2c3e0b4d1f9a530d0c7e0a1b2c"},
		"random":      {},
		"of nonsense": {uuid: "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			if tt.file != "" {
				writeFile(t, root+"/etc/machine-id", tt.file, 0o644)
			}
			c := start(t, root, config{env: []string{"container_uuid=" + tt.uuid}}, bootLine("--", "true")...)
			c.exits(0)
			text, err := os.ReadFile(root + "/etc/machine-id")
			if err != nil || len(text) != 33 || tt.want != "" && string(text) != tt.want+"\n" {
				t.Errorf("machine id %q, %v, want %q", text, err, tt.want)
			}
		})
	}
}

func TestBootHostname(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ set, file, want string }{
		"the manager's stays": {"given", "filed\n", "given"},
		"the file's":          {"localhost", "# a comment\nfiled\n", "filed"},
		"a bad file":          {"(none)", "two words\n", "localhost"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t)
			writeFile(t, root+"/etc/hostname", tt.file, 0o644)
			c := start(t, root, config{stage: stage{Hostname: tt.set}}, bootLine("--", "sh", "-c", "echo name=$(hostname).")...)
			c.exits(0)
			if !strings.Contains(c.out.String(), "name="+tt.want+".\n") {
				t.Errorf("host name is not %s", tt.want)
			}
		})
	}
}

// TestBootSignals: each row of the table, by how PID 1 ends or by what it says.
func TestBootSignals(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for _, row := range signals.Table {
		if row.Signal == signals.RTMin {
			continue // see signals.Listen
		}
		t.Run(signals.Name(row.Signal), func(t *testing.T) {
			t.Parallel()
			if row.Verb == signals.SoftReboot {
				testSoftReboot(t, root, row.Signal)
				return
			}
			c := start(t, root, config{}, bootLine(stay...)...)
			c.says("firn-init: ready")
			c.says("service up")
			c.signal(row.Signal)
			switch row.Verb {
			case signals.Halt, signals.Poweroff:
				c.endsBy(unix.SIGINT)
			case signals.Reboot, signals.Kexec:
				c.endsBy(unix.SIGHUP)
			default:
				testStays(t, c, row)
			}
		})
	}
}

// testStays: PID 1 lives on after a signal, has said what the table notes, and its log obeys.
func testStays(t *testing.T, c *container, row signals.Row) {
	says := map[signals.Verb]string{
		signals.Nothing: row.Note, signals.Reload: "reload asked for", signals.DumpState: "firn-init: state phase=ready",
	}
	c.says(says[row.Verb])
	switch row.Verb {
	case signals.LogDebug:
		time.Sleep(20 * time.Millisecond) // signals of one process are delivered in order of number, not of sending
		c.signal(signals.RTMin + 4)
		c.says("debug: all processes ended")
		c.endsBy(unix.SIGINT)
		return
	case signals.HideStatus:
		time.Sleep(20 * time.Millisecond)
		c.signal(signals.RTMin + 4)
		c.endsBy(unix.SIGINT)
		if strings.Contains(c.out.String(), "ending at a signal") {
			t.Error("status lines are still shown")
		}
		return
	}
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
}

func testSoftReboot(t *testing.T, root string, sig syscall.Signal) {
	c := start(t, root, config{}, bootLine(stay...)...)
	for round := 1; round <= 3; round++ {
		deadline := time.Now().Add(patience)
		for strings.Count(c.out.String(), "service up") < round {
			if time.Now().After(deadline) {
				t.Fatalf("the system was up %d times", round-1)
			}
			time.Sleep(5 * time.Millisecond)
		}
		c.signal(sig)
	}
	deadline := time.Now().Add(patience)
	for strings.Count(c.out.String(), "service up") < 4 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	c.signal(signals.RTMin + 3)
	c.endsBy(unix.SIGINT)
}

// TestImpatience: more than seven SIGINT within two seconds end a halt that hangs.
func TestImpatience(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, bootLine("--grace=60s", "--", "payload", "ignore")...)
	c.says("firn-init: ready")
	c.says("up\n")
	// Signals that come while one of the kind is pending are one: on a busy machine eight take more than eight.
	ended := make(chan struct{})
	go func() {
		for range 500 {
			if c.cmd.Process.Signal(unix.SIGINT) != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		close(ended)
	}()
	c.endsBy(unix.SIGHUP)
	<-ended
}

// TestLXC: there SIGPWR is what halts.
func TestLXC(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{env: []string{"container=lxc"}}, bootLine(stay...)...)
	c.says("service up")
	c.signal(unix.SIGPWR)
	c.endsBy(unix.SIGINT)
}

// TestEarlyHalt: a halt that is pending before firn-init is executed is never lost. The rounds alternate between modes.
func TestEarlyHalt(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	rounds := 500
	if testing.Short() {
		rounds = 50
	}
	halt := signals.RTMin + 3
	for _, before := range []bool{true, false} {
		name := "after execve"
		if before {
			name = "before execve"
		}
		t.Run(name, func(t *testing.T) {
			for i := range rounds {
				cfg := config{blocked: []syscall.Signal{halt}, stage: stage{Cgroups: []string{}}}
				if before {
					cfg.Pending = []int{int(halt)}
				}
				argv := bootLine("--", "sleep", "1000")
				if i%2 == 1 {
					argv = []string{"firn-init", "sleep", "1000"}
				}
				c := start(t, root, cfg, argv...)
				if !before {
					time.Sleep(time.Duration(i*10) * time.Microsecond)
					c.signal(halt)
				}
				s := c.wait()
				if i%2 == 0 && !(s.Signaled() && s.Signal() == unix.SIGINT) || i%2 == 1 && s.ExitStatus() != 143 {
					t.Fatalf("round %d ended with %s", i, describe(s))
				}
			}
		})
	}
}

// TestNoRebootRight: without CAP_SYS_BOOT PID 1 exits.
func TestNoRebootRight(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for sig, code := range map[syscall.Signal]int{signals.RTMin + 3: 0, signals.RTMin + 4: 0, signals.RTMin + 5: 133} {
		t.Run(signals.Name(sig), func(t *testing.T) {
			t.Parallel()
			c := start(t, root, config{stage: stage{Drop: []int{unix.CAP_SYS_BOOT}}}, bootLine(stay...)...)
			c.says("service up")
			c.signal(sig)
			c.exits(code)
		})
	}
}

// TestBootService: the system ends with its command, and by its code.
func TestBootService(t *testing.T) {
	t.Parallel()
	root := newRoot(t)
	for name, tt := range map[string]struct {
		argv []string
		code int
	}{
		"code":       {[]string{"--", "sh", "-c", "exit 7"}, 7},
		"killed":     {[]string{"--", "sh", "-c", "kill -KILL $$"}, 137},
		"not found":  {[]string{"--", "nonesuch"}, 1},
		"left alone": {[]string{"--grace=200ms", "--", "sh", "-c", "payload ignore & exit 3"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start(t, root, config{}, bootLine(tt.argv...)...).exits(tt.code)
		})
	}
}

// TestStubborn: whoever ignores SIGTERM, in sessions of its own, is gone after the grace period.
func TestStubborn(t *testing.T) {
	t.Parallel()
	c := start(t, newRoot(t), config{}, bootLine("--grace=300ms", "--", "payload", "descend", "ignore")...)
	c.says("firn-init: ready")
	deadline := time.Now().Add(patience)
	for strings.Count(c.out.String(), "up\n") < 6 && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	c.signal(signals.RTMin + 4)
	c.endsBy(unix.SIGINT)
	if !strings.Contains(c.out.String(), "not ended in time") {
		t.Error("nothing was said of it")
	}
}

// TestBootProcess: descriptors, directory and umask that firn-init was given do not go on to its children.
func TestBootProcess(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	c := start(t, newRoot(t), config{extra: []*os.File{w}}, bootLine("--", "sh", "-c", "echo has $(ls /proc/self/fd) $(umask) $(pwd)")...)
	c.exits(0)
	// 3 is the descriptor of the directory that ls reads.
	if !strings.Contains(c.out.String(), "has 0 1 2 3 0022 /\n") {
		t.Error("not as it should be")
	}
}
