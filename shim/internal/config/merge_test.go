package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// summary writes down every setting of a Config as "path=value", from JSON, so
// that a new field cannot be forgotten.
func summary(t *testing.T, c *Config) string {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if value, ok := v["V"]; ok && len(v) == 2 {
				walk(path, value)
				return
			}
			for k, child := range v {
				if k != "From" {
					walk(path+"."+k, child)
				}
			}
		case []any:
			for i, child := range v {
				walk(fmt.Sprintf("%s[%d]", path, i), child)
			}
		default:
			out = append(out, fmt.Sprintf("%s=%v", path[1:], v))
		}
	}
	walk("", tree)
	slices.Sort(out)
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return s == "Action=run" || strings.HasPrefix(s, "Files[") }), " ")
}

// TestMerge: the expectations about groups were taken from systemd-nspawn 252.
func TestMerge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, argv, file string
		yes, override    string // result by mode; trusted is as yes
	}{
		{"one value", "--hostname=a", "[Exec]\nHostname=b\n", "Identity.Hostname=a", "Identity.Hostname=b"},
		{"no beats yes", "--notify-ready=no", "[Exec]\nNotifyReady=yes\n", "Exec.NotifyReady=false", "Exec.NotifyReady=true"},
		{"file alone", "", "[Exec]\nHostname=b\nTimezone=off\n", "Host.Timezone=off Identity.Hostname=b", "Host.Timezone=off Identity.Hostname=b"},
		{"argv alone", "--timezone=off", "[Exec]\nHostname=b\n", "Host.Timezone=off Identity.Hostname=b", "Host.Timezone=off Identity.Hostname=b"},

		{"start: program", "-q /bin/a", "[Exec]\nProcessTwo=yes\nParameters=/bin/b\n",
			"Exec.Parameters[0]=/bin/a Quiet=true", "Exec.AsPID2=true Exec.Parameters[0]=/bin/b Quiet=true"},
		{"start: mode drops parameters", "-a", "[Exec]\nBoot=no\nParameters=/bin/b\n",
			"Exec.AsPID2=true", "Exec.Boot=false Exec.Parameters[0]=/bin/b"},
		{"start: parameters of the file for the init of the command line", "-b", "[Exec]\nParameters=b\n",
			"Exec.Boot=true", "Exec.Boot=true Exec.Parameters[0]=b"},
		{"start: file alone", "", "[Exec]\nBoot=yes\nParameters=b\n", "Exec.Boot=true Exec.Parameters[0]=b", "Exec.Boot=true Exec.Parameters[0]=b"},

		{"environment is a group", "-EC=3", "[Exec]\nEnvironment=A=1\n",
			"Exec.Environment[0].Name=C Exec.Environment[0].Value=3", "Exec.Environment[0].Name=A Exec.Environment[0].Value=1"},
		{"mounts are a group", "--tmpfs=/a", "[Files]\nBind=/b\nInaccessible=/c\n",
			"Mounts[0].Kind=tmpfs Mounts[0].Target=/a",
			"Mounts[0].Kind=bind Mounts[0].Sources[0].Base=host Mounts[0].Sources[0].Path=/b Mounts[0].Target=/b Mounts[1].Kind=inaccessible Mounts[1].Target=/c"},
		{"capabilities are a group", "--capability=CAP_SYSLOG", "[Exec]\nDropCapability=CAP_MKNOD\n",
			"Security.Capability[0].Name=CAP_SYSLOG",
			"Security.Capability[0].Name=CAP_SYSLOG Security.DropCapability[0].Name=CAP_MKNOD"},
		{"capabilities: the file's beats what was dropped", "--drop-capability=CAP_MKNOD,CAP_KILL", "[Exec]\nCapability=CAP_MKNOD\n",
			"Security.DropCapability[0].Name=CAP_MKNOD Security.DropCapability[1].Name=CAP_KILL",
			"Security.Capability[0].Name=CAP_MKNOD Security.DropCapability[0].Name=CAP_KILL"},
		{"no-new-privileges is none of them", "--capability=CAP_SYSLOG", "[Exec]\nNoNewPrivileges=yes\n",
			"Security.Capability[0].Name=CAP_SYSLOG Security.NoNewPrivileges=true", "Security.Capability[0].Name=CAP_SYSLOG Security.NoNewPrivileges=true"},
		{"each limit is a group", "--rlimit=NOFILE=1", "[Exec]\nLimitNOFILE=2\nLimitNPROC=3\n",
			"Limits.Rlimits.RLIMIT_NOFILE.Hard=1 Limits.Rlimits.RLIMIT_NOFILE.Soft=1 Limits.Rlimits.RLIMIT_NPROC.Hard=3 Limits.Rlimits.RLIMIT_NPROC.Soft=3",
			"Limits.Rlimits.RLIMIT_NOFILE.Hard=2 Limits.Rlimits.RLIMIT_NOFILE.Soft=2 Limits.Rlimits.RLIMIT_NPROC.Hard=3 Limits.Rlimits.RLIMIT_NPROC.Soft=3"},
		{"users", "--private-users=no", "[Exec]\nPrivateUsers=pick\n[Files]\nPrivateUsersOwnership=map\n",
			"Users.Private.Mode=no", "Users.Ownership=map Users.Private.Mode=pick"},
		{"firn's root", "", "[Firn]\nRoot=/r\nInit=firn\n", "Firn.Init=firn Firn.Root=/r Root.Directory=/r", "Firn.Init=firn Firn.Root=/r Root.Directory=/r"},
		{"firn's root and -D", "-D /d", "[Firn]\nRoot=/r\n", "Firn.Root=/r Root.Directory=/d", "Firn.Root=/r Root.Directory=/r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			argv, err := ParseArgv(strings.Fields(tt.argv), caller)
			if err != nil {
				t.Fatal(err)
			}
			if argv.Root.Directory.From == fromDir {
				argv.Root.Directory = Value[string]{}
			}
			file := settings(t, tt.file, true)
			argvBefore, fileBefore := argv.clone(), file.clone()
			for mode, want := range map[SettingsMode]string{
				SettingsYes: tt.yes, SettingsTrusted: tt.yes, SettingsOverride: tt.override, SettingsNo: summary(t, argv),
			} {
				merged, err := Merge(argv, file, mode)
				if err != nil {
					t.Fatal(err)
				}
				if got := summary(t, merged); got != want {
					t.Errorf("%s:\n got %s\nwant %s", mode, got, want)
				}
				scribble(merged)
			}
			if !reflect.DeepEqual(argv, argvBefore) || !reflect.DeepEqual(file, fileBefore) {
				t.Error("Merge shares memory with its arguments")
			}
		})
	}
}

// scribble writes over everything that a Config points to.
func scribble(c *Config) {
	for i := range c.Mounts {
		c.Mounts[i].Target = "?"
		for j := range c.Mounts[i].Sources {
			c.Mounts[i].Sources[j].Path = "?"
		}
	}
	for _, list := range [][]Capability{c.Security.Capability, c.Security.DropCapability, c.Security.Ambient} {
		for i := range list {
			list[i].Name = "?"
		}
	}
	for i := range c.Exec.Environment {
		c.Exec.Environment[i].Name = "?"
	}
	for i := range c.Exec.Parameters.V {
		c.Exec.Parameters.V[i] = "?"
	}
	for name := range c.Limits.Rlimits {
		c.Limits.Rlimits[name] = Value[Rlimit]{}
	}
}

// TestMergeTakesEverything: a file that holds every key, merged with an empty
// command line, loses nothing.
func TestMergeTakesEverything(t *testing.T) {
	t.Parallel()
	file, err := Settings{{Path: "everything.nspawn", Trusted: true}}.Read(testdata, SettingsYes, caller)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []SettingsMode{SettingsYes, SettingsOverride} {
		merged, err := Merge(&Config{Action: ActionRun}, file, mode)
		if err != nil {
			t.Fatal(err)
		}
		merged.Root.Directory = Value[string]{}
		if got, want := summary(t, merged), summary(t, file); got != want {
			t.Errorf("%s:\n got %s\nwant %s", mode, got, want)
		}
	}
}

func TestMergeWithoutFile(t *testing.T) {
	t.Parallel()
	argv, err := ParseArgv([]string{"-b", "-M", "web"}, caller)
	if err != nil {
		t.Fatal(err)
	}
	merged, err := Merge(argv, nil, SettingsYes)
	if err != nil || summary(t, merged) != "Exec.Boot=true Machine=web" {
		t.Errorf("got %s, %v", summary(t, merged), err)
	}
	if _, err := Merge(argv, nil, "sometimes"); err == nil {
		t.Error("a mode that is none was taken")
	}
	if argv.SettingsMode() != SettingsYes {
		t.Errorf("default mode %s", argv.SettingsMode())
	}
}
