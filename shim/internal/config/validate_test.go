package config

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"firn/tests/require"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	const at = webFile
	tests := []struct {
		argv, file string
		want       string
		err        error
	}{
		{"-b -M web", "", "", nil},
		{"-b -a", "", "-b and -a may not be combined", ErrConflict},
		{"--as-pid2 --boot", "", "--boot and --as-pid2 may not be combined", ErrConflict},
		{"", "[Exec]\nBoot=yes\nProcessTwo=yes\n", at + ":2: [Exec] Boot= and " + at + ":3: [Exec] ProcessTwo= may not be combined", ErrConflict},
		{"", "[Exec]\nBoot=no\nProcessTwo=yes\n", "", nil},
		{"-b", "[Exec]\nProcessTwo=yes\n", "", nil},
		{"-x --template=/t -M web", "", "-x and --template= may not be combined", ErrConflict},
		{"--template=/t", "", "--template=/t: needs --directory= or --machine=", nil},
		{"--template=/t -D d", "", "", nil},
		{"-x --link-journal=guest", "", "-x and --link-journal= may not be combined", ErrConflict},
		{"-x -j", "", "", nil},
		{"-x --link-journal=auto", "", "", nil},
		{"--ambient-capability=CAP_CHOWN", "", "", nil},
		{"-b --ambient-capability=CAP_CHOWN", "", "-b and --ambient-capability= may not be combined", ErrConflict},
		{"--ambient-capability=all", "", "--ambient-capability=all: ambient capabilities have to be named one by one", nil},
		{"--ambient-capability=CAP_SYSLOG", "", "--ambient-capability=CAP_SYSLOG: not among the capabilities that the container keeps, add it with --capability=", nil},
		{"--ambient-capability=CAP_SYSLOG --capability=CAP_SYSLOG", "", "", nil},
		{"--ambient-capability=CAP_CHOWN --drop-capability=CAP_CHOWN", "", "--ambient-capability=CAP_CHOWN: not among the capabilities that the container keeps, add it with --capability=", nil},
		{"", "[Exec]\nAmbientCapability=CAP_NET_ADMIN\n[Network]\nPrivate=yes\n", "", nil},
		{"", "[Network]\nBridge=a\nZone=b\n", at + ":2: [Network] Bridge= and " + at + ":3: [Network] Zone= may not be combined", ErrConflict},
		{"", "[Network]\nPort=80\n", at + ":2: [Network] Port=: needs a private network", nil},
		{"", "[Network]\nPort=80\nVirtualEthernet=yes\n", "", nil},
		{"", "[Exec]\nPivotRoot=/a\n", at + ":2: [Exec] PivotRoot=: not supported by firn yet (a second root in the image)", ErrUnsupported},
		{"", "[Exec]\nSuppressSync=yes\n", at + ":2: [Exec] SuppressSync=: not supported by firn yet (suppressing sync)", ErrUnsupported},
		{"", "[Exec]\nSuppressSync=no\n", "", nil},
		{"", "[Exec]\nPrivateUsers=pick\n", at + ":2: [Exec] PrivateUsers=pick: not supported by firn yet (user namespaces)", ErrUnsupported},
		{"", "[Exec]\nPrivateUsers=no\n[Files]\nPrivateUsersOwnership=auto\n", "", nil},
		{"--private-users=no", "[Exec]\nPrivateUsers=pick\n", "", nil},
		{"", "[Files]\nPrivateUsersOwnership=chown\n", at + ":2: [Files] PrivateUsersOwnership=: not supported by firn yet (user namespaces)", ErrUnsupported},
		{"", "[Files]\nBindUser=a\n", at + ":2: [Files] BindUser=: not supported by firn yet (user namespaces)", ErrUnsupported},
		{"", "[Exec]\nSystemCallFilter=@clock\n", at + ":2: [Exec] SystemCallFilter=: not supported by firn yet (system call filters)", ErrUnsupported},
	}
	for _, tt := range tests {
		argv, err := ParseArgv(strings.Fields(tt.argv), caller)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Merge(argv, settings(t, tt.file, true), SettingsYes)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Validate()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want || tt.err != nil && !errors.Is(err, tt.err) {
			t.Errorf("%s %q:\n got %s\nwant %s", tt.argv, tt.file, got, tt.want)
		}
	}
}

func TestStartMode(t *testing.T) {
	t.Parallel()
	for argv, want := range map[string]StartMode{"-b": StartBoot, "-a": StartPID2, "/init": StartPID1, "": StartPID1} {
		c, err := ParseArgv(strings.Fields(argv), caller)
		if err != nil || c.StartMode() != want {
			t.Errorf("%q: %v, %v; want %s", argv, c.StartMode(), err, want)
		}
	}
}

func TestNetworkAsked(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"":                                    "",
		"[Network]\nPrivate=no\n":             "",
		"[Network]\nVirtualEthernet=no\n":     "",
		"[Network]\nPrivate=yes\n":            ":2: [Network] Private=",
		"[Network]\nVirtualEthernet=yes\n":    ":2: [Network] VirtualEthernet=",
		"[Network]\nBridge=a\n":               ":2: [Network] Bridge=",
		"[Network]\nZone=a\n":                 ":2: [Network] Zone=",
		"[Network]\nVirtualEthernetExtra=a\n": ":2: [Network] VirtualEthernetExtra=",
		"[Network]\nInterface=a\n":            ":2: [Network] Interface=",
		"[Network]\nMACVLAN=a\n":              ":2: [Network] MACVLAN=",
		"[Network]\nIPVLAN=a\n":               ":2: [Network] IPVLAN=",
		"[Network]\nPort=1\n":                 ":2: [Network] Port=",
	}
	for text, want := range tests {
		from, asked := settings(t, text, true).Network.Asked()
		if asked != (want != "") || asked && from.String() != webFile+want {
			t.Errorf("%q: got %q, %v", text, from, asked)
		}
	}
}

// TestOracleConflicts: systemd-nspawn refuses the same combinations before it
// looks for a root directory, and no others of these.
func TestOracleConflicts(t *testing.T) {
	t.Parallel()
	nspawn := require.Program(t, "systemd-nspawn")
	require.Root(t) // it asks for that first
	missing := t.TempDir() + "/none"
	for _, line := range []string{
		"-b -a", "-a -b", "-b", "-a", "-b --ambient-capability=CAP_CHOWN", "--ambient-capability=CAP_CHOWN", "--ambient-capability=all",
		"--ambient-capability=CAP_SYSLOG", "--ambient-capability=CAP_SYSLOG --capability=CAP_SYSLOG",
		"--ambient-capability=CAP_CHOWN --drop-capability=CAP_CHOWN", "-b -u foo", "-b -P", "-x --read-only", "--volatile -x", "--keep-unit -S foo", "-x --template=/nonexistent",
	} {
		argv := append([]string{"--settings=no", "-D", missing}, strings.Fields(line)...)
		out, err := exec.Command(nspawn, argv...).CombinedOutput()
		if err == nil {
			t.Fatalf("%s: systemd-nspawn started", line)
		}
		// Past its checks it finds that the directory does not exist.
		refused := !strings.Contains(string(out), missing)
		c, err := ParseArgv(argv, caller)
		if err == nil {
			err = c.Validate()
		}
		if (err != nil) != refused {
			t.Errorf("%s: firn %v, systemd-nspawn %s", line, err, out)
		}
	}
}
