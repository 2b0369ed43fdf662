package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/require"
)

// oracleSettings are assignments that systemd-nspawn 252 and ParseNspawn must
// both take or both refuse, by section.
var oracleSettings = []struct {
	section string
	lines   []string
}{
	{"Exec", []string{
		"Boot=yes", "Boot=Yes", "Boot=maybe", "ProcessTwo=no", "ProcessTwo=2", "Ephemeral=on", "Ephemeral=x",
		`Parameters=a "b c" 'd'`, `Parameters="a`, `Parameters=a\`, `Parameters=\x41 \q`, "Parameters=",
		"Environment=A=1", `Environment=A=1 "B=2 3"`, `Environment="A=1`, "Environment=",
		"User=root", "User=0", "User=",
		"WorkingDirectory=/a", "WorkingDirectory=a", "WorkingDirectory=/a/../b", "WorkingDirectory=",
		"PivotRoot=/a", "PivotRoot=/a:/b", "PivotRoot=a", "PivotRoot=/a:b",
		"Capability=CAP_CHOWN", "Capability=cap_chown CAP_KILL", "Capability=CAP_CHOWN,CAP_KILL", "Capability=all", "Capability=CAP_X", "Capability=12", "Capability=", `Capability="CAP_CHOWN"`,
		"DropCapability=CAP_CHOWN", "DropCapability=X", "AmbientCapability=CAP_CHOWN", "AmbientCapability=X",
		"NoNewPrivileges=1", "NoNewPrivileges=x", "KillSignal=TERM", "KillSignal=SIGRTMIN+3", "KillSignal=15", "KillSignal=x", "KillSignal=0", "KillSignal=",
		"Personality=x86", "Personality=x86-64", "Personality=vax",
		"MachineID=69a735f13ab74c67807f9dd3cb3a5f31", "MachineID=69a735f1-3ab7-4c67-807f-9dd3cb3a5f31", "MachineID=1", "MachineID=00000000000000000000000000000000",
		"PrivateUsers=no", "PrivateUsers=yes", "PrivateUsers=pick", "PrivateUsers=identity", "PrivateUsers=65536", "PrivateUsers=65536:65536", "PrivateUsers=65536:0", "PrivateUsers=x", "PrivateUsers=4294967295:1", "PrivateUsers=1:x",
		"NotifyReady=yes", "NotifyReady=x", "SuppressSync=yes", "SuppressSync=x",
		"SystemCallFilter=@clock bpf", "SystemCallFilter=~ptrace",
		"LimitNOFILE=1:2", "LimitNOFILE=2:1", "LimitNOFILE=x", "LimitNOFILE=1K", "LimitAS=1.5G", "LimitAS=1g", "LimitCPU=1min", "LimitCPU=x", "LimitRTTIME=1s", "LimitNICE=-5", "LimitNICE=41", "LimitCORE=infinity", "LimitSTACK=8M:infinity",
		"LimitBOGUS=1", "LimitFSIZE=", "LimitNOFILE=infinity:1", "LimitMSGQUEUE=800K", "LimitLOCKS=-1", "LimitSIGPENDING=1.5",
		"OOMScoreAdjust=-1000", "OOMScoreAdjust=1001", "OOMScoreAdjust=x", "CPUAffinity=0-3", "CPUAffinity=0 2,4", "CPUAffinity=x", "CPUAffinity=",
		"Hostname=a", "Hostname=a.b-c", "Hostname=a_b", "Hostname=-a", "Hostname=a.", "Hostname=",
		"ResolvConf=off", "ResolvConf=bind-stub", "ResolvConf=x", "Timezone=off", "Timezone=x", "LinkJournal=try-guest", "LinkJournal=yes", "LinkJournal=x",
		"Bogus=1", "boot=yes", "X-Bogus=1",
	}},
	{"Files", []string{
		"ReadOnly=yes", "ReadOnly=x", "Volatile=state", "Volatile=overlay", "Volatile=no", "Volatile=x",
		"Bind=/a", "Bind=a", "Bind=/a:b", "Bind=/a:/b:norbind", `Bind=/a\:b:/c`, "Bind=+/a:/b", "Bind=+a:/b", "Bind=:/b", `Bind=/a\`, "BindReadOnly=/a:/b", "BindReadOnly=a:b",
		"TemporaryFileSystem=/a", "TemporaryFileSystem=/a:size=1M", "TemporaryFileSystem=a", "Inaccessible=/a", "Inaccessible=a",
		"Overlay=/a:/b:/c", "Overlay=+/a::/c", "Overlay=/a", "Overlay=/a::/b:/c", "OverlayReadOnly=/a:/b", "OverlayReadOnly=/a:/b:c",
		"BindUser=root", "BindUser=a b", "BindUser=a/b", "BindUser=",
		"PrivateUsersOwnership=map", "PrivateUsersOwnership=x", "PrivateUsersChown=yes", "PrivateUsersChown=x", "Private=yes",
	}},
	{"Network", []string{
		"Private=yes", "Private=x", "VirtualEthernet=no", "VirtualEthernet=x",
		"VirtualEthernetExtra=a", "VirtualEthernetExtra=a:b", "VirtualEthernetExtra=a/b", "VirtualEthernetExtra=a:b:c", "VirtualEthernetExtra=:b", "VirtualEthernetExtra=0123456789abcdef",
		"Interface=a b", "Interface=a/b", "Interface=.", "Interface=12", "Interface=a%", "Interface=a:", "MACVLAN=eth0", "MACVLAN=eth/0", "IPVLAN=eth0", "IPVLAN=eth/0",
		"Bridge=br0", "Bridge=br/0", "Bridge=0123456789abcdef", "Bridge=", "Bridge=br 0", "Bridge=all", "Bridge=default",
		"Zone=dmz", "Zone=0123456789abc", "Zone=a/b", "Zone=012345678901",
		"Port=80", "Port=80:81", "Port=tcp:80:81", "Port=udp:53", "Port=sctp:80", "Port=0", "Port=65536", "Port=x", "Port=80:", "Port=tcp:", "Port=80:81:82", "Port=+80", "Port=010",
		"Bogus=1",
	}},
}

// oracleSettingsDiffer are those on which firn differs on purpose.
var oracleSettingsDiffer = map[string]string{
	"KillSignal=":   "an empty value takes back what was said before, for every key",
	"LimitFSIZE=":   "an empty value takes back what was said before, for every key",
	"Interface=a/b": "nspawn looks at the name when it looks for the interface",
	"Interface=.":   "nspawn looks at the name when it looks for the interface",
	"Interface=12":  "nspawn looks at the name when it looks for the interface",
	"Interface=a%":  "nspawn looks at the name when it looks for the interface",
	"Interface=a:":  "HOST:CONTAINER came with a newer version",
	"MACVLAN=eth/0": "nspawn looks at the name when it looks for the interface",
	"IPVLAN=eth/0":  "nspawn looks at the name when it looks for the interface",
	"Port=+80":      "a number with a sign is a slip",
}

// TestOracleSettings puts each line into a file beside an empty directory.
// systemd-nspawn reads it, complains of what it does not take, and then finds
// that the directory holds no system.
func TestOracleSettings(t *testing.T) {
	t.Parallel()
	nspawn := require.Program(t, "systemd-nspawn")
	require.Root(t) // it asks for that first
	root := filepath.Join(t.TempDir(), "web")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, s := range oracleSettings {
		for _, line := range s.lines {
			text := "[" + s.section + "]\n" + line + "\n"
			if err := os.WriteFile(root+".nspawn", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(nspawn, "--settings=trusted", "-D", root, "--register=no", "--keep-unit").CombinedOutput()
			if err == nil {
				t.Fatalf("systemd-nspawn started an empty directory:\n%s", out)
			}
			complaint, _, _ := strings.Cut(string(out), "\n")
			refused := strings.Contains(complaint, "web.nspawn:")
			_, err = parseSettings(text, true)
			reason, differs := oracleSettingsDiffer[line]
			if (err != nil) == refused == differs {
				t.Errorf("[%s] %s: firn %v, systemd-nspawn %q, known difference %q", s.section, line, err, complaint, reason)
			}
		}
	}
}
