package cgroups

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseHost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file string
		mode Mode
		// name, mount point, root, "ro" where read-only
		want []string
	}{
		{"hybrid", Hybrid, []string{
			"name=systemd /sys/fs/cgroup/systemd /",
			"v2 /sys/fs/cgroup/unified /",
			"cpu /sys/fs/cgroup/cpu /",
			"cpuacct /sys/fs/cgroup/cpuacct /",
			"cpuset /sys/fs/cgroup/cpuset /",
			"memory /sys/fs/cgroup/memory /",
			"devices /sys/fs/cgroup/devices /",
			"freezer /sys/fs/cgroup/freezer /",
			"blkio /sys/fs/cgroup/blkio /",
			"pids /sys/fs/cgroup/pids /",
		}},
		{"unified", Unified, []string{"v2 /sys/fs/cgroup /"}},
		{"unified-netcls", Unified, []string{"v2 /sys/fs/cgroup /"}},
		{"legacy-joint", Legacy, []string{
			"name=systemd /sys/fs/cgroup/systemd /",
			"net_cls,net_prio /sys/fs/cgroup/net_cls,net_prio /",
			"cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct /",
			"memory /sys/fs/cgroup/memory /",
		}},
		{"wsl", Hybrid, []string{
			"v2 /sys/fs/cgroup/unified /",
			"cpuset /sys/fs/cgroup/cpuset /",
			"pids /sys/fs/cgroup/pids /",
		}},
		{"openrc", Legacy, []string{
			"name=openrc /sys/fs/cgroup/openrc /",
			"pids /sys/fs/cgroup/pids /",
		}},
		{"docker-v1", Legacy, []string{
			"name=systemd /sys/fs/cgroup/systemd /docker/0123 ro",
			"memory /sys/fs/cgroup/memory /docker/0123 ro",
		}},
		// A cgroup2 over /sys/fs/cgroup covers the v1 mounts below it.
		{"covered", Unified, []string{"v2 /sys/fs/cgroup /"}},
		// A tmpfs hides name=systemd; of v2's two, the upper one counts.
		{"stacked", Unified, []string{"v2 /sys/fs/cgroup/unified / ro"}},
		// Of three mounts of one hierarchy the host's own is taken.
		{"twice", Unified, []string{"v2 /sys/fs/cgroup /"}},
		{"nspawn-payload", Hybrid, []string{
			"name=systemd /sys/fs/cgroup/systemd /",
			"v2 /sys/fs/cgroup/unified /",
			"memory /sys/fs/cgroup/memory / ro",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			h := hostFrom(t, tt.file)
			if h.Mode != tt.mode {
				t.Errorf("mode %v, want %v", h.Mode, tt.mode)
			}
			var got []string
			for _, hr := range h.Hierarchies {
				s := hr.String() + " " + hr.MountPoint + " " + hr.Root
				if hr.ReadOnly {
					s += " ro"
				}
				got = append(got, s)
			}
			if g, w := strings.Join(got, "\n"), strings.Join(tt.want, "\n"); g != w {
				t.Errorf("hierarchies:\n%s\nwant:\n%s", g, w)
			}
		})
	}
}

func hostFrom(t testing.TB, sample string) *Host {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/mountinfo", sample+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := ParseHost(f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestParseHostRefuses(t *testing.T) {
	t.Parallel()
	none, err := os.ReadFile("testdata/mountinfo/none.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", string(none)} {
		if _, err := ParseHost(strings.NewReader(text)); !errors.Is(err, ErrNoCgroups) {
			t.Errorf("ParseHost(%q): %v, want ErrNoCgroups", text, err)
		}
	}
	good := "23 27 0:22 / /sys rw - sysfs sysfs rw\n"
	for text, want := range map[string]string{
		"1 2 0:1 / /x rw sysfs sysfs rw\n":   `mountinfo:2: no separator " - "`,
		"1 2 0:1 / /x - cgroup2 cgroup2 rw":  "mountinfo:2: too few fields",
		"1 2 0:1 / /x rw - cgroup2 \n":       "mountinfo:2: too few fields",
		"x 2 0:1 / /x rw - cgroup2 a rw\n":   `mountinfo:2: mount ID "x" is no number`,
		"1 0x2 0:1 / /x rw - cgroup2 a rw\n": `mountinfo:2: parent ID "0x2" is no number`,
		"\n":                                 `mountinfo:2: no separator " - "`,
	} {
		if _, err := ParseHost(strings.NewReader(good + text)); err == nil || err.Error() != want {
			t.Errorf("ParseHost(%q): %v, want %s", text, err, want)
		}
	}
	// Mounts that are each other's parent are not the kernel's; they must
	// not hang us.
	cycle := "1 2 0:1 / /a rw - cgroup2 a rw\n2 1 0:1 / /b rw - cgroup2 a rw\n"
	if _, err := ParseHost(strings.NewReader(cycle)); err != nil {
		t.Errorf("cycle of parents: %v", err)
	}
}

func TestUnescape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`/a\040b`: "/a b", `\134`: `\`, `a\0401`: "a 1", `\04`: `\04`, `\9zz`: `\9zz`, `\777`: `\777`, `\012\043`: "\n#",
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestModeText(t *testing.T) {
	t.Parallel()
	for m, want := range map[Mode]string{Legacy: "legacy", Hybrid: "hybrid", Unified: "unified", Mode(7): "mode 7"} {
		if text, err := m.MarshalText(); err != nil || string(text) != want {
			t.Errorf("%d: %q, %v, want %q", m, text, err, want)
		}
	}
}

func FuzzParseHost(f *testing.F) {
	samples, err := filepath.Glob("testdata/mountinfo/*.txt")
	if err != nil || len(samples) == 0 {
		f.Fatal("no samples", err)
	}
	for _, s := range samples {
		text, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHost(strings.NewReader(text))
		if (h == nil) == (err == nil) {
			t.Fatalf("host %v with error %v", h, err)
		}
		if err != nil {
			return
		}
		keys := make(map[string]bool)
		for _, hr := range h.Hierarchies {
			if keys[hr.String()] || hr.String() == "" {
				t.Errorf("hierarchy %q is there twice, or has no name", hr)
			}
			keys[hr.String()] = true
		}
		if modeOf(h.Hierarchies) != h.Mode {
			t.Errorf("mode %v for %v", h.Mode, h.Hierarchies)
		}
	})
}
