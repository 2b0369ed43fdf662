package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// accept runs a parser over texts. A want that begins with "!" is an error that
// holds the rest of it.
func accept[T any](t *testing.T, parse func(string) (T, error), cases map[string]string) {
	t.Helper()
	for text, want := range cases {
		v, err := parse(text)
		got := fmt.Sprint(v)
		if problem, bad := strings.CutPrefix(want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), problem) {
				t.Errorf("%.70q: got %s, %v; want an error with %q", text, got, err, problem)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%.70q: got %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestParseMachine(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	accept(t, parseMachine, map[string]string{
		"web": "web", "a.b-c": "a.b-c", "A1": "A1", "1": "1", long: long,
		"":         "!empty value",
		"a/b":      `!character "/"`,
		"..":       `!"." at the start`,
		".":        `!"." at the start`,
		"a..b":     `!"." at the start`,
		"a.":       `!"." at the start, at the end or doubled`,
		"-a":       `!"-" at the start`,
		"a-.b":     `!"-" at the start`,
		"a_b":      `!character "_"`,
		"a b":      `!character " "`,
		"a\nb":     `!character "?"`,
		"ä":        `!character`,
		long + "a": "!65 characters, the most is 64",
	})
}

func TestMachineName(t *testing.T) {
	t.Parallel()
	tests := []struct {
		argv []string
		want string
	}{
		{[]string{"-M", "web", "-D", "/x"}, "web"},
		{[]string{"-D", "/var/lib/containers/web"}, "web"},
		{[]string{"-D", "/srv/my_ web-.1"}, "myweb.1"},
		{[]string{"-D", "/srv/" + strings.Repeat("a", 63) + ".b"}, strings.Repeat("a", 63)},
		{[]string{"-D", "/"}, "host"},
		{[]string{"-D", "/___"}, ""},
		{nil, "u"},
		{[]string{"--cleanup"}, ""},
	}
	for _, tt := range tests {
		c, err := ParseArgv(tt.argv, caller)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.MachineName("host")
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%q: got %q, %v; want %q", tt.argv, got, err, tt.want)
		}
	}
}

func TestParseUUID(t *testing.T) {
	t.Parallel()
	const id = "69a735f13ab74c67807f9dd3cb3a5f31"
	accept(t, parseUUID, map[string]string{
		id:                                     id,
		strings.ToUpper(id):                    id,
		"69a735f1-3ab7-4c67-807f-9dd3cb3a5f31": id,
		"69a735f1-3ab74c67-807f-9dd3cb3a5f31-": "!not a UUID",
		"":                                     "!not a UUID",
		id[1:]:                                 "!not a UUID",
		id[1:] + "g":                           "!not a UUID",
		strings.Repeat("0", 32):                "!all zero",
		"00000000-0000-0000-0000-000000000000": "!all zero",
	})
}

func TestParseUser(t *testing.T) {
	t.Parallel()
	accept(t, parseUser, map[string]string{
		"root": "root", "1000": "1000", "jürgen": "jürgen", "a.b": "a.b", "EXAMPLE+u": "EXAMPLE+u",
		"": "!empty", "a:b": "!not a user", "a/b": "!not a user", "-x": "!not a user", "a b": "!not a user", "a\x00": "!not a user",
	})
}

func TestParseSlice(t *testing.T) {
	t.Parallel()
	accept(t, parseSlice, map[string]string{
		"machine": "machine.slice", "machine.slice": "machine.slice", "a-b_c": "a-b_c.slice", "-": "-.slice", "-.slice": "-.slice",
		"": "!not a slice", ".slice": "!not a slice", "a--b": "!not a slice", "-a": "!not a slice", "a-": "!not a slice",
		"a/b": `!character "/"`, "a b": `!character " "`, strings.Repeat("a", 250): "!longer than 255",
	})
}

func TestParseSignal(t *testing.T) {
	t.Parallel()
	accept(t, ParseSignal, map[string]string{
		"TERM": "SIGTERM", "SIGTERM": "SIGTERM", "15": "SIGTERM", "1": "SIGHUP", "SYS": "SIGSYS",
		"RTMIN": "SIGRTMIN", "SIGRTMIN+3": "SIGRTMIN+3", "37": "SIGRTMIN+3", "RTMIN+30": "SIGRTMIN+30", "RTMAX": "SIGRTMIN+30", "SIGRTMAX-27": "SIGRTMIN+3", "64": "SIGRTMIN+30",
		"0": "!1 to 64", "65": "!1 to 64", "-1": "!1 to 64", "": "!unknown signal", "SIG": "!unknown signal",
		"RTMIN+31": "!unknown", "RTMIN-1": "!unknown", "RTMIN+": "!unknown", "RTMIN++3": "!unknown", "RTMAX+1": "!unknown", "RTMIN3": "!unknown",
		"SIGTREM": "!(did you mean SIGTERM?)", "sigterm": "!(did you mean SIGTERM?)", "RTMIM+3": "!(did you mean SIGRTMIN+3?)",
	})
	if got := Signal(0).String() + " " + Signal(99).String() + " " + Signal(32).String(); got != "0 99 32" {
		t.Errorf("signals without a name: %s", got)
	}
}

func TestParseCPUs(t *testing.T) {
	t.Parallel()
	accept(t, parseCPUs, map[string]string{
		"0": "[0]", "0-3": "[0 1 2 3]", "5,0-2,1": "[0 1 2 5]", "0 2\t4": "[0 2 4]", "0,,1,": "[0 1]", "8191": "[8191]", "2-2": "[2]",
		"": "!empty", ",": "!empty", "3-1": "!runs backwards", "8192": "!not a CPU number", "x": "!not a CPU number",
		"1-": "!not a CPU number", "-1": "!not a CPU number", "0-8192": "!not a CPU number", "+1": "!not a CPU number",
	})
}

func TestParseModes(t *testing.T) {
	t.Parallel()
	accept(t, parseLinkJournal, map[string]string{
		"no": "{no false}", "auto": "{auto false}", "host": "{host false}", "guest": "{guest false}", "try-host": "{host true}", "try-guest": "{guest true}",
		"yes": "{auto false}", "off": "{no false}", "try-auto": "!not one of", "try-no": "!not one of", "": "!not one of", "Host": "!not one of",
	})
	accept(t, parseVolatile, map[string]string{"1": "yes", "off": "no", "state": "state", "overlay": "overlay", "": "!not a boolean", "x": "!not a boolean"})
	accept(t, parseSettingsMode, map[string]string{"on": "yes", "0": "no", "override": "override", "trusted": "trusted", "": "!not a boolean"})
	accept(t, parseConsole, map[string]string{"pipe": "pipe", "read-only": "read-only", "readonly": "!(did you mean read-only?)", "": "!not one of"})
	accept(t, parseTimezone, map[string]string{"symlink": "symlink", "sumlink": "!(did you mean symlink?)"})
	accept(t, parseResolvConf, map[string]string{"bind-stub": "bind-stub", "copy": "!not one of off, auto", "": "!not one of"})
	accept(t, parsePersonality, map[string]string{"x86": "x86", "x86-64": "x86-64", "x86_64": "!(did you mean x86-64?)"})
	accept(t, parseOOMScore, map[string]string{"-1000": "-1000", "1000": "1000", "0": "0", "1001": "!-1000 to 1000", "x": "!-1000", "": "!-1000"})
	accept(t, parseInit, map[string]string{"auto": "auto", "firn": "firn", "systemd": "systemd", "/sbin/init": "/sbin/init", "": "!not auto", "sytemd": "!(did you mean systemd?)", "sbin/init": "!absolute"})
}

func TestParsePrivateUsers(t *testing.T) {
	t.Parallel()
	accept(t, parsePrivateUsers, map[string]string{
		"no": "{no 0 0}", "yes": "{yes 0 0}", "off": "{no 0 0}", "pick": "{pick 0 0}", "identity": "{identity 0 0}", "managed": "{managed 0 0}",
		"0": "{fixed 0 65536}", "1": "{fixed 1 65536}", "524288": "{fixed 524288 65536}", "65536:1000": "{fixed 65536 1000}",
		"": "!not a boolean", "x": "!not a boolean", "1:": "!not a number of ids", "1:0": "!not a number of ids", "4294967295": "!beyond the last", "4294967296": "!not a boolean",
	})
}

func TestRlimit(t *testing.T) {
	t.Parallel()
	parse := func(s string) (string, error) {
		b := &build{c: &Config{}}
		err := setRlimit(b, s, Origin{})
		var out []string
		for name, v := range b.c.Limits.Rlimits {
			out = append(out, fmt.Sprint(name, " ", v.V.Soft, " ", v.V.Hard))
		}
		return strings.Join(out, ";"), err
	}
	const inf = "18446744073709551615"
	accept(t, parse, map[string]string{
		"NOFILE=1024": "RLIMIT_NOFILE 1024 1024", "RLIMIT_NOFILE=1:2": "RLIMIT_NOFILE 1 2", "LimitNOFILE=1": "RLIMIT_NOFILE 1 1",
		"NOFILE=infinity": "RLIMIT_NOFILE " + inf + " " + inf, "NOFILE=5:infinity": "RLIMIT_NOFILE 5 " + inf,
		"NOFILE=0x10": "RLIMIT_NOFILE 16 16", "NOFILE=010": "RLIMIT_NOFILE 8 8",
		"AS=1.5G": "RLIMIT_AS 1610612736 1610612736", "CORE=0:1K": "RLIMIT_CORE 0 1024",
		"CPU=10": "RLIMIT_CPU 10 10", "CPU=1m30s": "RLIMIT_CPU 90 90", "CPU=1ms": "RLIMIT_CPU 1 1", "CPU=1500ms:2min": "RLIMIT_CPU 2 120", "CPU=infinity": "RLIMIT_CPU " + inf + " " + inf,
		"RTTIME=7": "RLIMIT_RTTIME 7 7", "RTTIME=1s": "RLIMIT_RTTIME 1000000 1000000",
		"NICE=+19": "RLIMIT_NICE 1 1", "NICE=-20": "RLIMIT_NICE 40 40", "NICE=5": "RLIMIT_NICE 5 5", "NICE=-0": "RLIMIT_NICE 20 20",
		"NOFILE": "!form LIMIT=VALUE", "NOFILE=": "!not a number", "NOFILE=2:1": "!soft limit above", "NOFILE=infinity:1": "!soft limit above",
		"NOFILE=1:2:3": "!not a number", "NOFILE=1K": "!not a number", "NOFILE=-1": "!not a number", "NOFILE=" + inf: "!not a number",
		"NICE=41": "!nice level", "NICE=+20": "!nice level", "NICE=infinity": "!nice level", "NICE=": "!nice level",
		"AS=-1": "!not a size", "CPU=x": "!not a time span",
		"NOFIEL=1": "!unknown limit RLIMIT_NOFIEL (did you mean RLIMIT_NOFILE?)", "nofile=1": "!(did you mean RLIMIT_NOFILE?)", "=1": "!unknown limit",
	})
}

func TestCapabilityNames(t *testing.T) {
	t.Parallel()
	accept(t, parseCapability, map[string]string{
		"CAP_SYS_ADMIN": "CAP_SYS_ADMIN", "cap_chown": "CAP_CHOWN", "0": "CAP_CHOWN", "40": "CAP_CHECKPOINT_RESTORE", "all": "all",
		"41": "!unknown", "ALL": "!unknown", "SYS_ADMIN": "!(did you mean CAP_SYS_ADMIN?)", "CAP_NETADMIN": "!(did you mean CAP_NET_ADMIN?)", "": "!unknown", "CAP_XYZZYQ": `!unknown capability "CAP_XYZZYQ"`,
	})
	for _, name := range defaultCapabilities {
		if !slices.Contains(capabilityNames, name) {
			t.Errorf("default %s has no number", name)
		}
	}
}

func TestBounding(t *testing.T) {
	t.Parallel()
	security := func(argv ...string) *Security {
		c, err := ParseArgv(argv, caller)
		if err != nil {
			t.Fatal(err)
		}
		return &c.Security
	}
	mask := func(names []string) uint64 {
		var m uint64
		for _, n := range names {
			m |= 1 << slices.Index(capabilityNames, n)
		}
		return m
	}
	// CapBnd in containers of systemd-nspawn 252, with CAP_SYS_RESOURCE (bit 24)
	// and CAP_LEASE, where the host lacks them, added back.
	tests := []struct {
		security *Security
		private  bool
		want     uint64
	}{
		{security(), false, 0xfdecafff},
		{security(), true, 0xfdecbfff},
		{security("--capability=CAP_SYSLOG"), false, 0x4fdecafff},
		{security("--drop-capability=CAP_CHOWN"), false, 0xfdecaffe},
		{security("--capability=all"), false, 1<<41 - 1},
		{security("--capability=all", "--drop-capability=CAP_SYS_ADMIN"), false, 1<<41 - 1 - 1<<21},
		{security("--capability=CAP_SYSLOG", "--drop-capability=CAP_SYSLOG"), false, 0xfdecafff},
		{security("--drop-capability=all"), false, 0},
	}
	for i, tt := range tests {
		if got := mask(tt.security.Bounding(tt.private)); got != tt.want {
			t.Errorf("case %d: %x, want %x", i, got, tt.want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	parse := func(s string) (string, error) {
		b := &build{c: &Config{}, caller: caller}
		err := setVariables(b, s, Origin{})
		var out []string
		for _, v := range b.c.Exec.Environment {
			out = append(out, fmt.Sprintf("%s=%q", v.Name, v.Value))
		}
		return strings.Join(out, " "), err
	}
	accept(t, parse, map[string]string{
		"A=1": `A="1"`, `A=1 B="x y" 'C=p q'`: `A="1" B="x y" C="p q"`, `A=a\x41\tb`: `A="a\\x41\\tb"`, "A=1 A=2": `A="2"`, "A=b=c": `A="b=c"`, "A=": `A=""`,
		"A": "!form NAME=VALUE", "1A=1": "!not the name", "=1": "!not the name", "A-B=1": "!not the name", "A=\xff": "!not UTF-8", `A="x`: "!unbalanced", "Ä=1": "!not the name",
	})
	none := &build{c: &Config{}}
	if err := setVariable(none, "HOME", Origin{}); err != nil || none.c.Exec.Environment[0].Value != "" {
		t.Errorf("a caller without environment: %v %v", none.c.Exec.Environment, err)
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	names := []string{"Boot", "Bind", "BindReadOnly", "Parameters"}
	for written, want := range map[string]string{
		"Bot": " (did you mean Boot?)", "boot": " (did you mean Boot?)", "Bidn": " (did you mean Bind?)", "Paramters": " (did you mean Parameters?)",
		"": "", "X": "", "Quux": "", strings.Repeat("Boot", 40): "",
	} {
		if got := didYouMean(written, names); got != want {
			t.Errorf("%q: got %q, want %q", written, got, want)
		}
	}
	for _, d := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}} {
		if got := editDistance(d.a, d.b); got != d.want {
			t.Errorf("%q to %q: %d, want %d", d.a, d.b, got, d.want)
		}
	}
}

func TestValueErrorIsPrintable(t *testing.T) {
	t.Parallel()
	_, err := ParseArgv([]string{"--chdir=\x1b[2J\n" + strings.Repeat("x", 500)}, caller)
	if err == nil || strings.ContainsAny(err.Error(), "\x1b\n") || len(err.Error()) > 300 {
		t.Errorf("got %q", err)
	}
}
