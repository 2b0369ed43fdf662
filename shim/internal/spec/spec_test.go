package spec

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/cgroups"
	"firn/shim/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixed are the facts of an imagined host; golden files depend on nothing else.
func fixed() *Facts {
	return &Facts{
		Name: "web", Root: "/var/lib/containers/web", RunHost: "/run/firn/web/host",
		Capabilities: []string{"CAP_CHOWN", "CAP_KILL", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"},
		CgroupMode:   cgroups.Hybrid, CgroupPath: "/machine/web.nspawn/system",
		OSRelease: map[string]string{"ID": "debian", "VERSION_ID": "12"},
		Environ:   func(name string) string { return map[string]string{"TERM": "xterm"}[name] },
		Init:      "/usr/lib/systemd/systemd", Shell: "/bin/bash", UUID: strings.Repeat("0123456789abcdef", 2),
		User: User{Name: "root", Home: "/root"}, Memory: 1 << 30, FirnInit: true, Places: hostPlaces{},
	}
}

// hostPlaces finds everything where it was said to be.
type hostPlaces struct{}

func (hostPlaces) Source(s config.Source) (string, error) {
	switch {
	case s.Path == "/missing":
		return "", errors.New("source /missing does not exist on the host")
	case s.Base == config.FromTemp:
		return "/tmp/made", nil
	case s.Base == config.FromRoot:
		return "/var/lib/containers/web" + s.Path, nil
	}
	return s.Path, nil
}
func (hostPlaces) WorkDir(upper string) (string, error) { return upper + ".work", nil }
func (hostPlaces) Inaccessible(string) (string, error) {
	return "/run/firn/web/host/inaccessible/reg", nil
}

func parse(t *testing.T, argv ...string) *config.Config {
	t.Helper()
	c, err := config.ParseArgv(argv, config.Caller{Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// One golden file for each way to start: the whole description, as JSON.
func TestBuildGolden(t *testing.T) {
	t.Parallel()
	for name, argv := range map[string][]string{
		"seed":   {"-M", "web", "-D", "/r", "--bind-ro=/nix", "/nix/var/nix/profiles/system/init"},
		"boot":   {"-M", "web", "-D", "/r", "-b", "--console=pipe"},
		"mounts": {"-M", "web", "-D", "/r", "--bind=/b:/z/y:norbind", "--bind-ro=/a", "--tmpfs=/z:size=1M", "--overlay=/l1:/l2:/u:/ov", "--overlay-ro=+/l1:/l2:/or", "--inaccessible=/x", "/bin/true"},
		"limits": {"-M", "web", "-D", "/r", "--rlimit=RLIMIT_NOFILE=64:128", "--oom-score-adjust=500", "--personality=x86", "--no-new-privileges=yes", "--capability=CAP_NET_ADMIN", "--drop-capability=CAP_KILL", "--property=MemoryMax=50%", "--property=TasksMax=100", "--property=CPUQuota=150%", "/bin/true"},
	} {
		s, err := Build(parse(t, argv...), fixed())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != string(got)+"\n" {
			t.Errorf("%s: differs from %s; run with -update and read the diff", name, path)
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		argv  []string
		facts func(*Facts)
		want  string
	}{
		{argv: []string{"-D", "/r", "--bind=/missing", "/x"}, want: "--bind=: source /missing does not exist on the host"},
		{argv: []string{"-D", "/r", "--bind=/a:/b:idmap", "/x"}, want: "needs a user namespace"},
		{argv: []string{"-D", "/r", "-b"}, facts: func(f *Facts) { f.Init = "" }, want: "no init in the root"},
		{argv: []string{"-D", "/r", "-a", "/x"}, facts: func(f *Facts) { f.FirnInit = false }, want: "firn-init not found"},
		{argv: []string{"-D", "/r"}, facts: func(f *Facts) { f.Shell = "" }, want: "no shell"},
		{argv: []string{"-D", "/r", "--property=Foo=1", "/x"}, want: `property "Foo" is not one that firn applies`},
		{argv: []string{"-D", "/r", "--property=MemoryMax=lots", "/x"}, want: "want a size"},
		{argv: []string{"-D", "/r", "--property=MemoryHigh=1G", "/x"}, want: "cgroup v1 has no equivalent"},
	} {
		f := fixed()
		if tc.facts != nil {
			tc.facts(f)
		}
		if _, err := Build(parse(t, tc.argv...), f); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("Build(%q) = %v, want %q", tc.argv, err, tc.want)
		}
	}
}

func TestConsoleDefaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		option   string
		terminal bool
		want     config.ConsoleMode
	}{
		{"", true, config.ConsoleInteractive}, {"", false, config.ConsoleReadOnly},
		{"autopipe", true, config.ConsoleInteractive}, {"autopipe", false, config.ConsolePipe},
		{"passive", true, config.ConsolePassive}, {"pipe", true, config.ConsolePipe},
	} {
		argv := []string{"-D", "/r", "/x"}
		if tc.option != "" {
			argv = slices.Insert(argv, 2, "--console="+tc.option)
		}
		f := fixed()
		f.Terminal = tc.terminal
		s, err := Build(parse(t, argv...), f)
		if err != nil || s.Console != tc.want {
			t.Errorf("--console=%s, terminal %v: %v, %v; want %s", tc.option, tc.terminal, s, err, tc.want)
		}
	}
}

// Only an init gets its halt signal blocked: other programs would pass the
// mask on to their children.
func TestBlockedSignals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		argv []string
		want []config.Signal
	}{
		{[]string{"-b"}, []config.Signal{HaltSignal}},
		{[]string{"-b", "--kill-signal=SIGTERM"}, []config.Signal{15}},
		{[]string{"/nix/store/x/init"}, []config.Signal{HaltSignal}},
		{[]string{"-a", "/bin/sleep"}, []config.Signal{HaltSignal}},
		{[]string{"/bin/sleep"}, nil},
	} {
		s, err := Build(parse(t, append([]string{"-D", "/r"}, tc.argv...)...), fixed())
		if err != nil || !slices.Equal(s.Blocked, tc.want) {
			t.Errorf("%q: blocked %v, %v; want %v", tc.argv, s.Blocked, err, tc.want)
		}
	}
}

func TestWarnsOfCapabilitiesThatFirnLacks(t *testing.T) {
	t.Parallel()
	s, err := Build(parse(t, "-D", "/r", "--capability=CAP_SYS_TIME", "/x"), fixed())
	if err != nil || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "CAP_SYS_TIME") {
		t.Errorf("warnings %q, %v", s.Warnings, err)
	}
	if slices.Contains(s.OCI.Process.Capabilities.Bounding, "CAP_SYS_TIME") {
		t.Error("CAP_SYS_TIME was passed on")
	}
}
