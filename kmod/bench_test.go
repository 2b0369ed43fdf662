package kmod_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"firn/kmod"
	"firn/tests/require"
)

// BenchmarkPlan is a library call, warm: from a name to the steps that load it.
func BenchmarkPlan(b *testing.B) {
	k := oracleTrees(b)[0]
	for _, name := range []string{"btrfs", "pci:v00008086d000010D3sv0000sd00000bc02sc00i00", "i915", "nosuch"} {
		b.Run(name, func(b *testing.B) {
			c := kmod.New(kmod.Options{Trees: []string{k.dir}})
			defer c.Close()
			for b.Loop() {
				modules, _ := c.Lookup(name)
				for _, m := range modules {
					if _, err := c.Plan(m, kmod.PlanFlags{}); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// BenchmarkBesideKmod runs Debian's kmod and ours in turns and reports the ratios
// of the fastest quarter's times and of the memory: below 1 is better than kmod.
func BenchmarkBesideKmod(b *testing.B) {
	plain, packed := oracleTrees(b)[0], oracleTrees(b)[2]
	for _, tt := range []struct {
		name string
		tool string
		k    kernelTree
		args func(k kernelTree) []string
	}{
		{"modprobe-n-btrfs", "modprobe", plain, func(k kernelTree) []string { return append(k.where(), "-n", "btrfs") }},
		{"modprobe-q-nosuch", "modprobe", plain, func(k kernelTree) []string { return append(k.where(), "-q", "--", "char-major-10-999") }},
		{"modprobe-R-pci", "modprobe", plain, func(k kernelTree) []string {
			return append(k.where(), "-R", "pci:v00008086d000010D3sv0000sd00000bc02sc00i00")
		}},
		{"modinfo-all", "modinfo", plain, func(k kernelTree) []string { return append([]string{"-b", k.root, "-k", k.release}, k.modules(b)...) }},
		{"depmod-plain", "depmod", plain, func(k kernelTree) []string { return []string{"-b", workingCopy(b, k), k.release} }},
		{"modinfo-all-xz", "modinfo", packed, func(k kernelTree) []string { return append([]string{"-b", k.root, "-k", k.release}, k.modules(b)...) }},
		{"depmod-xz", "depmod", packed, func(k kernelTree) []string { return []string{"-b", workingCopy(b, k), k.release} }},
	} {
		b.Run(tt.name, func(b *testing.B) {
			theirs, ours := require.Program(b, tt.tool), filepath.Join(b.TempDir(), tt.tool)
			must(b, os.Symlink(program(b), ours))
			args := tt.args(tt.k)
			var kmodTimes, ourTimes []time.Duration
			for b.Loop() {
				kmodTimes = append(kmodTimes, timeOf(theirs, args))
				ourTimes = append(ourTimes, timeOf(ours, args))
			}
			b.ReportMetric(quarter(ourTimes)/quarter(kmodTimes), "time-ratio")
			if ours, theirs := memoryOf(b, ours, args), memoryOf(b, theirs, args); theirs > 0 {
				b.ReportMetric(ours/theirs, "rss-ratio")
			}
			b.ReportMetric(quarter(ourTimes)*1e3, "ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func timeOf(name string, args []string) time.Duration {
	start := time.Now()
	_ = exec.Command(name, args...).Run()
	return time.Since(start)
}

// memoryOf is the largest resident size in kB, by time(1): this process is the
// larger one, and its own size is what a child's usage starts from. 0 without it.
func memoryOf(b *testing.B, name string, args []string) float64 {
	b.Helper()
	timer, err := exec.LookPath("time")
	if err != nil {
		return 0
	}
	out := b.TempDir() + "/rss"
	_ = exec.Command(timer, append([]string{"-q", "-f", "%M", "-o", out, name}, args...)...).Run()
	text, err := os.ReadFile(out)
	must(b, err)
	size, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	must(b, err)
	return size
}

// quarter is the mean of the fastest quarter, in seconds: what others do on the
// machine only ever adds.
func quarter(times []time.Duration) float64 {
	slices.Sort(times)
	n := max(1, len(times)/4)
	var sum time.Duration
	for _, t := range times[:n] {
		sum += t
	}
	return sum.Seconds() / float64(n)
}

// workingCopy is a tree whose modules are links, so that indexes can be written.
func workingCopy(b *testing.B, k kernelTree) string {
	b.Helper()
	root := b.TempDir()
	dir := root + "/lib/modules/" + k.release
	must(b, os.MkdirAll(dir, 0o755))
	must(b, os.Symlink(k.dir+"/kernel", dir+"/kernel"))
	for _, name := range []string{"modules.order", "modules.builtin", "modules.builtin.modinfo"} {
		data, err := os.ReadFile(k.dir + "/" + name)
		must(b, err)
		must(b, os.WriteFile(dir+"/"+name, data, 0o644))
	}
	return root
}

// TestKernelHelper calls the program as the kernel does for a module: argv[0] is
// the path in /proc/sys/kernel/modprobe, descriptors 0 to 2 are closed.
func TestKernelHelper(t *testing.T) {
	t.Parallel()
	require.File(t, "/dev/null", "a device node that the Go runtime wants")
	helper := t.TempDir() + "/modprobe"
	must(t, os.Symlink(program(t), helper))
	cmd := exec.Command("sh", "-c", `"$0" -q -- char-major-10-99999 <&- >&- 2>&-; echo $?`, helper)
	cmd.Env = []string{"HOME=/", "TERM=linux", "PATH=/sbin:/usr/sbin:/bin:/usr/bin"}
	out, err := cmd.Output()
	if err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Errorf("exit code %q, %v; want 1", out, err)
	}
}
