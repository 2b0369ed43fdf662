package unit

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"firn/init/unitfile"
)

// read makes a unit of a text; %x is expanded to X and %! cannot be.
func read(t testing.TB, name Name, text string) *Unit {
	t.Helper()
	file, err := unitfile.Parse(strings.NewReader(text), "/etc/systemd/system/"+string(name))
	if err != nil {
		t.Fatal(err)
	}
	d := SystemDefaults()
	u := Parse(name, file, &d, func(v string) (string, error) {
		if strings.Contains(v, "%!") {
			return "", errors.New("not known on this system")
		}
		return strings.ReplaceAll(v, "%x", "X"), nil
	})
	u.Fragment = file.Name
	return u
}

func service(t testing.TB, lines string) *Unit {
	t.Helper()
	return read(t, "a.service", "[Service]\nExecStart=/bin/true\n"+lines)
}

func TestCommands(t *testing.T) {
	t.Parallel()
	tests := []struct {
		value string
		want  []Command
		bad   bool
	}{
		{"/bin/a b c", []Command{{"/bin/a", []string{"/bin/a", "b", "c"}, 0}}, false},
		{"/bin//a/./b", []Command{{"/bin/a/b", []string{"/bin/a/b"}, 0}}, false},
		{`/bin/a "b c" 'd "e' f\x20g \; "" $H`, []Command{{"/bin/a", []string{"/bin/a", "b c", `d "e`, "f g", ";", "", "$H"}, 0}}, false},
		{"/bin/a ; /bin/b 1 ; c", []Command{{"/bin/a", []string{"/bin/a"}, 0}, {"/bin/b", []string{"/bin/b", "1"}, 0}, {"c", []string{"c"}, 0}}, false},
		{"/bin/a b;c ';'", []Command{{"/bin/a", []string{"/bin/a", "b;c", ";"}, 0}}, false},
		{"-/bin/a", []Command{{"/bin/a", []string{"/bin/a"}, IgnoreFailure}}, false},
		{"@/bin/a zero one", []Command{{"/bin/a", []string{"zero", "one"}, 0}}, false},
		{"@-:+/bin/a zero", []Command{{"/bin/a", []string{"zero"}, IgnoreFailure | NoVariables | FullPrivileges}}, false},
		{"!/bin/a", []Command{{"/bin/a", []string{"/bin/a"}, NoUserSwitch}}, false},
		{"!!/bin/a", []Command{{"/bin/a", []string{"/bin/a"}, AmbientFallback}}, false},
		{"/bin/%x %x", []Command{{"/bin/X", []string{"/bin/X", "X"}, 0}}, false},
		{`/bin/a \q`, []Command{{"/bin/a", []string{"/bin/a", `\q`}, 0}}, false},
		{"relative/a", nil, true},
		{"/bin/a/", nil, true},
		{"+!/bin/a", nil, true},
		{"@/bin/a", nil, true},
		{"-", nil, false},
		{"/bin/a 'open", nil, true},
		{"/bin/%!", nil, true},
		{"-relative/a", nil, false},
	}
	for _, tt := range tests {
		u := read(t, "a.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/true\nExecStart="+tt.value+"\n")
		if tt.bad {
			want := "/etc/systemd/system/a.service:5: [Service] ExecStart="
			if u.State != BadSetting || !strings.HasPrefix(u.Err.Error(), want) {
				t.Errorf("%s: %s, %v", tt.value, u.State, u.Err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, u.Service.Commands[ExecStart]); diff != "" || u.State != Loaded {
			t.Errorf("%s: %s, %v\n%s", tt.value, u.State, u.Err, diff)
		}
	}
}

// TestSettings reads one line each and looks at one field.
func TestSettings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		lines string
		got   func(u *Unit) any
		want  any
	}{
		{"Type=notify", func(u *Unit) any { return []any{u.Service.Type, u.Service.NotifyAccess} }, []any{Notify, NotifyMain}},
		{"WatchdogSec=5", func(u *Unit) any { return u.Service.NotifyAccess }, NotifyMain},
		{"BusName=a.b", func(u *Unit) any { return u.Service.Type }, DBus},
		{"Type=oneshot", func(u *Unit) any { return u.Service.TimeoutStart }, Infinity},
		{"TimeoutSec=0", func(u *Unit) any { return u.Service.TimeoutStop }, Infinity},
		{"TimeoutStartSec=1min 5s", func(u *Unit) any { return u.Service.TimeoutStart }, 65 * time.Second},
		{"Delegate=yes", func(u *Unit) any { return u.Service.OOMPolicy }, OOMContinue},
		{"Delegate=cpu bogus pids", func(u *Unit) any { return u.Cgroup.DelegateControllers }, []string{"cpu", "pids"}},
		{"PIDFile=a.pid", func(u *Unit) any { return u.Service.PIDFile }, "/run/a.pid"},
		{"PIDFile=/var/run/a.pid", func(u *Unit) any { return u.Service.PIDFile }, "/run/a.pid"},
		{"SuccessExitStatus=TEMPFAIL 5 SIGKILL", func(u *Unit) any {
			s := &u.Service.SuccessExit
			return []bool{s.Code(75), s.Code(5), s.Code(6), s.Signal(9), s.Signal(10)}
		}, []bool{true, true, false, true, false}},
		{"SuccessExitStatus=5\nSuccessExitStatus=", func(u *Unit) any { return u.Service.SuccessExit.Code(5) }, false},
		{"LimitNOFILE=5:infinity", func(u *Unit) any { return u.Exec.Limits }, []Limit{{7, 5, math.MaxUint64}}},
		{"LimitCORE=1M\nLimitCORE=2M", func(u *Unit) any { return u.Exec.Limits }, []Limit{{4, 2 << 20, 2 << 20}}},
		{"LimitNICE=-5\nLimitCPU=1min\nLimitRTTIME=1s", func(u *Unit) any { return u.Exec.Limits }, []Limit{{13, 25, 25}, {0, 60, 60}, {15, 1e6, 1e6}}},
		{"Nice=-5", func(u *Unit) any { return u.Exec.Nice }, Number{-5, true}},
		{"CapabilityBoundingSet=CAP_CHOWN cap_kill", func(u *Unit) any { return u.Exec.CapabilityBoundingSet }, uint64(1<<0 | 1<<5)},
		{"CapabilityBoundingSet=~CAP_CHOWN", func(u *Unit) any { return u.Exec.CapabilityBoundingSet }, uint64(math.MaxUint64 &^ 1)},
		{"CapabilityBoundingSet=", func(u *Unit) any { return u.Exec.CapabilityBoundingSet }, uint64(0)},
		{"CapabilityBoundingSet=CAP_CHOWN CAP_KILL\nCapabilityBoundingSet=~CAP_KILL", func(u *Unit) any { return u.Exec.CapabilityBoundingSet }, uint64(1)},
		{"AmbientCapabilities=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_RAW", func(u *Unit) any { return u.Exec.AmbientCapabilities }, uint64(1<<10 | 1<<13)},
		{"Environment=\"A=1 2\" B=%x\nEnvironment=A=3", func(u *Unit) any { return u.Exec.Environment }, []string{"A=3", "B=X"}},
		{"EnvironmentFile=-/etc/a", func(u *Unit) any { return u.Exec.EnvironmentFiles }, []EnvironmentFile{{"/etc/a", true}}},
		{"WorkingDirectory=-/a/../b", func(u *Unit) any { return u.Exec.WorkingDirectory }, ""},
		{"WorkingDirectory=~", func(u *Unit) any { return u.Exec.WorkingDirectory }, "~"},
		{"StateDirectory=a b/c:d", func(u *Unit) any { return u.Exec.Directories[StateDirectory].Entries }, []Directory{{"a", []string{}}, {"b/c", []string{"d"}}}},
		{"RuntimeDirectoryMode=0750", func(u *Unit) any { return u.Exec.Directories[RuntimeDirectory].Mode }, uint32(0o750)},
		{"StandardOutput=append:/a\nStandardInput=fd:x", func(u *Unit) any { return []Stdio{u.Exec.Stdin, u.Exec.Stdout} }, []Stdio{{StdioFD, "x"}, {StdioAppend, "/a"}}},
		{"StandardInput=socket", func(u *Unit) any { return u.Exec.Stdout.Kind }, StdioInherit},
		{"StandardOutput=inherit", func(u *Unit) any { return u.Exec.Stdout.Kind }, StdioNull},
		{"StandardOutput=syslog", func(u *Unit) any { return u.Exec.Stdout.Kind }, StdioJournal},
		{"StandardInputText=a\\tb\nStandardInputData=Yw==", func(u *Unit) any { return []any{u.Exec.StdinData, u.Exec.Stdin.Kind} }, []any{"a\tb\nc", StdioData}},
		{"LoadCredential=a:/b\nLoadCredential=c", func(u *Unit) any { return u.Exec.LoadCredentials }, []Credential{{ID: "a", Source: "/b"}, {ID: "c", Source: "c"}}},
		{"SetCredential=a:b\\nc", func(u *Unit) any { return u.Exec.SetCredentials }, []Credential{{ID: "a", Data: "b\nc"}}},
		{"BindPaths=-/a:/b:norbind", func(u *Unit) any { return u.Exec.Binds }, []Bind{{"/a", "/b", false, true, false}}},
		{"IOSchedulingPriority=7", func(u *Unit) any { return u.Exec.IOScheduling }, IOScheduling{true, 2, 7}},
		{"CPUSchedulingPolicy=fifo", func(u *Unit) any { return u.Exec.CPUScheduling }, CPUScheduling{true, 1, 1, false}},
		{"CPUAffinity=0-2 65", func(u *Unit) any { return u.Exec.CPUAffinity }, []uint64{7, 2}},
		{"DynamicUser=yes", func(u *Unit) any { return []any{u.Exec.User, u.Exec.PrivateTmp} }, []any{"a", true}},
		{"KillSignal=TERM\nFinalKillSignal=SIGRTMIN+3", func(u *Unit) any { return []Signal{u.Kill.Signal, u.Kill.FinalSignal} }, []Signal{15, 37}},
		{"MemoryMax=1.5G", func(u *Unit) any { return u.Cgroup.MemoryMax }, Amount{Set: true, Value: 3 << 29}},
		{"MemoryMax=2G\nMemoryLimit=1G", func(u *Unit) any { return u.Cgroup.MemoryMax }, Amount{Set: true, Value: 2 << 30}},
		{"MemoryHigh=12.5%", func(u *Unit) any { n, _ := u.Cgroup.MemoryHigh.Of(8000); return n }, uint64(1000)},
		{"TasksMax=infinity", func(u *Unit) any { return u.Cgroup.TasksMax }, Amount{Set: true, Unlimited: true}},
		{"CPUQuota=150%", func(u *Unit) any { return u.Cgroup.CPUQuota }, uint32(15000)},
		{"CPUShares=512", func(u *Unit) any { return u.Cgroup.CPUWeight }, uint32(50)},
		{"IOReadBandwidthMax=/dev/a 5M", func(u *Unit) any { return u.Cgroup.IODevices }, []IODevice{{IOReadBandwidthMax, "/dev/a", 5000000}}},
		{"StartLimitInterval=0\nStartLimitBurst=9", func(u *Unit) any { return []any{u.StartLimitInterval, u.StartLimitBurst} }, []any{Span(0), uint32(9)}},
		{"[Unit]\nStartLimitIntervalSec=5\nFailureAction=poweroff-force", func(u *Unit) any { return []any{u.StartLimitInterval, u.FailureAction} }, []any{5 * time.Second, ActionPoweroffForce}},
		{"[Unit]\nDefaultDependencies=no\nAllowIsolate=on", func(u *Unit) any { return u.Options }, AllowIsolate},
		{"[Unit]\nWants=b@.service c.target b@.service a.service", func(u *Unit) any { return u.Deps }, Deps{{Wants, FromFile, "b@a.service"}, {Wants, FromFile, "c.target"}}},
		{"[Unit]\nConditionPathExists=|!/a/b/\nAssertUser=%x", func(u *Unit) any { return append(u.Conditions, u.Asserts...) },
			[]Condition{{CondPathExists, true, true, "/a/b"}, {CondUser, false, false, "X"}}},
		{"[Install]\nWantedBy=b.target b@.service\nAlias=c.service\nDefaultInstance=i", func(u *Unit) any { return u.Install },
			Install{Aliases: []Name{"c.service"}, WantedBy: []Name{"b.target", "b@.service"}, DefaultInstance: "i"}},
	}
	for _, tt := range tests {
		u := service(t, tt.lines+"\n")
		if diff := cmp.Diff(tt.want, tt.got(u)); diff != "" || u.State != Loaded && !strings.Contains(tt.lines, "bogus") {
			t.Errorf("%s: %s %v\n%s", tt.lines, u.State, u.Err, diff)
		}
	}
}

// TestWarnings: what does not fit is told with its place and does no harm.
func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"ExecStrat=/bin/a":           `3: [Service] ExecStrat: unknown key (did you mean ExecStart?)`,
		"After=b.service":            `3: [Service] After: unknown key: it belongs into [Unit]`,
		"Frobnicate=1":               `3: [Service] Frobnicate: unknown key`,
		"Restart=sometimes":          `3: [Service] Restart=sometimes: not one of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always`,
		"Nice=99":                    `3: [Service] Nice=99: out of range`,
		"Nice=x":                     `3: [Service] Nice=x: not a value of this setting`,
		"RemainAfterExit=":           `3: [Service] RemainAfterExit=: not a boolean (yes or no)`,
		"WatchdogSec=1 fortnight":    `3: [Service] WatchdogSec=1 fortnight: not a time span`,
		"StateDirectory=/abs":        `3: [Service] StateDirectory=/abs: not a clean path`,
		"StateDirectory=../up":       `3: [Service] StateDirectory=../up: not a clean path`,
		"EnvironmentFile=etc/x":      `3: [Service] EnvironmentFile=etc/x: not an absolute path`,
		"Environment=9=x":            `3: Environment=: "9=x": not an assignment to a variable`,
		"SuccessExitStatus=LUCK":     `3: SuccessExitStatus=: "LUCK" is no exit status and no signal`,
		"Environment=%!=1":           `3: [Service] Environment=%!=1: not known on this system`,
		"[Timer]\nOnCalendar=daily":  `3: [Timer] has no meaning in a service`,
		"[Unit]\nAfter=network":      `4: [Unit] After=network: not a unit name`,
		"[Install]\nAlias=x":         `4: [Install] Alias=x: not a unit name`,
		"no equals":                  `3: no "=" in line`,
		"CapabilityBoundingSet=CAP_": `3: CapabilityBoundingSet=: "CAP_" is no capability`,
	}
	for lines, want := range tests {
		u := service(t, lines+"\n")
		if u.State != Loaded || len(u.Warnings) != 1 || u.Warnings[0].String() != "/etc/systemd/system/a.service:"+want {
			t.Errorf("%s: %s, %v\n%q\nwant %q", lines, u.State, u.Err, u.Warnings, want)
		}
	}
	for _, lines := range []string{"X-Any=thing", "[X-Any]\nthing=1", "[Unit]\nX-Restart-Triggers=/nix/store/a"} {
		if u := service(t, lines+"\n"); len(u.Warnings)+len(u.Notes) != 0 {
			t.Errorf("%s: %v %v", lines, u.Warnings, u.Notes)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	u := service(t, "ProtectSystem=strict\nProtectSystem=full\nCPUAccounting=yes\nPrivateTmp=yes\n")
	var got []string
	for _, n := range u.Notes {
		got = append(got, n.Section+"."+n.Setting.Key+" "+n.Setting.Support.String())
	}
	want := []string{"Service.ProtectSystem unsupported", "Service.CPUAccounting ignored", "Service.PrivateTmp unsupported"}
	if !slices.Equal(got, want) || u.Notes[0].Line != 3 || !u.Exec.PrivateTmp {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestBadSetting: units that systemd does not load either.
func TestBadSetting(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name Name
		text string
		want error
	}{
		{"a.service", "[Service]\nType=simple\n", errNothingToDo},
		{"a.service", "[Service]\nExecStop=/bin/a\nType=simple\n", errNoStart},
		{"a.service", "[Service]\nExecStop=/bin/a\n", errNoRemain},
		{"a.service", "[Service]\nExecStart=/bin/a\nExecStart=/bin/b\n", errManyStarts},
		{"a.service", "[Service]\nType=oneshot\nExecStart=/bin/a\nRestart=always\n", errOneshotAgain},
		{"a.service", "[Service]\nType=dbus\nExecStart=/bin/a\n", errNoBusName},
		{"a.service", "[Service]\nExecStart=/bin/a\nPAMName=login\nKillMode=process\n", errPAMKillMode},
		{"a.service", "[Service]\nExecStart=/bin/a\nUser=a:b\n", errAccount},
		{"a.service", "[Service]\nExecStart=/bin/a\nWorkingDirectory=a\n", ErrNotAbsolute},
		{"a.socket", "[Socket]\nAccept=no\n", errNoListen},
		{"a.socket", "[Socket]\nListenDatagram=5\nAccept=yes\n", errNotAccepting},
		{"a.socket", "[Socket]\nListenStream=5\nAccept=yes\nService=b.service\n", errAcceptTarget},
		{"a.timer", "[Timer]\nOnCalendar=\n", errNoTimer},
		{"a.path", "[Path]\n", errNoWatch},
		{"a.mount", "[Mount]\nWhere=/b\nWhat=x\n", errWhere},
		{"a.mount", "[Mount]\nWhere=/a\n", errNoWhat},
		{"a.swap", "[Swap]\n", errNoWhat},
	}
	for _, tt := range tests {
		if u := read(t, tt.name, tt.text); u.State != BadSetting || !errors.Is(u.Err, tt.want) {
			t.Errorf("%s %q: %s, %v; want %v", tt.name, tt.text, u.State, u.Err, tt.want)
		}
	}
}

func TestSocketAddresses(t *testing.T) {
	t.Parallel()
	for address, ok := range map[string]bool{"80": true, "/run/a": true, "@a": true, "127.0.0.1:80": true, "[::1]:80": true,
		"[fe80::1%eth0]:80": true, "vsock:2:1234": true, "vsock::1234": true, "0": false, "65536": false, "a": false, "::1:80": false, "[127.0.0.1]:80": false,
		"127.0.0.1": false, "@": false, "/run/../a": false, "": false, "/" + strings.Repeat("a", 108): false} {
		if _, err := checkAddress(address); (err == nil) != ok {
			t.Errorf("%q: %v, want ok %v", address, err, ok)
		}
	}
	u := read(t, "a.socket", "[Socket]\nListenStream=80\nListenNetlink=route 5\nListenFIFO=/run/a\nListenStream=bad\nSocketMode=0600\nAccept=no\n")
	want := []Listen{{ListenStream, "80"}, {ListenNetlink, "route 5"}, {ListenFIFO, "/run/a"}}
	if diff := cmp.Diff(want, u.Socket.Listens); diff != "" || len(u.Warnings) != 1 || u.Socket.TriggerLimitBurst != 20 {
		t.Errorf("%v\n%s", u.Warnings, diff)
	}
	if family, group, err := NetlinkFamily("kobject-uevent 1"); family != 15 || group != 1 || err != nil {
		t.Errorf("netlink: %d %d %v", family, group, err)
	}
}
