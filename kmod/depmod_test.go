package kmod

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func gzipOf(t testing.TB, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// depmodText runs depmod over files and returns its text output and warnings.
func depmodText(t *testing.T, files map[string]string, change func(*Depmod, string)) (text string, warnings []string, err error) {
	t.Helper()
	dir := t.TempDir()
	writeFiles(t, dir, files)
	d := &Depmod{Dir: dir, Release: testRelease, Config: &DepmodConfig{}, Warn: func(err error) {
		if !strings.Contains(err.Error(), "modules.") {
			warnings = append(warnings, strings.ReplaceAll(err.Error(), dir+"/", ""))
		}
	}}
	if change != nil {
		change(d, dir)
	}
	if err := d.Run(); err != nil {
		return "", warnings, err
	}
	var out bytes.Buffer
	err = d.WriteText(&out)
	return out.String(), warnings, err
}

func TestDepmod(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"kernel/low.ko":    fakeModule{exports: []string{"low_sym"}, info: []string{"alias=fs-low", "softdep=pre: x", "weakdep=w"}}.String(),
		"kernel/mid.ko.gz": gzipOf(t, fakeModule{exports: []string{"mid_sym"}, wants: []string{"low_sym", "printk"}, info: []string{"alias=devname:sub/mid", "alias=char-major-10-7"}}.bytes()),
		"kernel/top.ko":    fakeModule{wants: []string{"mid_sym", "low_sym"}, info: []string{"alias=devname:lost"}}.String(),
		"build/hidden.ko":  "", "source/hidden.ko": "",
	}
	text, warnings, err := depmodText(t, files, func(_ *Depmod, dir string) {
		for link, target := range map[string]string{"kernel/loop": "..", "kernel/self": "self", "kernel/linked.ko": "../real.ko"} {
			if err := os.Symlink(target, dir+"/"+link); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `kernel/low.ko:
kernel/mid.ko.gz: kernel/low.ko
kernel/top.ko: kernel/mid.ko.gz kernel/low.ko
# Aliases extracted from modules themselves.
alias fs-low low
alias devname:sub/mid mid
alias char-major-10-7 mid
alias devname:lost top
# Soft dependencies extracted from modules themselves.
softdep low pre: x
# Weak dependencies extracted from modules themselves.
weakdep low w
# Aliases for symbols, used by symbol_request().
alias symbol:mid_sym mid
alias symbol:low_sym low
# Device nodes to trigger on-demand module loading.
mid sub/mid c10:7
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"module top has devname (lost) but lacks major and minor information"}, warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestDepmodCycle(t *testing.T) {
	t.Parallel()
	_, _, err := depmodText(t, map[string]string{
		"a.ko": fakeModule{exports: []string{"a"}, wants: []string{"b"}}.String(), "b.ko": fakeModule{exports: []string{"b"}, wants: []string{"c"}}.String(),
		"c.ko": fakeModule{exports: []string{"c"}, wants: []string{"a"}}.String(), "d.ko": fakeModule{wants: []string{"a"}}.String(),
		"e.ko": fakeModule{exports: []string{"e"}, wants: []string{"f"}}.String(), "f.ko": fakeModule{exports: []string{"f"}, wants: []string{"e"}}.String(),
	}, nil)
	if !errors.Is(err, ErrCycle) || err.Error() != "dependency cycle: a -> b -> c -> a; e -> f -> e" {
		t.Errorf("%v", err)
	}
}

func TestDepmodErrsyms(t *testing.T) {
	t.Parallel()
	files := map[string]string{"a.ko": fakeModule{wants: []string{"known", "other", "missing"}}.String(), "b.ko": "no ELF file", "symvers": "0x00001000\tknown\tvmlinux\tEXPORT_SYMBOL\n0x00000001\tother\tvmlinux\tEXPORT_SYMBOL\nbad line\n"}
	_, warnings, err := depmodText(t, files, func(d *Depmod, dir string) {
		if d.Kernel, _ = ReadSymvers(dir + "/symvers"); d.Kernel == nil {
			t.Fatal("symvers")
		}
	})
	want := []string{"read symbols of b.ko: corrupt file: b.ko is no ELF file", "a.ko disagrees about version of symbol other", "a.ko needs unknown symbol missing"}
	if diff := cmp.Diff(want, warnings); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Files are replaced as a whole, and -A sees what is newer.
func TestDepmodWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"k/a.ko": fakeModule{info: []string{"alias=x"}}.String(), "modules.dep": "old", "modules.builtin": "k/in.ko\n"})
	d := &Depmod{Dir: dir, Config: &DepmodConfig{}, Warn: func(error) {}}
	if err := d.Run(); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	names, err := listIn("", dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".tmp") {
			t.Errorf("%s is left", name)
		}
	}
	c := New(Options{Root: t.TempDir(), Trees: []string{dir}})
	defer c.Close()
	if found, err := c.Lookup("x"); err != nil || found[0].Name != "a" || found[0].Path != dir+"/k/a.ko" {
		t.Errorf("%v %v", found, err)
	}
	if builtin, err := c.Builtin("in"); err != nil || !builtin {
		t.Errorf("%v %v", builtin, err)
	}
	if fresh, err := d.UpToDate(); err != nil || !fresh {
		t.Errorf("just written: up to date %v, %v", fresh, err)
	}
	if err := os.Remove(dir + "/modules.dep"); err != nil {
		t.Fatal(err)
	}
	if fresh, err := d.UpToDate(); err != nil || fresh {
		t.Errorf("without modules.dep: up to date %v, %v", fresh, err)
	}
}
