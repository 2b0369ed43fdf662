package config

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"firn/init/unitfile"
)

// check looks for what must hold of any Config, whoever made it.
func check(t *testing.T, c *Config) {
	t.Helper()
	if _, err := json.Marshal(c); err != nil {
		t.Errorf("marshal: %v", err)
	}
	for _, m := range c.Mounts {
		if !strings.HasPrefix(m.Target, "/") || m.Target == "/" || strings.Contains(m.Target, "/../") || strings.HasSuffix(m.Target, "/..") {
			t.Errorf("mount target %q", m.Target)
		}
		for _, s := range m.Sources {
			if (s.Path == "") != (s.Base == FromTemp) || s.Path != "" && s.Path[0] != '/' {
				t.Errorf("mount source %+v", s)
			}
		}
	}
	if c.Machine.Set && CheckMachineName(c.Machine.V) != nil {
		t.Errorf("machine name %q", c.Machine.V)
	}
	for _, v := range c.Exec.Environment {
		if strings.ContainsAny(v.Name+v.Value, "\x00") || strings.Contains(v.Name, "=") {
			t.Errorf("variable %q=%q", v.Name, v.Value)
		}
	}
	for name, limit := range c.Limits.Rlimits {
		if limit.V.Soft > limit.V.Hard {
			t.Errorf("%s: %+v", name, limit.V)
		}
	}
	for _, p := range []Value[string]{c.Root.Directory, c.Root.Template, c.Exec.WorkingDirectory, c.Firn.Root, c.Firn.SystemPath} {
		if p.Set && !strings.HasPrefix(p.V, "/") {
			t.Errorf("path %q from %s", p.V, p.From)
		}
	}
	_ = c.Validate()
	merged, err := Merge(c, c, SettingsOverride)
	if err != nil {
		t.Errorf("merge with itself: %v", err)
	} else if merged.Exec.Boot != c.Exec.Boot || len(merged.Mounts) != len(c.Mounts) {
		t.Error("merged with itself it is another")
	}
}

// checkError looks for what must hold of every message.
func checkError(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); text == "" || len(text) > 4096 || strings.ContainsAny(text, "\n\x1b\x00") {
		t.Errorf("message %q", text)
	}
}

// FuzzParseArgv takes the words of a command line separated by line breaks.
func FuzzParseArgv(f *testing.F) {
	for _, line := range oracleLines {
		f.Add(line)
	}
	f.Add("-qbMweb\n-D\n/x\n--bind=/a\\:b:+/c:norbind\n--\n--help")
	f.Fuzz(func(t *testing.T, text string) {
		argv := strings.Split(text, "\n")
		c, err := ParseArgv(argv, caller)
		if err != nil {
			checkError(t, err)
			return
		}
		check(t, c)
		if n := len(c.Exec.Parameters.V); n > 0 && c.Exec.Parameters.V[n-1] != argv[len(argv)-1] {
			t.Errorf("%q: parameters %q", argv, c.Exec.Parameters.V)
		}
	})
}

func FuzzParseNspawn(f *testing.F) {
	everything, err := os.ReadFile("testdata/everything.nspawn")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(everything))
	for _, k := range Keys() {
		f.Add("[" + k.Section + "]\n" + k.Name + "=1:2\n" + k.Name + "=\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		file, err := unitfile.Parse(strings.NewReader(text), "f")
		if err != nil {
			return
		}
		c, err := ParseNspawn(file, true, caller)
		if err != nil {
			checkError(t, err)
		} else {
			check(t, c)
		}
		c, err = ParseNspawn(file, false, caller)
		if err != nil {
			checkError(t, err)
			return
		}
		check(t, c)
		if len(c.Mounts)+len(c.Security.Capability)+len(c.Security.Ambient)+len(c.Limits.Rlimits) > 0 || c.Firn != (Firn{}) || !c.Network.isZero() {
			t.Error("a privileged setting of an untrusted file counts")
		}
	})
}
