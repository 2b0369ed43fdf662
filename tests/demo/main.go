// Command firn-demo shows firn at work: a store shaped as NixOS's, a container
// from it by the very command line with which NixOS's containers began, a look
// at it, a command in it, its halt by the shell script of that time.
//
// Input: the programs beside it and Debian's busybox-static; output: what each
// step did and how long it took. It needs root, no network and no image, and
// leaves nothing behind: the store stands at /nix in mounts of its own.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"firn/tests/host"
	"firn/tests/rootfs"
)

// name is the container's.
const name = "demo"

// patience bounds each step.
const patience = 30 * time.Second

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "firn-demo: cannot show:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts this program again with mounts of its own, and there shows.
func run() (int, error) {
	if os.Geteuid() != 0 {
		return 1, errors.New("namespaces and mounts need root (sudo make demo)")
	}
	if !host.Inside() {
		return host.Again(host.Mounts)
	}
	if err := host.Enter(host.Mounts); err != nil {
		return 1, err
	}
	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	scratch, err := os.MkdirTemp("", "firn-demo-")
	if err != nil {
		return 1, err
	}
	d := &demo{bin: filepath.Dir(self), scratch: scratch, root: filepath.Join(scratch, "root")}
	err = d.show()
	return 0, errors.Join(err, d.stopAnyway(), os.RemoveAll(scratch), d.leftovers(err == nil))
}

// A demo is one run: where things are, and what runs.
type demo struct {
	bin, scratch, root string
	profile            string // of the system, in /nix/var/nix/profiles
	container          *exec.Cmd
	console            *os.File
	ended              chan error
}

// show takes the steps. An interrupt ends it between two of them, or with the
// program that the step runs, so that there is always somebody to clear away.
func (d *demo) show() error {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	for _, step := range []func() error{d.makeStore, d.start, d.list, d.status, d.execute, d.halt} {
		if err := step(); err != nil {
			return err
		}
		select {
		case s := <-interrupts:
			return fmt.Errorf("interrupted by %v", s)
		default:
		}
	}
	return nil
}

func (d *demo) makeStore() error {
	begin := time.Now()
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	nix, err := rootfs.MakeNix(host.Nix, filepath.Join(d.bin, "firn-init"), busybox)
	if err != nil {
		return err
	}
	var systems []string
	for _, generation := range []string{"demo-1", "demo-2"} {
		system, err := nix.System(generation)
		if err != nil {
			return err
		}
		systems = append(systems, system)
	}
	if d.profile, err = nix.Profile(name, systems...); err != nil {
		return err
	}
	heading("a store shaped as NixOS's, and a profile of two generations", time.Since(begin))
	for i, system := range systems {
		detail("%s/system-%d-link -> %s", filepath.Dir(d.profile), i+1, system)
	}
	return nil
}

// start runs the seed's ExecStart and waits until firn-init says it is ready.
func (d *demo) start() error {
	for _, dir := range []string{d.root, filepath.Join(d.scratch, "bin")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	bin := filepath.Join(d.scratch, "bin")
	if err := os.Symlink(filepath.Join(d.bin, "firn"), filepath.Join(bin, "systemd-nspawn")); err != nil {
		return err
	}
	var err error
	if d.console, err = os.Create(filepath.Join(d.scratch, "console")); err != nil {
		return err
	}
	started, err := listen(filepath.Join(d.scratch, "notify"))
	if err != nil {
		return err
	}
	line := rootfs.SeedExecStart(bin, name, d.root, d.profile)
	words := strings.Fields(line)
	d.container = exec.Command(words[0], words[1:]...)
	d.container.Stdout, d.container.Stderr = d.console, d.console
	d.container.Env = append(os.Environ(), "NOTIFY_SOCKET="+filepath.Join(d.scratch, "notify"))
	d.container.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is for the demo, which then halts it

	begin := time.Now()
	if err := d.container.Start(); err != nil {
		return err
	}
	d.ended = make(chan error, 1)
	go func() { d.ended <- d.container.Wait() }()
	select {
	case <-started:
	case err := <-d.ended:
		d.ended <- err
		return fmt.Errorf("start container: %w\n%s", err, d.said())
	case <-time.After(patience):
		return fmt.Errorf("start container: PID 1 does not run after %v\n%s", patience, d.said())
	}
	running := time.Since(begin)
	for {
		select {
		case err := <-d.ended:
			d.ended <- err
			return fmt.Errorf("boot: the container ended (%v)\n%s", err, d.said())
		default:
		}
		status, err := d.firn("status", "--json", name)
		if err == nil && strings.Contains(status, `"state": "ready"`) {
			break
		}
		if time.Since(begin) > patience {
			return fmt.Errorf("boot: not ready after %v: %s\n%s", patience, status, d.said())
		}
	}
	heading("start, by NixOS's command line of 2013", time.Since(begin))
	detail("%s", strings.Replace(line, bin, "bin", 1))
	detail("PID 1 after %v, ready after %v", rounded(running), rounded(time.Since(begin)))
	return nil
}

func (d *demo) list() error { return d.verb("look", "list") }

func (d *demo) status() error { return d.verb("look closer", "status", name) }

func (d *demo) execute() error {
	const script = `. /etc/os-release
echo "$PRETTY_NAME on $(uname -sr), host name $(hostname), PID 1 is $(readlink -f /proc/1/exe)"
echo "processes: $(ls -d /proc/[0-9]* | wc -l); /nix is $(grep -q ' /nix ro[, ]' /proc/self/mountinfo && echo read-only || echo writable)"`
	return d.verb("run a command in it", "exec", name, "/bin/sh", "-c", "export PATH=/run/current-system/sw/bin\n"+script)
}

// halt runs the seed's preStop script.
func (d *demo) halt() error {
	script, changed := rootfs.SeedPreStop(name)
	begin := time.Now()
	output, err := exec.Command("bash", "-e", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("halt container: %w: %s", err, output)
	}
	script = strings.TrimSpace(string(output))
	select {
	case err = <-d.ended:
	case <-time.After(patience):
		return fmt.Errorf("halt container: it still runs %v after the script: %s\n%s", patience, script, d.said())
	}
	d.container = nil
	if err != nil {
		return fmt.Errorf("halt container: %w: %s\n%s", err, script, d.said())
	}
	heading("halt, by NixOS's preStop script of 2013, which looks once a second", time.Since(begin))
	detail("%s", script)
	if changed {
		detail("(no cgroup v1 here: the script reads cgroup.procs of v2)")
	}
	detail("exit code 0")
	return nil
}

// verb runs firn and shows what it says.
func (d *demo) verb(title string, args ...string) error {
	begin := time.Now()
	output, err := d.firn(args...)
	if err != nil {
		return err
	}
	heading(title+": firn "+strings.Join(args[:min(2, len(args))], " "), time.Since(begin))
	for line := range strings.Lines(output) {
		detail("%s", strings.TrimRight(line, "\r\n"))
	}
	return nil
}

func (d *demo) firn(args ...string) (string, error) {
	output, err := exec.Command(filepath.Join(d.bin, "firn"), args...).CombinedOutput()
	if err != nil {
		return string(output), fmt.Errorf("firn %s: %w: %s", args[0], err, output)
	}
	return string(output), nil
}

// said is what the container and its supervisor have printed.
func (d *demo) said() string {
	text, err := os.ReadFile(d.console.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// stopAnyway ends a container that a step which went wrong left running.
func (d *demo) stopAnyway() error {
	if d.container == nil || d.container.Process == nil {
		return nil
	}
	select {
	case <-d.ended: // and so what now has its name is not ours
		return nil
	default:
	}
	if _, err := d.firn("stop", name, "--timeout", "5s", "--force"); err != nil {
		_ = d.container.Process.Kill() // it ended with an error that is shown already
	}
	<-d.ended
	return nil
}

// leftovers looks for what a container leaves if it is not cleared away.
func (d *demo) leftovers(report bool) error {
	var left []string
	for _, pattern := range []string{
		"/sys/fs/cgroup/*/machine/" + name + ".nspawn", "/sys/fs/cgroup/machine/" + name + ".nspawn",
		"/run/firn/" + name, d.scratch,
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return err
		}
		left = append(left, found...)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, d.scratch) || strings.Contains(line, " /run/firn/"+name) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("left behind:\n%s", strings.Join(left, "\n"))
	}
	if report {
		fmt.Println("\nNothing is left: no cgroup, mount, process, socket or file.")
	}
	return nil
}

// listen returns a channel that is closed when READY=1 arrives at a socket.
func listen(path string) (<-chan struct{}, error) {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	ready := make(chan struct{})
	go func() {
		defer func() { _ = conn.Close() }()
		buffer := make([]byte, 1<<16)
		for {
			size, err := conn.Read(buffer)
			if err != nil {
				return
			}
			if strings.Contains("\n"+string(buffer[:size])+"\n", "\nREADY=1\n") {
				close(ready)
				return
			}
		}
	}()
	return ready, nil
}

func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func heading(title string, took time.Duration) {
	fmt.Printf("\n%-72s %7s\n", title, rounded(took))
}

func detail(format string, args ...any) { fmt.Printf("    "+format+"\n", args...) }
