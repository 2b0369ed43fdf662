package kmod_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"firn/tests/require"
)

// The oracle is Debian's kmod, run beside firn-kmod over the whole module trees
// of Debian's kernels (tests/kernels/fetch.sh): one difference in one byte of
// stdout, or in the exit code, fails.

// A kernelTree is one kernel in the cache.
type kernelTree struct {
	label, root, release, dir string
}

func cacheDir() string {
	if dir := os.Getenv("FIRN_CACHE"); dir != "" {
		return dir
	}
	return filepath.Join(os.Getenv("HOME"), ".cache/firn")
}

// oracleTrees returns the kernels; fetched once, if FIRN_REQUIRE insists on them.
func oracleTrees(t testing.TB) []kernelTree {
	t.Helper()
	require.Program(t, "kmod")
	if os.Getenv(require.Variable) != "" {
		fetchOnce.Do(func() {
			if out, err := exec.Command("../tests/kernels/fetch.sh").CombinedOutput(); err != nil {
				t.Fatalf("tests/kernels/fetch.sh: %v\n%s", err, out)
			}
		})
	}
	var trees []kernelTree
	for _, label := range []string{"6.1", "6.1-cloud", "6.12", "6.12-cloud"} {
		root := filepath.Join(cacheDir(), "kernels", label)
		require.File(t, root+"/version", "tests/kernels/fetch.sh")
		trees = append(trees, openKernel(t, label, root))
	}
	return trees
}

func openKernel(t testing.TB, label, root string) kernelTree {
	t.Helper()
	version, err := os.ReadFile(root + "/version")
	if err != nil {
		t.Fatal(err)
	}
	release := strings.TrimSpace(string(version))
	return kernelTree{label, root, release, root + "/lib/modules/" + release}
}

var (
	fetchOnce sync.Once
	buildOnce sync.Once
	binary    string
)

func TestMain(m *testing.M) {
	code := m.Run()
	if binary != "" {
		os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(code)
}

// program builds firn-kmod once.
func program(t testing.TB) string {
	t.Helper()
	buildOnce.Do(func() {
		dir, err := os.MkdirTemp("", "kmod-oracle")
		if err != nil {
			t.Fatal(err)
		}
		binary = dir + "/firn-kmod"
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "./cmd/firn-kmod")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build firn-kmod: %v\n%s", err, out)
		}
	})
	return binary
}

// both runs a kmod tool and ours and compares stdout and exit code. Arguments too
// long for one command are given in stdin's place by xargs-like batches.
func both(t *testing.T, tool string, args []string, operands []string) {
	t.Helper()
	const batch = 4000
	what := tool + " " + strings.Join(args, " ")
	if len(operands) == 1 {
		what += " " + operands[0]
	}
	for first := true; first || len(operands) > 0; first = false {
		n := min(batch, len(operands))
		all := append(append([]string{}, args...), operands[:n]...)
		operands = operands[n:]
		want, wantCode := run(t, require.Program(t, tool), all)
		got, gotCode := run(t, program(t), append([]string{tool}, all...))
		if wantCode != gotCode {
			t.Errorf("%s: exit code %d, want %d", what, gotCode, wantCode)
		}
		compare(t, what, want, got)
	}
}

func run(t testing.TB, name string, args []string) (stdout []byte, code int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	stdout, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatalf("run %s: %v", name, err)
	}
	return stdout, cmd.ProcessState.ExitCode()
}

// compare reports the first lines that differ.
func compare(t *testing.T, what string, want, got []byte) {
	t.Helper()
	if bytes.Equal(want, got) {
		return
	}
	w, g := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	shown := 0
	for i := 0; i < max(len(w), len(g)) && shown < 3; i++ {
		a, b := at(w, i), at(g, i)
		if a != b {
			t.Errorf("%s: line %d:\n kmod %q\n ours %q", what, i+1, a, b)
			shown++
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "<end>"
}

// fields returns word i of each line of a file that has as many as n.
func fields(t testing.TB, path string, i, n int) (words []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		if f := strings.Fields(line); len(f) >= n && f[0] != "#" {
			words = append(words, f[i])
		}
	}
	return words
}

// modules are the names of all modules of a tree, and of what is built in.
func (k kernelTree) modules(t testing.TB) (names []string) {
	for _, file := range []string{"/modules.dep", "/modules.builtin"} {
		for _, path := range fields(t, k.dir+file, 0, 1) {
			name, _, _ := strings.Cut(filepath.Base(path), ".")
			names = append(names, name)
		}
	}
	return names
}

// aliases are all aliases and symbols, as written and with every '*' filled in.
func (k kernelTree) aliases(t testing.TB) (names []string) {
	seen := map[string]bool{}
	for _, file := range []string{"/modules.alias", "/modules.symbols"} {
		for _, alias := range fields(t, k.dir+file, 1, 3) {
			for _, name := range []string{alias, strings.ReplaceAll(alias, "*", "00000001")} {
				if !seen[name] {
					seen[name] = true
					names = append(names, name)
				}
			}
		}
	}
	return names
}

func (k kernelTree) where() []string { return []string{"-d", k.root, "-S", k.release} }

func TestOracleModprobe(t *testing.T) {
	for _, k := range oracleTrees(t) {
		t.Run(k.label, func(t *testing.T) {
			t.Parallel()
			modules, aliases := k.modules(t), k.aliases(t)
			t.Logf("%d modules, %d aliases and symbols", len(modules), len(aliases))
			if len(modules) < 800 || len(aliases) < 8000 {
				t.Fatal("this is no full tree")
			}
			both(t, "modprobe", append(k.where(), "-a", "-D"), modules)
			both(t, "modprobe", append(k.where(), "-a", "-R"), modules)
			both(t, "modprobe", append(k.where(), "-a", "-R"), aliases)
			both(t, "modprobe", append(k.where(), "-a", "-D"), aliases)
			both(t, "modprobe", append(k.where(), "-a", "-n", "-v", "-i"), modules)
			both(t, "modprobe", append(k.where(), "-a", "-r", "-D"), modules)
			both(t, "modprobe", append(k.where(), "-c"), nil)
		})
	}
}

func TestOracleModinfo(t *testing.T) {
	for _, k := range oracleTrees(t) {
		t.Run(k.label, func(t *testing.T) {
			t.Parallel()
			where := []string{"-b", k.root, "-k", k.release}
			both(t, "modinfo", where, k.modules(t))
			if !strings.HasPrefix(k.label, "6.1-") {
				return // one tree will do for each option
			}
			for _, option := range []string{"-a", "-d", "-l", "-p", "-n", "-0", "-Fvermagic", "-Fsignature", "-Fnosuch", "-m"} {
				both(t, "modinfo", append(where, option), k.modules(t))
			}
			var paths []string
			for _, path := range fields(t, k.dir+"/modules.dep", 0, 1) {
				paths = append(paths, k.dir+"/"+strings.TrimSuffix(path, ":"))
			}
			both(t, "modinfo", nil, paths)
		})
	}
}

// indexFiles are what depmod writes. modules.weakdep is kmod 33's and left out:
// Debian 12's kmod does not know it.
var indexFiles = []string{
	"modules.dep", "modules.dep.bin", "modules.alias", "modules.alias.bin", "modules.softdep",
	"modules.symbols", "modules.symbols.bin", "modules.builtin.bin", "modules.builtin.alias.bin", "modules.devname",
}

func TestOracleDepmod(t *testing.T) {
	for _, k := range oracleTrees(t) {
		t.Run(k.label, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			if text, code := run(t, program(t), []string{"depmod", "-b", k.root, "-o", out, k.release}); code != 0 {
				t.Fatalf("depmod: %s", text)
			}
			for _, name := range indexFiles {
				compareFiles(t, k.dir+"/"+name, out+"/lib/modules/"+k.release+"/"+name)
			}
		})
	}
}

func compareFiles(t *testing.T, want, got string) {
	t.Helper()
	w, err := os.ReadFile(want)
	if err != nil {
		t.Fatal(err)
	}
	g, err := os.ReadFile(got)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(w, g) {
		t.Errorf("%s: %d bytes, ours %d", filepath.Base(want), len(w), len(g))
		if !strings.HasSuffix(want, ".bin") {
			compare(t, filepath.Base(want), w, g)
		}
	}
}

// TestOraclePacked packs the plain kernel's modules as .zst and .gz. Debian's kmod
// reads .zst itself; for .gz, which it cannot, the plain tree's answers hold.
func TestOraclePacked(t *testing.T) {
	kernel := oracleTrees(t)[1]
	for _, packing := range []struct{ suffix, program string }{{".zst", "zstd"}, {".gz", "gzip"}, {".xz", "xz"}} {
		t.Run(packing.suffix, func(t *testing.T) {
			t.Parallel()
			k := packedCopy(t, kernel, packing.suffix, require.Program(t, packing.program))
			if text, code := run(t, program(t), []string{"depmod", "-b", k.root, k.release}); code != 0 {
				t.Fatalf("depmod: %s", text)
			}
			if packing.suffix != ".gz" {
				reference := t.TempDir()
				must(t, os.CopyFS(reference, os.DirFS(k.root)))
				if text, code := run(t, require.Program(t, "depmod"), []string{"-b", reference, k.release}); code != 0 {
					t.Fatalf("kmod's depmod: %s", text)
				}
				for _, name := range indexFiles {
					compareFiles(t, reference+"/lib/modules/"+k.release+"/"+name, k.dir+"/"+name)
				}
				both(t, "modinfo", []string{"-b", k.root, "-k", k.release}, k.modules(t))
				return
			}
			comparePlain(t, kernel, k, packing.suffix)
		})
	}
}

// comparePlain expects a packed tree's answers to be the plain tree's but for the
// file names.
func comparePlain(t *testing.T, plain, packed kernelTree, suffix string) {
	t.Helper()
	rename := func(b []byte) []byte {
		b = bytes.ReplaceAll(b, []byte(packed.root), []byte(plain.root))
		return bytes.ReplaceAll(b, []byte(".ko"+suffix), []byte(".ko"))
	}
	for _, name := range []string{"modules.dep", "modules.alias", "modules.alias.bin", "modules.symbols.bin", "modules.softdep", "modules.devname"} {
		want, err := os.ReadFile(plain.dir + "/" + name)
		must(t, err)
		got, err := os.ReadFile(packed.dir + "/" + name)
		must(t, err)
		compare(t, suffix+" "+name, want, rename(got))
	}
	modules := plain.modules(t)
	want, _ := run(t, require.Program(t, "modinfo"), append([]string{"-b", plain.root, "-k", plain.release}, modules...))
	got, _ := run(t, program(t), append([]string{"modinfo", "-b", packed.root, "-k", packed.release}, modules...))
	compare(t, suffix+" modinfo", want, rename(got))
}

func packedCopy(t *testing.T, k kernelTree, suffix, packer string) kernelTree {
	t.Helper()
	root := t.TempDir()
	dir := root + "/lib/modules/" + k.release
	must(t, os.CopyFS(dir, os.DirFS(k.dir)))
	script := fmt.Sprintf(`find %q -name '*.ko' -print0 | xargs -0 -n 64 %s`, dir,
		map[string]string{".zst": packer + " -q -1 --rm", ".gz": packer + " -1", ".xz": packer + " -0 --check=crc32"}[suffix])
	if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("pack modules: %v\n%s", err, out)
	}
	return kernelTree{k.label + suffix, root, k.release, dir}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
