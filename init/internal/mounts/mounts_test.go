package mounts

import (
	"path"
	"slices"
	"strings"
	"testing"
)

func TestPoints(t *testing.T) {
	t.Parallel()
	const text = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /proc rw - proc proc rw
24 22 0:22 / /mnt/two\040words\134 rw - tmpfs tmpfs rw
25 22 0:22 / /mnt/odd\0 rw - tmpfs tmpfs rw
cut short
`
	got, err := Points(strings.NewReader(text))
	want := []string{"/", "/proc", `/mnt/two words\`, `/mnt/odd\0`}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for dir, want := range map[string]bool{"/mnt": true, "/proc": false, "/mnt/two": false} {
		if below(got, dir) != want {
			t.Errorf("below %s: %v", dir, !want)
		}
	}
}

// TestTable: a directory comes before those in it, on machines and in containers, and each target once.
func TestTable(t *testing.T) {
	t.Parallel()
	for _, machine := range []bool{true, false} {
		var seen []string
		for _, row := range For(machine) {
			if slices.Contains(seen, row.Target) {
				t.Errorf("machine %v: %s twice", machine, row.Target)
			}
			for _, s := range seen {
				if strings.HasPrefix(s, row.Target+"/") {
					t.Errorf("machine %v: %s after %s", machine, row.Target, s)
				}
			}
			if path.Clean(row.Target) != row.Target || row.Mode == 0 {
				t.Errorf("row %+v", row)
			}
			seen = append(seen, row.Target)
		}
		for _, need := range []string{"/proc", "/sys", "/dev", "/dev/pts", "/dev/shm", "/run", "/tmp", "/sys/fs/cgroup"} {
			if !slices.Contains(seen, need) {
				t.Errorf("machine %v: no %s", machine, need)
			}
		}
	}
	if Table[0].Target != "/proc" {
		t.Error("the first row is not /proc")
	}
}

func FuzzPoints(f *testing.F) {
	f.Add(`24 22 0:22 / /mnt/two\040words\134 rw - tmpfs tmpfs rw`)
	f.Fuzz(func(t *testing.T, text string) {
		points, err := Points(strings.NewReader(text))
		if err == nil && len(points) > strings.Count(text, "\n")+1 {
			t.Errorf("%d points in %q", len(points), text)
		}
	})
}
