package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// builds are the programs that this process has built for guests, by package.
var builds struct {
	mu    sync.Mutex
	dir   string
	files map[string]string
}

// Build makes a static program for the guest out of a package, once.
func Build(tb testing.TB, pkg string) string {
	tb.Helper()
	return built(tb, pkg, "build")
}

// BuildTest makes a static test binary out of a package of this module, once.
func BuildTest(tb testing.TB, pkg string, tags ...string) File {
	tb.Helper()
	source := built(tb, pkg, "test", "-c", "-tags", strings.Join(tags, ","))
	return File{Path: "/vm/" + filepath.Base(pkg) + ".test", Source: source}
}

func built(tb testing.TB, pkg string, command ...string) string {
	tb.Helper()
	builds.mu.Lock()
	defer builds.mu.Unlock()
	if file, ok := builds.files[pkg]; ok {
		return file
	}
	if builds.dir == "" {
		dir, err := os.MkdirTemp("", "firn-vm-build-")
		if err != nil {
			tb.Fatal(err)
		}
		builds.dir, builds.files = dir, map[string]string{}
	}
	file := filepath.Join(builds.dir, fmt.Sprintf("%d-%s", len(builds.files), filepath.Base(pkg)))
	if err := goTool(append(command, "-o", file, pkg)...); err != nil {
		tb.Fatal(err)
	}
	builds.files[pkg] = file
	return file
}

// RemoveBuilds removes what Build and BuildTest have made.
func RemoveBuilds() error {
	if builds.dir == "" {
		return nil
	}
	return os.RemoveAll(builds.dir)
}

func goTool(args ...string) error {
	tool, err := exec.LookPath("go")
	if err != nil {
		// sudo may have another PATH; go test leaves this one.
		tool = filepath.Join(os.Getenv("GOROOT"), "bin/go")
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}
