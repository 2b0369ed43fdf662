package cgroups

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestParseProcCgroup(t *testing.T) {
	t.Parallel()
	text := "12:cpu,cpuacct:/system.slice\n" +
		"1:name=systemd:/system.slice/a:b.service\n" +
		"0::/system.slice/gone (deleted)\n"
	got, err := ParseProcCgroup(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Membership{
		{Controllers: []string{"cpu", "cpuacct"}, Path: "/system.slice"},
		{Named: "systemd", Path: "/system.slice/a:b.service"},
		{V2: true, Path: "/system.slice/gone", Deleted: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for text, want := range map[string]string{
		"0::/\n1:name=systemd\n": "cgroup:2: fewer than 3 fields",
		"x::/\n":                 `cgroup:1: hierarchy ID "x" is no number`,
		"-1::/\n":                `cgroup:1: hierarchy ID "-1" is no number`,
		"0::relative":            `cgroup:1: path "relative" is not absolute`,
	} {
		if _, err := ParseProcCgroup(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("ParseProcCgroup(%q): %v, want %s", text, err, want)
		}
	}
}

func TestOwn(t *testing.T) {
	t.Parallel()
	const unit = "/system.slice/container-web.service"
	tests := []struct {
		name, host, cgroup string
		want               string // empty: ErrUnreachable
	}{
		{"hybrid takes name=systemd", "hybrid", "5:name=systemd:" + unit + "\n0::/elsewhere\n", unit},
		{"unified", "unified", "0::" + unit + "\n", unit},
		{"no name=systemd", "wsl", "3:pids:/p\n0::/init\n", "/init"},
		{"root", "unified", "0::/\n", "/"},
		{"nested root", "docker-v1", "1:name=systemd:/docker/0123/x\n", "/x"},
		{"nested root itself", "docker-v1", "1:name=systemd:/docker/0123\n", "/"},
		{"beside nested root", "docker-v1", "1:name=systemd:/docker/01234\n", ""},
		{"outside of the namespace", "unified", "0::/../other\n", ""},
		{"removed", "unified", "0::/x (deleted)\n", ""},
		{"not in the file", "unified", "4:pids:/x\n", ""},
		{"neither is mounted", "openrc", "4:pids:/x\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := hostFrom(t, tt.host)
			h.proc = t.TempDir()
			put(t, filepath.Join(h.proc, "77/cgroup"), tt.cgroup)
			got, err := h.Own(77)
			if tt.want == "" && !errors.Is(err, ErrUnreachable) || tt.want != "" && (err != nil || got != tt.want) {
				t.Errorf("Own: %q, %v, want %q", got, err, tt.want)
			}
		})
	}
	h := hostFrom(t, "unified")
	h.Hierarchies[0].Root = "/.."
	h.proc = t.TempDir()
	put(t, filepath.Join(h.proc, "77/cgroup"), "0::/\n")
	if got, err := h.Own(77); !errors.Is(err, ErrUnreachable) {
		t.Errorf("mount of a parent namespace: %q, %v, want ErrUnreachable", got, err)
	}
	if _, err := h.Own(78); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such process: %v, want ErrNotExist", err)
	}
}

// put writes a file of a fake root, its directories with it.
func put(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func FuzzParseProcCgroup(f *testing.F) {
	f.Add("12:cpu,cpuacct:/system.slice\n1:name=systemd:/a:b\n0::/x (deleted)\n")
	f.Add("0::/../..\n")
	f.Add(":::\n")
	if self, err := os.ReadFile(filepath.Join(procDir, strconv.Itoa(os.Getpid()), "cgroup")); err == nil {
		f.Add(string(self))
	}
	hosts := []*Host{hostFrom(f, "hybrid"), hostFrom(f, "docker-v1"), hostFrom(f, "unified")}
	f.Fuzz(func(t *testing.T, text string) {
		memberships, err := ParseProcCgroup(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, h := range hosts {
			own, err := h.Hierarchies[0].own(memberships)
			if err == nil && own != "/" && checkPath(own) != nil && !strings.ContainsRune(own, 0) {
				t.Errorf("own cgroup %q from %q: %v", own, text, checkPath(own))
			}
		}
	})
}
