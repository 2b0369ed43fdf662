package execute

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"firn/init/internal/reap"
	"firn/init/internal/unit"
	"firn/tests/require"
)

// The test program is the stage too: its init is this package's.

// reaper reaps for all tests at once: one place waits.
var reaper = reap.New()

func TestMain(m *testing.M) {
	child := make(chan os.Signal, 1)
	signal.Notify(child, unix.SIGCHLD)
	go reaper.Run(child, nil)
	os.Exit(m.Run())
}

// result is what came of a stage.
type result struct {
	out    string
	report Report
	status unix.WaitStatus
}

// run starts a command with settings changed, and waits for its end.
func run(t *testing.T, change func(*Description), files []*os.File, argv ...string) result {
	t.Helper()
	d := &Description{
		Unit: "test.service", Connection: -1,
		Command: unit.Command{Path: argv[0], Argv: argv},
		Exec:    unit.Exec{UMask: 0o22, CapabilityBoundingSet: ^uint64(0), TimerSlack: -1},
		Environ: []string{"PATH=/usr/bin:/bin"},
	}
	if change != nil {
		change(d)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	s := Spawner{Reaper: reaper, Stdio: [3]uintptr{null.Fd(), w.Fd(), w.Fd()}}
	reported := make(chan Report, 1)
	p, err := s.Start(d, files, nil, func(r Report) { reported <- r })
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	var out bytes.Buffer
	if _, err := io.Copy(&out, r); err != nil {
		t.Fatal(err)
	}
	return result{out: out.String(), report: <-reported, status: p.Status()}
}

func (r result) check(t *testing.T, want string) {
	t.Helper()
	if r.report.Failure != nil || r.status.ExitStatus() != 0 {
		t.Errorf("%+v, %s", r.report.Failure, reap.Describe(r.status))
	}
	if strings.TrimSpace(r.out) != want {
		t.Errorf("said %q, want %q", r.out, want)
	}
}

func TestStageRuns(t *testing.T) {
	t.Parallel()
	run(t, func(d *Description) {
		d.Exec.Environment = []string{"A=b c", "D=e"}
		d.Exec.UnsetEnvironment = []string{"D"}
	}, nil, "/bin/sh", "-c", `echo "$$0 $$A $${D-none} $$*"`, "$A", "x${A}y", "$A").check(t, "b b c none c xb cy b c")
}

func TestStageSignalsAndFiles(t *testing.T) {
	t.Parallel()
	r := run(t, func(d *Description) {
		d.Exec.IgnoreSIGPIPE = true
		d.Exec.UMask = 0o27
		d.Exec.WorkingDirectory = "/usr"
	}, nil, "/bin/sh", "-c",
		"grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -s '\\t\\n' '  '; ls /proc/self/fd | wc -l; umask; pwd; cat /proc/self/cmdline | wc -c >/dev/null; cut -d' ' -f6 /proc/$$$$/stat | grep -qx $$$$ && echo leads")
	r.check(t, "SigBlk: 0000000000000000 SigIgn: 0000000000001000 4\n0027\n/usr\nleads")
}

// TestStageFailures: each step's exit code, and its name in the report.
func TestStageFailures(t *testing.T) {
	t.Parallel()
	require.Root(t)
	for name, tt := range map[string]struct {
		change func(*Description)
		argv   string
		code   int
		text   string
	}{
		"no program":  {nil, "/none/such", 203, "EXEC"},
		"no such dir": {func(d *Description) { d.Exec.WorkingDirectory = "/none" }, "/bin/true", 200, "CHDIR"},
		"no user":     {func(d *Description) { d.Exec.User = "nobody-such" }, "/bin/true", 217, "USER"},
		"no group":    {func(d *Description) { d.Exec.Group = "nobody-such" }, "/bin/true", 216, "GROUP"},
		"no root":     {func(d *Description) { d.Exec.RootDirectory = "/none" }, "/bin/true", 210, "CHROOT"},
		"stdin":       {func(d *Description) { d.Exec.Stdin = unit.Stdio{Kind: unit.StdioFile, Arg: "/none"} }, "/bin/true", 208, "STDIN"},
		"stdout":      {func(d *Description) { d.Exec.Stdout = unit.Stdio{Kind: unit.StdioAppend, Arg: "/none/x"} }, "/bin/true", 209, "STDOUT"},
		"no socket":   {func(d *Description) { d.Exec.Stdin = unit.Stdio{Kind: unit.StdioSocket} }, "/bin/true", 208, "STDIN"},
		"environment": {func(d *Description) { d.Exec.EnvironmentFiles = []unit.EnvironmentFile{{Path: "/none"}} }, "/bin/true", 204, "MEMORY"},
		"state": {func(d *Description) {
			d.Root = "/proc"
			d.Exec.Directories[unit.StateDirectory].Entries = []unit.Directory{{Path: "x"}}
		}, "/bin/true", 238, "STATE_DIRECTORY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, tt.change, nil, tt.argv)
			if r.report.Failure == nil || r.report.Failure.Code != tt.code || !strings.HasPrefix(r.report.Failure.Text, tt.text+" ") {
				t.Fatalf("report %+v", r.report.Failure)
			}
			if r.status.ExitStatus() != tt.code {
				t.Errorf("%s", reap.Describe(r.status))
			}
		})
	}
}

func TestStageUser(t *testing.T) {
	t.Parallel()
	require.Root(t)
	root := t.TempDir()
	write(t, root+"/etc/passwd", "web:x:4711:4712::/srv:/bin/sh\n")
	write(t, root+"/etc/group", "web:x:4712:\nlog:x:4713:web\nextra:x:4714:\n")
	as := func(d *Description) { d.Root, d.Exec.User, d.Exec.SupplementaryGroups = root, "web", []string{"extra"} }
	const who = "id -u; id -g; id -G; echo $$HOME $$USER; grep -E 'Cap(Prm|Amb|Bnd)' /proc/self/status | tr -s '\\t\\n' '  '"
	bnd := uint64(1<<unix.CAP_NET_BIND_SERVICE | 1<<unix.CAP_CHOWN)
	r := run(t, func(d *Description) {
		as(d)
		d.Exec.CapabilityBoundingSet = bnd
		d.Exec.AmbientCapabilities = 1 << unix.CAP_NET_BIND_SERVICE
	}, nil, "/bin/sh", "-c", who)
	r.check(t, "4711\n4712\n4712 4713 4714\n/srv web\nCapPrm: 0000000000000400 CapBnd: 0000000000000401 CapAmb: 0000000000000400")
	for _, flag := range []unit.CommandFlags{unit.FullPrivileges, unit.NoUserSwitch} {
		r := run(t, func(d *Description) { as(d); d.Command.Flags = flag }, nil, "/bin/sh", "-c", "id -u")
		r.check(t, "0")
	}
	r = run(t, func(d *Description) { d.UID, d.Exec.User = 61200, "dyn" }, nil, "/bin/sh", "-c", "id -u; id -g; echo $$USER")
	r.check(t, "61200\n61200\ndyn")
	r = run(t, func(d *Description) { as(d); d.Exec.NoNewPrivileges = true }, nil, "/bin/grep", "NoNewPrivs", "/proc/self/status")
	r.check(t, "NoNewPrivs:\t1")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestStageDirectories(t *testing.T) {
	t.Parallel()
	require.Root(t)
	root := t.TempDir()
	for _, dir := range []string{root, filepath.Dir(root)} { // the user is to get there
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, root+"/var/lib/old/file", "x")
	change := func(uid uint32, entries ...unit.Directory) func(*Description) {
		return func(d *Description) {
			d.Root, d.UID = root, uid
			if uid == 0 {
				d.Exec.User = "4711"
			}
			d.Exec.Directories[unit.StateDirectory] = unit.Directories{Entries: entries, Mode: 0o750}
			d.Exec.Directories[unit.RuntimeDirectory] = unit.Directories{Entries: []unit.Directory{{Path: "a/b"}, {Path: "c"}}, Mode: 0o2755}
			d.Exec.SetCredentials = []unit.Credential{{ID: "key", Data: "secret"}}
		}
	}
	r := run(t, change(0, unit.Directory{Path: "old", Symlinks: []string{"alias"}}), nil, "/bin/sh", "-c",
		"echo $$STATE_DIRECTORY $$RUNTIME_DIRECTORY; cat $$CREDENTIALS_DIRECTORY/key; stat -c ' %a %u' $$STATE_DIRECTORY $$CREDENTIALS_DIRECTORY $$CREDENTIALS_DIRECTORY/key; rm -f $$CREDENTIALS_DIRECTORY/key 2>/dev/null; echo x > $$STATE_DIRECTORY/new")
	r.check(t, strings.ReplaceAll("R/var/lib/old R/run/a/b:R/run/c\nsecret 750 4711\n 500 4711\n 400 4711", "R", root))
	for path, want := range map[string]string{"/var/lib/old/file": "4711", "/run/a": "0", "/run/a/b": "4711", "/var/lib/alias/": "4711"} {
		var st unix.Stat_t
		if err := unix.Stat(root+path, &st); err != nil || fmt.Sprint(st.Uid) != want {
			t.Errorf("%s belongs to %d, want %s (%v)", path, st.Uid, want, err)
		}
	}
	if st, err := os.Stat(root + "/run/c"); err != nil || st.Mode()&os.ModeSetgid == 0 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	r = run(t, change(61300, unit.Directory{Path: "dyn"}), nil, "/bin/sh", "-c", "cat $$STATE_DIRECTORY/x 2>/dev/null; readlink "+root+"/var/lib/dyn; stat -c '%a %u' "+root+"/var/lib/private")
	r.check(t, "private/dyn\n700 0")
}

func TestStageDescriptors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []*os.File
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(dir, name), "from "+name+"\n")
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	r := run(t, func(d *Description) { d.Names = []string{"a", "b", "c"} }, files, "/bin/sh", "-c",
		"cat <&3 <&3; cat <&4; cat <&5; echo $$LISTEN_FDS $$LISTEN_FDNAMES; [ $$LISTEN_PID = $$$$ ] && echo mine; ls /proc/$$$$/fd")
	r.check(t, "from a\nfrom b\nfrom c\n3 a:b:c\nmine\n0\n1\n2\n3\n4\n5")
}

// TestStageSocket: a connection as standard input and output, passed as nothing else.
func TestStageSocket(t *testing.T) {
	t.Parallel()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "ours"), os.NewFile(uintptr(pair[1]), "theirs")
	defer ours.Close()
	if _, err := ours.WriteString("hello\n"); err != nil {
		t.Fatal(err)
	}
	r := run(t, func(d *Description) {
		d.Names, d.Connection, d.ConnectionOnly = []string{"connection"}, 0, true
		d.Exec.Stdin.Kind = unit.StdioSocket
	}, []*os.File{theirs}, "/bin/sh", "-c", "read line; echo got $$line $${LISTEN_FDS-none}; ls /proc/$$$$/fd")
	theirs.Close()
	r.check(t, "")
	answer, err := io.ReadAll(ours)
	if err != nil || string(answer) != "got hello none\n0\n1\n2\n" {
		t.Errorf("%q, %v", answer, err)
	}
}

func TestStageResources(t *testing.T) {
	t.Parallel()
	require.Root(t)
	r := run(t, func(d *Description) {
		d.Exec.Limits = []unit.Limit{{Resource: unix.RLIMIT_NOFILE, Soft: 100, Hard: 200}, {Resource: unix.RLIMIT_CORE, Soft: 0, Hard: 0}, {Resource: unix.RLIMIT_AS, Soft: 1 << 28, Hard: 1 << 28}}
		d.Exec.Nice = unit.Number{Value: 5, Set: true}
		d.Exec.OOMScore = unit.Number{Value: 500, Set: true}
		d.Exec.IOScheduling = unit.IOScheduling{Set: true, Class: 3}
		d.Exec.CPUAffinity = []uint64{1}
	}, nil, "/bin/sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -v; nice; cat /proc/self/oom_score_adj; ionice; grep Cpus_allowed_list /proc/self/status | cut -f2")
	r.check(t, "100\n200\n262144\n5\n500\nidle\n0")
}

func TestStageOutputs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "out")
	write(t, file, "old\n")
	for _, tt := range []struct {
		kind unit.StdioKind
		want string
	}{{unit.StdioAppend, "old\nout\nerr\n"}, {unit.StdioFile, "out\nerr\nerr\n"}, {unit.StdioTruncate, "out\nerr\n"}} {
		r := run(t, func(d *Description) {
			d.Exec.Stdout = unit.Stdio{Kind: tt.kind, Arg: file}
			d.Exec.Stderr = d.Exec.Stdout
			d.Exec.Stdin, d.Exec.StdinData = unit.Stdio{Kind: unit.StdioData}, "out\n"
		}, nil, "/bin/sh", "-c", "cat; echo err >&2")
		r.check(t, "")
		if got, err := os.ReadFile(file); err != nil || string(got) != tt.want {
			t.Errorf("kind %d: %q, %v, want %q", tt.kind, got, err, tt.want)
		}
	}
}

// BenchmarkStage is what a start costs above fork and execve.
func BenchmarkStage(b *testing.B) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	s := Spawner{Reaper: reaper, Stdio: [3]uintptr{null.Fd(), null.Fd(), null.Fd()}, Self: os.Getenv("FIRN_STAGE_PROGRAM")}
	for b.Loop() {
		done := make(chan Report, 1)
		d := &Description{Connection: -1, Command: unit.Command{Path: "/bin/true", Argv: []string{"true"}}, Exec: unit.Exec{CapabilityBoundingSet: ^uint64(0)}}
		if _, err := s.Start(d, nil, nil, func(r Report) { done <- r }); err != nil {
			b.Fatal(err)
		}
		if r := <-done; r.Failure != nil {
			b.Fatal(fmt.Sprint(r.Failure))
		}
	}
}
