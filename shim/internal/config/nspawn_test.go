package config

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"firn/init/unitfile"
)

const webFile = "/etc/systemd/nspawn/web.nspawn"

func parseSettings(text string, trusted bool) (*Config, error) {
	f, err := unitfile.Parse(strings.NewReader(text), webFile)
	if err != nil {
		return nil, err
	}
	return ParseNspawn(f, trusted, caller)
}

func settings(t *testing.T, text string, trusted bool) *Config {
	t.Helper()
	c, err := parseSettings(text, trusted)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestParseNspawnGolden reads a file that holds every key there is.
func TestParseNspawnGolden(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/everything.nspawn")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "nspawn-trusted", settings(t, string(text), true))
	golden(t, "nspawn-untrusted", settings(t, string(text), false))

	f, err := unitfile.Parse(strings.NewReader(string(text)), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Keys() {
		_, used := f.Last(k.Section, k.Name)
		if unsupported := k.Name == "RestrictAddressFamilies" || k.Name == "BindUserShell"; used == unsupported {
			t.Errorf("[%s] %s= in testdata/everything.nspawn: %v", k.Section, k.Name, used)
		}
	}
}

// TestPrivileged compares the table with the manual: of an untrusted file these
// count, and no other.
func TestPrivileged(t *testing.T) {
	t.Parallel()
	harmless := []string{"Boot", "ProcessTwo", "Parameters", "Environment", "User", "WorkingDirectory", "PivotRoot",
		"DropCapability", "NoNewPrivileges", "KillSignal", "Personality", "NotifyReady", "Hostname", "ResolvConf",
		"Timezone", "SuppressSync", "ReadOnly", "Volatile"}
	for _, k := range Keys() {
		if k.Privileged == slices.Contains(harmless, k.Name) {
			t.Errorf("[%s] %s=: privileged %v", k.Section, k.Name, k.Privileged)
		}
	}
}

func TestUntrustedFile(t *testing.T) {
	t.Parallel()
	c := settings(t, "[Exec]\nBoot=yes\nCapability=CAP_BOGUS\n[Files]\nBind=/etc\nReadOnly=yes\n[Firn]\nRoot=/x\n", false)
	if !c.Exec.Boot.V || !c.Root.ReadOnly.V {
		t.Error("harmless settings do not count")
	}
	if len(c.Security.Capability)+len(c.Mounts) != 0 || c.Firn.Root.Set {
		t.Errorf("privileged settings count: %+v", c)
	}
	var got []string
	for _, i := range c.Ignored {
		got = append(got, i.From.String()+" "+i.Reason)
	}
	want := []string{
		webFile + ":3: [Exec] Capability= privileged setting in an untrusted file",
		webFile + ":5: [Files] Bind= privileged setting in an untrusted file",
		webFile + ":8: [Firn] Root= privileged setting in an untrusted file",
	}
	if !slices.Equal(got, want) {
		t.Errorf("ignored: %q", got)
	}
}

func TestNspawnErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]string{ // text: error without the file's name
		"Boot=yes\n":                                ":1: assignment before the first section",
		"[Exec\n":                                   ":1: malformed section header",
		"[Exec]\nBoot\n":                            `:2: no "=" in line`,
		"[Exec]\n=yes\n":                            `:2: no key before "="`,
		"[Exec]\nUser=\xff\n":                       ":2: not valid UTF-8",
		"[Exec]\nUser=a\x00b\n":                     ":2: NUL byte in text",
		"\n[exec]\n":                                ":2: unknown section [exec] (did you mean [Exec]?)",
		"[Service]\n":                               ":1: unknown section [Service]",
		"[Fim]\n":                                   ":1: unknown section [Fim] (did you mean [Firn]?)",
		"[Exec]\nBoot=yes\nboot=no\n":               `:3: [Exec] unknown key "boot" (did you mean Boot?)`,
		"[Exec]\nExecStrat=x\n":                     `:2: [Exec] unknown key "ExecStrat"`,
		"[Exec]\nEnviroment=A=1\n":                  `:2: [Exec] unknown key "Enviroment" (did you mean Environment?)`,
		"[Exec]\nBind=/x\n":                         `:2: [Exec] unknown key "Bind" (it belongs to [Files])`,
		"[Network]\nbirdge=x\n":                     `:2: [Network] unknown key "birdge" (did you mean Bridge?)`,
		"[Firn]\nSytemPath=/x\n":                    `:2: [Firn] unknown key "SytemPath" (did you mean SystemPath?)`,
		"[Exec]\nBoot=perhaps\n":                    ":2: [Exec] Boot=perhaps: not a boolean (yes or no)",
		"[Exec]\nParameters=\"a\n":                  `:2: [Exec] Parameters="a: unbalanced quotes`,
		"[Exec]\nEnvironment=A\n":                   ":2: [Exec] Environment=A: not of the form NAME=VALUE",
		"[Exec]\nUser=a b\n":                        ":2: [Exec] User=a b: not a user name or number",
		"[Exec]\nWorkingDirectory=x\n":              ":2: [Exec] WorkingDirectory=x: not an absolute path",
		"[Exec]\nCapability=CAP_CHOWN CAP_X\n":      `:2: [Exec] Capability=CAP_CHOWN CAP_X: unknown capability "CAP_X"`,
		"[Exec]\nCapability=help\n":                 `:2: [Exec] Capability=help: unknown capability "help" (did you mean CAP_KILL?)`,
		"[Exec]\nKillSignal=SIGTREM\n":              ":2: [Exec] KillSignal=SIGTREM: unknown signal (did you mean SIGTERM?)",
		"[Exec]\nMachineID=1\n":                     ":2: [Exec] MachineID=1: not a UUID (32 hexadecimal digits, or in the form 8-4-4-4-12)",
		"[Exec]\nHostname=a/b\n":                    `:2: [Exec] Hostname=a/b: not a host name: character "/"`,
		"[Exec]\nLimitNOFILE=x\n":                   ":2: [Exec] LimitNOFILE=x: not a number",
		"[Exec]\nRestrictAddressFamilies=AF_UNIX\n": ":2: [Exec] RestrictAddressFamilies=AF_UNIX: not supported by firn yet (system call filters)",
		"[Exec]\nPivotRoot=/a:b\n":                  ":2: [Exec] PivotRoot=/a:b: not an absolute path",
		"[Exec]\nSystemCallFilter=a;b\n":            ":2: [Exec] SystemCallFilter=a;b: not a list of system calls and @groups",
		"[Files]\nBind=x\n":                         ":2: [Files] Bind=x: target: not an absolute path",
		"[Files]\n\nBind=/x:/y:z\n":                 `:3: [Files] Bind=/x:/y:z: unknown bind option "z"`,
		"[Files]\nOverlay=/x\n":                     ":2: [Files] Overlay=/x: an overlay needs at least two paths",
		"[Files]\nBindUser=a/b\n":                   ":2: [Files] BindUser=a/b: not a user name or number",
		"[Files]\nPrivateUsersOwnership=x\n":        ":2: [Files] PrivateUsersOwnership=x: not one of off, chown, map, foreign, auto",
		"[Network]\nBridge=br/9\n":                  `:2: [Network] Bridge=br/9: not an interface name: character "/"`,
		"[Network]\nBridge=0123456789abcdef\n":      ":2: [Network] Bridge=0123456789abcdef: interface name longer than 15 characters",
		"[Network]\nBridge=12\n":                    ":2: [Network] Bridge=12: not an interface name",
		"[Network]\nZone=0123456789abc\n":           `:2: [Network] Zone=0123456789abc: not a zone name: "vz-" and it must make an interface name`,
		"[Network]\nInterface=a b:\n":               ":2: [Network] Interface=a b:: interface name is empty",
		"[Network]\nVirtualEthernetExtra=:a\n":      ":2: [Network] VirtualEthernetExtra=:a: interface name is empty",
		"[Network]\nPort=sctp:1\n":                  ":2: [Network] Port=sctp:1: not a port: [tcp:|udp:]HOST[:CONTAINER], each from 1 to 65535",
		"[Network]\nPort=0\n":                       ":2: [Network] Port=0: not a port: [tcp:|udp:]HOST[:CONTAINER], each from 1 to 65535",
		"[Network]\nPort=80:65536\n":                ":2: [Network] Port=80:65536: not a port: [tcp:|udp:]HOST[:CONTAINER], each from 1 to 65535",
		"[Firn]\nInit=sbin/init\n":                  ":2: [Firn] Init=sbin/init: not auto, systemd, firn or an absolute path",
		"[Firn]\nRoot=x\n":                          ":2: [Firn] Root=x: not an absolute path",
	}
	for text, want := range tests {
		if _, err := parseSettings(text, true); err == nil || err.Error() != webFile+want {
			t.Errorf("%q:\n got %v\nwant %s%s", text, err, webFile, want)
		}
	}
	for text, sentinel := range map[string]error{
		"[Exc]\n": ErrUnknown, "[Exec]\nX=1\n": ErrUnknown, "[Files]\nBindUserShell=yes\n": ErrUnsupported, "[Exec]\nBoot=x\n": unitfile.ErrBool, "x=1\n": unitfile.ErrOutsideSection,
	} {
		if _, err := parseSettings(text, true); !errors.Is(err, sentinel) {
			t.Errorf("%q: %v is not %v", text, err, sentinel)
		}
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	c := settings(t, "[X-Ours]\nBoot=x\nfoo=bar\n[Exec]\nX-Note=anything\nBoot=yes\n", false)
	if !c.Exec.Boot.V || len(c.Ignored) != 0 {
		t.Errorf("got %+v", c)
	}
}

// TestEmptyValueResets: systemd.syntax(7); with drop-ins it is the only way to
// take something back.
func TestEmptyValueResets(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/everything.nspawn")
	if err != nil {
		t.Fatal(err)
	}
	full := string(text)
	for _, k := range Keys() {
		full += "[" + k.Section + "]\n" + k.Name + "=\n"
	}
	c := settings(t, full, true)
	if len(c.Limits.Rlimits) == 0 {
		c.Limits.Rlimits = nil
	}
	empty := Config{Action: ActionRun, Files: []string{webFile}}
	golden(t, "nspawn-empty", &empty)
	golden(t, "nspawn-empty", c)
}

func TestMountResetIsPerKind(t *testing.T) {
	t.Parallel()
	c := settings(t, "[Files]\nBind=/a\nBindReadOnly=/b\nTemporaryFileSystem=/c\nBind=\nBind=/d\n", true)
	var got []string
	for _, m := range c.Mounts {
		got = append(got, m.line())
	}
	if want := []string{"bind host:/b -> /b ro", "tmpfs -> /c", "bind host:/d -> /d"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestParametersAddUp(t *testing.T) {
	t.Parallel()
	c := settings(t, "[Exec]\nParameters=/bin/show \"x y\"\nParameters=z\n", true)
	if want := []string{"/bin/show", "x y", "z"}; !slices.Equal(c.Exec.Parameters.V, want) {
		t.Errorf("got %q", c.Exec.Parameters.V)
	}
}
