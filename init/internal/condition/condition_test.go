package condition

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/init/internal/unit"
	"firn/tests/require"
)

// fakeRoot makes files by their text; "/" at the end is a directory, "->" before the text a link.
func fakeRoot(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		target, isLink := strings.CutPrefix(text, "->")
		switch {
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		case isLink:
			err = os.Symlink(target, p)
		default:
			err = os.WriteFile(p, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestHolds(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		"a/file": "text", "a/empty": "", "void/": "", "link": "->a/file", "dangling": "->nowhere", "usr/": "", "etc/": "", "var/": "",
		"etc/os-release":                         "ID=nixos\nVERSION_ID=\"24.05\"\n",
		"proc/meminfo":                           "MemTotal:        2097152 kB\n",
		"proc/1/cmdline":                         "/sbin/init\x00quiet\x00opt=1\x00",
		"proc/self/status":                       "Name:\tx\nCapBnd:\t00000000a80425fb\n",
		"proc/self/uid_map":                      "         0     100000      65536\n",
		"proc/cpuinfo":                           "flags\t\t: fpu sse2 hypervisor\n",
		"proc/pressure/memory":                   "some avg10=9.00 avg60=5.00 avg300=2.00 total=1\nfull avg10=8.00 avg60=4.00 avg300=1.00 total=1\n",
		"proc/pressure/cpu":                      "some avg10=9.00 avg60=5.00 avg300=2.00 total=1\n",
		"sys/fs/cgroup/cgroup.controllers":       "cpu memory pids\n",
		"sys/class/power_supply/AC/online":       "0\n",
		"run/credentials/@system/db.password":    "x",
		"sys/module/apparmor/parameters/enabled": "Y\n",
	})
	if err := os.Chmod(filepath.Join(root, "link"), 0o755); err != nil {
		t.Fatal(err)
	}
	e := &Env{Root: root, Container: "firn", Environ: []string{"LANG=C", "EMPTY="}, Hostname: "web1",
		MachineID: "0123456789abcdef0123456789abcdef", Kernel: "6.1.0-13-amd64", Architecture: "x86-64"}
	tests := map[string]bool{
		"PathExists=/a/file": true, "PathExists=/none": false, "PathExists=/link": true, "PathExists=/dangling": false,
		"PathExistsGlob=/a/f*": true, "PathExistsGlob=/b/*": false, "PathIsDirectory=/a": true, "PathIsDirectory=/a/file": false,
		"PathIsSymbolicLink=/link": true, "PathIsSymbolicLink=/a": false, "PathIsSymbolicLink=/dangling": true,
		"PathIsMountPoint=/a": false, "PathIsReadWrite=/a": true, "PathIsReadWrite=/none": false, "PathIsEncrypted=/": false,
		"DirectoryNotEmpty=/a": true, "DirectoryNotEmpty=/void": false, "DirectoryNotEmpty=/none": false,
		"FileNotEmpty=/a/file": true, "FileNotEmpty=/a/empty": false, "FileNotEmpty=/a": false,
		"FileIsExecutable=/a/file": true, "FileIsExecutable=/a/empty": false, "FileIsExecutable=/a": false,
		"Architecture=x86-64": true, "Architecture=native": true, "Architecture=arm64": false, "Firmware=uefi": false,
		"Virtualization=yes": true, "Virtualization=no": false, "Virtualization=container": true, "Virtualization=vm": false,
		"Virtualization=container-other": true, "Virtualization=firn": true, "Virtualization=lxc": false, "Virtualization=private-users": true,
		"Host=web*": true, "Host=db": false, "Host=01234567-89ab-cdef-0123-456789abcdef": true,
		"KernelCommandLine=quiet": true, "KernelCommandLine=opt": true, "KernelCommandLine=opt=1": true, "KernelCommandLine=opt=2": false,
		"KernelVersion=>=5.10": true, "KernelVersion=<6": false, "KernelVersion=> 6.0 <6.2": true, "KernelVersion=6.1.*": true,
		"Credential=db.password": true, "Credential=other": false, "Credential=../x": false,
		"Environment=LANG": true, "Environment=LANG=C": true, "Environment=LANG=D": false, "Environment=NONE": false,
		"Security=apparmor": true, "Security=selinux": false, "Security=tpm2": false, "Security=uefi-secureboot": false,
		"Capability=CAP_CHOWN": true, "Capability=CAP_SYS_MODULE": false, "Capability=CAP_SYS_ADMIN": false,
		"ACPower=false": true, "ACPower=true": false, "NeedsUpdate=/etc": true, "FirstBoot=no": true, "FirstBoot=yes": false,
		"User=root": true, "User=@system": true, "User=1000": false, "Group=0": true, "Group=wheel": false,
		"ControlGroupController=v2": true, "ControlGroupController=v1": false, "ControlGroupController=cpu memory": true, "ControlGroupController=io": false,
		"Memory=1G": true, "Memory=>2G": false, "Memory==2G": true, "CPUs=>=1": true, "CPUs=>100000": false,
		"CPUFeature=SSE2": true, "CPUFeature=avx512": false,
		"OSRelease=ID=nixos": true, "OSRelease=ID!=nixos": false, "OSRelease=VERSION_ID>=24 ID=nixos": true, "OSRelease=ID$=nix*": true,
		"MemoryPressure=1%": true, "MemoryPressure=0.5%": false, "MemoryPressure=4%/1min": true, "MemoryPressure=system.slice:7%/10s": false,
		"CPUPressure=2%": true, "CPUPressure=1%": false, "IOPressure=1%": true,
	}
	for text, want := range tests {
		if got, err := e.holds(parse(t, text)); got != want || err != nil {
			t.Errorf("%s: got %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"Virtualization=", "FirstBoot=maybe", "Memory=much", "CPUs=x", "Capability=CAP_FLY", "Security=luck",
		"NeedsUpdate=/usr", "OSRelease=ID", "MemoryPressure=5", "MemoryPressure=5%/2min", "KernelVersion=>=5 6", "Firmware=bios"} {
		if got, err := e.holds(parse(t, text)); got || !errors.Is(err, ErrParam) && text != "Virtualization=" {
			t.Errorf("%s: got %v, %v; want ErrParam", text, got, err)
		}
	}
}

func parse(t *testing.T, text string) *unit.Condition {
	t.Helper()
	name, param, _ := strings.Cut(text, "=")
	for kind := range unit.ConditionKinds {
		if kind.String() == name {
			return &unit.Condition{Kind: kind, Param: param}
		}
	}
	t.Fatalf("%s: no such condition", name)
	return nil
}

func TestCheck(t *testing.T) {
	t.Parallel()
	e := &Env{Root: fakeRoot(t, map[string]string{"yes": "x"})}
	yes := unit.Condition{Kind: unit.CondPathExists, Param: "/yes"}
	no := unit.Condition{Kind: unit.CondPathExists, Param: "/no"}
	bad := unit.Condition{Kind: unit.CondFirstBoot, Param: "maybe"}
	or := func(c unit.Condition) unit.Condition { c.Trigger = true; return c }
	not := func(c unit.Condition) unit.Condition { c.Negate = true; return c }
	tests := map[string]struct {
		list   []unit.Condition
		failed int // -1: it holds
		bad    bool
	}{
		"none":                     {nil, -1, false},
		"all":                      {[]unit.Condition{yes, not(no)}, -1, false},
		"one fails":                {[]unit.Condition{yes, no}, 1, false},
		"one trigger":              {[]unit.Condition{or(no), or(yes), or(no)}, -1, false},
		"no trigger":               {[]unit.Condition{yes, or(no), or(not(yes))}, 2, false},
		"a trigger is not enough":  {[]unit.Condition{or(yes), no}, 1, false},
		"undecided does not hold":  {[]unit.Condition{bad}, 0, true},
		"nor does its negation":    {[]unit.Condition{not(bad)}, 0, true},
		"undecided beside trigger": {[]unit.Condition{or(bad), or(yes)}, -1, true},
	}
	for name, tt := range tests {
		ok, failed, err := e.Check(tt.list)
		if ok != (tt.failed < 0) || (err != nil) != tt.bad || !ok && failed != &tt.list[tt.failed] {
			t.Errorf("%s: %v, %v, %v", name, ok, failed, err)
		}
	}
}

// TestAllKinds: the table has no hole.
func TestAllKinds(t *testing.T) {
	t.Parallel()
	for kind := range unit.ConditionKinds {
		if tests[kind] == nil {
			t.Errorf("%s is not answered", kind)
		}
	}
}

// TestOracleVersions compares generated pairs with systemd's own order.
func TestOracleVersions(t *testing.T) {
	t.Parallel()
	analyze := require.Program(t, "systemd-analyze")
	r := rand.New(rand.NewPCG(1, 2))
	version := func() string {
		var out strings.Builder
		for range 1 + r.IntN(6) {
			out.WriteString([]string{"0", "1", "2", "10", "007", "a", "b", "rc", "~", "-", "^", ".", "_"}[r.IntN(13)])
		}
		return out.String()
	}
	for range 150 {
		a, b := "1"+version(), "1"+version()
		out, err := exec.Command(analyze, "compare-versions", "--", a, b).CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		want := map[int]int{0: 0, 11: 1, 12: -1}[cmdCode(err)]
		if got := compareVersions(a, b); got != want {
			t.Errorf("%s and %s: got %d, systemd says %s", a, b, got, out)
		}
	}
}

func cmdCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// TestOracleConditions compares with systemd on this machine itself.
func TestOracleConditions(t *testing.T) {
	t.Parallel()
	analyze := require.Program(t, "systemd-analyze")
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Fatal(err)
	}
	e := &Env{Kernel: strings.TrimSpace(string(release))}
	for _, text := range []string{"PathExists=/etc/passwd", "PathExists=/none", "PathExistsGlob=/etc/pass*", "PathIsMountPoint=/proc",
		"PathIsMountPoint=/etc/passwd", "PathIsReadWrite=/proc", "PathIsReadWrite=/none", "DirectoryNotEmpty=/etc", "FileIsExecutable=/bin/sh",
		"PathIsSymbolicLink=/etc/mtab", "FileNotEmpty=/dev/null", "KernelVersion=>=4.0", "KernelVersion=<4", "Memory=>1M", "Memory=>1P", "CPUs=1",
		"ControlGroupController=v2", "Capability=CAP_CHOWN", "CPUFeature=fpu", "MemoryPressure=100%", "ACPower=true", "Security=apparmor",
		"Security=selinux", "Security=ima", "FirstBoot=no"} {
		err := exec.Command(analyze, "condition", "Condition"+text).Run()
		got, problem := e.holds(parse(t, text))
		if got != (err == nil) || problem != nil {
			t.Errorf("%s: got %v, %v; systemd says %v", text, got, problem, fmt.Sprint(err))
		}
	}
}
