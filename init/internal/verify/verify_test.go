package verify

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write golden files")

// tree is a root with a unit of each sort.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "etc/systemd/system")
	for name, text := range map[string]string{
		"good.service":           "[Unit]\nX-Reload-Triggers=a\n[Service]\nExecStart=/bin/good\nUser=www\n[X-Any]\na=b\n",
		"sandbox.service":        "[Service]\nExecStart=/bin/a\nProtectSystem=strict\nPrivateTmp=yes\nCPUAccounting=yes\n",
		"typo.service":           "[Service]\nExecStart=/bin/a\nExecStrat=/bin/b\nNice=99\n",
		"bad.service":            "[Service]\nExecStart=a/b\n",
		"broken.service":         "[Service\n",
		"job@.service":           "[Service]\nExecStart=/bin/job %i\nTTYVTDisallocate=yes\n",
		"off.service":            "",
		"good.service.d/10.conf": "[Service]\nExecStart=\nExecStart=/bin/better\nPrivateNetwork=yes\n",
	} {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestReport(t *testing.T) {
	t.Parallel()
	root := tree(t)
	tests := map[string]struct {
		args []string
		code int
	}{
		"all":   {nil, 1},
		"quiet": {[]string{"--quiet"}, 1},
		"one":   {[]string{"good", "job@.service"}, 0},
		"none":  {[]string{"absent.service"}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, problems strings.Builder
			if code := Run(append([]string{"--root", root}, tt.args...), &out, &problems); code != tt.code || problems.Len() > 0 {
				t.Errorf("exit code %d, want %d; %s", code, tt.code, &problems)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if out.String() != string(want) {
				t.Errorf("got:\n%swant:\n%s", &out, want)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--rot"}, {"--root"}, {"a b"}, {"../x"}} {
		var out, problems strings.Builder
		if code := Run(args, &out, &problems); code != exitUsage || !strings.HasPrefix(problems.String(), "firn-init: cannot verify: ") || out.Len() > 0 {
			t.Errorf("%q: exit code %d, %s", args, code, &problems)
		}
	}
	var out, problems strings.Builder
	if code := Run([]string{"--help"}, &out, &problems); code != 0 || out.String() != Usage {
		t.Errorf("--help: exit code %d, %s", code, &problems)
	}
	if code := Run([]string{"--root", "/nonexistent"}, &out, &problems); code != exitBad || !strings.Contains(problems.String(), "open root: ") {
		t.Errorf("a root that is not there: %d, %s", code, &problems)
	}
}
