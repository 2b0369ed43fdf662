package config

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// caller is the process that tests pretend to be.
var caller = Caller{Dir: "/home/u", LookupEnv: func(name string) (string, bool) {
	v, ok := map[string]string{"TERM": "xterm", "EMPTY": ""}[name]
	return v, ok
}}

// golden compares a Config with testdata/NAME.golden.
func golden(t *testing.T, name string, c *Config) {
	t.Helper()
	got, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestParseArgvGolden(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		// The line with which NixOS's first containers were started.
		"argv-first-nixos": {"-M", "web", "-D", "/var/lib/containers/web", "--bind-ro=/nix", "/nix/var/nix/profiles/containers/web/init"},
		// What NixOS's start script makes of a container today.
		"argv-nixos": {"--keep-unit", "-M", "web", "-D", "/var/lib/nixos-containers/web",
			"--private-users=no", "--notify-ready=yes", "--kill-signal=SIGRTMIN+3",
			"--bind-ro=/nix/store:/nix/store", "--bind-ro=/nix/var/nix/db", "--bind-ro=/nix/var/nix/daemon-socket",
			"--bind=/nix/var/nix/profiles/per-container/web:/nix/var/nix/profiles",
			"--bind=/nix/var/nix/gcroots/per-container/web:/nix/var/nix/gcroots",
			"--link-journal=try-guest", "--setenv", "PRIVATE_NETWORK=0", "--setenv", "HOST_BRIDGE=", "--setenv", "PATH=/bin",
			"/nix/store/00-container-init/bin/container-init", "/nix/var/nix/profiles/system/init"},
		"argv-everything": {
			"-q", "--settings=override", "-Droot", "--template", "../base", "-x", "--read-only", "--volatile=overlay",
			"-b", "--chdir=/srv//x/.", "-E", "A=1=2", "-ETERM", "--setenv=NONE", "-EA=3", "-u", "1000", "--kill-signal=37", "--notify-ready=on", "--suppress-sync=no",
			"--machine=a.b-c", "--hostname=h", "--uuid=69A735F1-3AB7-4C67-807F-9DD3CB3A5F31",
			"-Ssystem-web", "--property=MemoryMax=1G", "--property=TasksMax=10", "--register=0", "--keep-unit",
			"--private-users=no", "--private-users-ownership=auto",
			"--capability=CAP_SYSLOG,cap_net_admin", "--capability=all", "--capability=CAP_SYSLOG", "--drop-capability=CAP_MKNOD,27", "--ambient-capability=CAP_CHOWN", "--no-new-privileges=y",
			"--rlimit=NOFILE=1:2", "--rlimit=RLIMIT_NOFILE=3", "--rlimit=LimitAS=1.5G:infinity", "--rlimit=CPU=1500ms", "--rlimit=NICE=-5",
			"--oom-score-adjust=-5", "--cpu-affinity=5,0-2,1", "--personality=x86",
			"--resolv-conf=copy-host", "--timezone=bind", "-j",
			"--bind=/a", "--bind-ro=b:/c", "--tmpfs=/d", "--tmpfs=/e:mode=1777,size=10%", "--overlay=+/var::/var", "--overlay-ro=/f:/g", "--inaccessible=/h",
			"--console=passive", "-P", "--no-pager", "--no-ask-password", "--background=", "--", "--init-arg", "-b",
		},
	}
	for name, argv := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := slices.Clone(argv)
			c, err := ParseArgv(argv, caller)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, c)
			if !slices.Equal(argv, before) {
				t.Error("the command line was changed")
			}
		})
	}
}

// brief writes down what getopt decides: which options with which values came
// in, and what is left over.
func brief(c *Config) string {
	var out []string
	add := func(from Origin, v any) { out = append(out, fmt.Sprintf("%s|%v", from, v)) }
	if c.Quiet.Set {
		add(c.Quiet.From, c.Quiet.V)
	}
	for _, v := range []Value[string]{c.Machine, c.Root.Directory, c.Exec.User} {
		if v.Set && v.From != fromDir {
			add(v.From, v.V)
		}
	}
	for _, v := range []Value[bool]{c.Exec.Boot, c.Exec.AsPID2, c.Root.Ephemeral} {
		if v.Set {
			add(v.From, v.V)
		}
	}
	if c.Root.Volatile.Set {
		add(c.Root.Volatile.From, c.Root.Volatile.V)
	}
	for _, v := range c.Exec.Environment {
		add(v.From, v.Name+"="+v.Value)
	}
	out = append(out, c.Exec.Parameters.V...)
	return strings.Join(out, " ")
}

func TestGetopt(t *testing.T) {
	t.Parallel()
	tests := []struct {
		argv []string
		want string // brief, or the error
		err  error
	}{
		{nil, "", nil},
		{[]string{"/bin/sh", "-b", "--help"}, "/bin/sh -b --help", nil},
		{[]string{"-q", "/init", "-M", "x"}, "-q|true /init -M x", nil},
		{[]string{"-q", "--", "-b"}, "-q|true -b", nil},
		{[]string{"--", "--", "-b"}, "-- -b", nil},
		{[]string{"--"}, "", nil},
		{[]string{"-"}, "-", nil},
		{[]string{"-b", "-"}, "-b|true -", nil},
		{[]string{""}, "", nil},
		{[]string{"-qbx"}, "-q|true -b|true -x|true", nil},
		{[]string{"-qbMweb"}, "-q|true -M|web -b|true", nil},
		{[]string{"-bM", "web"}, "-M|web -b|true", nil},
		{[]string{"-MD"}, "-M|D", nil},
		{[]string{"-E", "-b"}, "-E -b: not the name of an environment variable", nil},
		{[]string{"-u", "--", "/x"}, "-u --: not a user name or number", nil},
		{[]string{"--machine", "web"}, "--machine=|web", nil},
		{[]string{"--machine=web"}, "--machine=|web", nil},
		{[]string{"--mach=web"}, "--machine=|web", nil},
		{[]string{"--mach", "web"}, "--machine=|web", nil},
		{[]string{"--machine="}, "", nil},
		{[]string{"-M", "a", "-M", ""}, "", nil},
		{[]string{"-M", "a", "-M", "b"}, "-M|b", nil},
		{[]string{"--volatile", "state"}, "--volatile|yes state", nil},
		{[]string{"--volatile=state"}, "--volatile=|state", nil},
		{[]string{"--volatile="}, "--volatile=: not a boolean, state or overlay", nil},
		{[]string{"-ETERM", "--setenv=EMPTY", "--setenv", "NONE", "-EX=1"}, "-E|TERM=xterm --setenv=|EMPTY= --setenv=|NONE= -E|X=1", nil},
		{[]string{"-EA=1", "-EB=2", "-EA=3"}, "-E|A=3 -E|B=2", nil},

		{[]string{"-M"}, "-M: needs an argument", nil},
		{[]string{"-qM"}, "-M: needs an argument", nil},
		{[]string{"--machine"}, "--machine: needs an argument", nil},
		{[]string{"--boot=yes"}, "--boot: takes no argument", nil},
		{[]string{"--bo=yes"}, "--boot: takes no argument", nil},
		{[]string{"-k"}, "-k: unknown option", ErrUnknown},
		{[]string{"-bk"}, "-k: unknown option", ErrUnknown},
		{[]string{"-\x1b"}, "-?: unknown option", ErrUnknown},
		{[]string{"--machin3=x"}, "--machin3: unknown option (did you mean --machine?)", ErrUnknown},
		{[]string{"--Machine=x"}, "--Machine: unknown option (did you mean --machine?)", ErrUnknown},
		{[]string{"--xyzzy"}, "--xyzzy: unknown option", ErrUnknown},
		{[]string{"---boot"}, "---boot: unknown option (did you mean --boot?)", ErrUnknown},
		{[]string{"--=x"}, "--: unknown option", ErrUnknown}, // not the beginning of every option
		{[]string{"--over=/a:/b"}, "--over: ambiguous option (--overlay, --overlay-ro)", nil},
	}
	for _, tt := range tests {
		c, err := ParseArgv(tt.argv, caller)
		var got string
		if err != nil {
			got = err.Error()
		} else {
			got = brief(c)
		}
		if got != tt.want || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%q:\n got %s\nwant %s", tt.argv, got, tt.want)
		}
	}
}

// TestActions: what ends the reading hides what stands behind it, as in
// systemd-nspawn; what stands before it does not get lost.
func TestActions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		argv []string
		want Action
		ok   bool
	}{
		{[]string{"-q"}, ActionRun, true},
		{[]string{"--help", "--bogus"}, ActionHelp, true},
		{[]string{"-qh", "--bogus"}, ActionHelp, true},
		{[]string{"-hQ"}, ActionHelp, true},
		{[]string{"--bogus", "--help"}, "", false},
		{[]string{"--version", "--bogus"}, ActionVersion, true},
		{[]string{"--capability=CAP_CHOWN,help", "--bogus"}, ActionCapabilities, true},
		{[]string{"--drop-capability=help"}, ActionCapabilities, true},
		{[]string{"--ambient-capability=help"}, ActionCapabilities, true},
		{[]string{"--cleanup", "-M", "web"}, ActionCleanup, true},
		{[]string{"--cleanup", "--bogus"}, "", false},
		{[]string{"--cleanup", "--help"}, ActionHelp, true},
		{[]string{"/bin/sh", "--help"}, ActionRun, true},
	}
	for _, tt := range tests {
		c, err := ParseArgv(tt.argv, caller)
		if (err == nil) != tt.ok || tt.ok && c.Action != tt.want {
			t.Errorf("%q: %v, %v; want %s", tt.argv, c, err, tt.want)
		}
	}
}

// TestDefaultDirectory: systemd-nspawn(1), --directory=.
func TestDefaultDirectory(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"": "/home/u", "-b": "/home/u", "-D sub": "/home/u/sub", "-M web": "", "--template=/t": "", "--cleanup": "", "-D /x -D": "/home/u", "-h": "",
	} {
		argv := strings.Fields(line)
		if strings.HasSuffix(line, "-D") {
			argv = append(argv, "")
		}
		c, err := ParseArgv(argv, caller)
		if err != nil || c.Root.Directory.V != want {
			t.Errorf("%q: %q, %v; want %q", line, c.Root.Directory.V, err, want)
		}
	}
	if _, err := ParseArgv(nil, Caller{}); err == nil {
		t.Error("a root directory came from nowhere")
	}
}

// TestUnsupportedOptions: each is refused by name, with its argument read.
func TestUnsupportedOptions(t *testing.T) {
	t.Parallel()
	count := 0
	for _, o := range Options() {
		if o.Supported {
			continue
		}
		count++
		forms := [][]string{}
		value := "2" // asks for something wherever a value can ask for nothing
		switch o.Name {
		case "suppress-sync":
			value = "yes"
		case "private-users-ownership":
			value = "chown"
		}
		switch {
		case o.Argument == "" && o.Name != "":
			forms = append(forms, []string{"--" + o.Name})
		case o.Name != "":
			forms = append(forms, []string{"--" + o.Name + "=" + value})
			if !o.Optional {
				forms = append(forms, []string{"--" + o.Name, value})
			}
		}
		if o.Short != "" && o.Argument == "" {
			forms = append(forms, []string{"-" + o.Short})
		} else if o.Short != "" {
			forms = append(forms, []string{"-" + o.Short + value}, []string{"-q" + o.Short, value})
		}
		for _, argv := range forms {
			_, err := ParseArgv(argv, caller)
			if !errors.Is(err, ErrUnsupported) || o.Missing == "" || !strings.Contains(err.Error(), o.Missing) {
				t.Errorf("%q: %v", argv, err)
			}
		}
	}
	if count < 30 {
		t.Errorf("only %d unsupported options in the table", count)
	}
	_, err := ParseArgv([]string{"--private-users"}, caller)
	if want := "--private-users: not supported by firn yet (user namespaces)"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
