// Package tests holds the test of the tree itself: who may import whom, where
// system calls stand, how long a file is, that each package says what it is
// for. Input: the Go files of the tree, parsed and not built; output: one
// failure for each line that crosses a boundary. Below it stand the rungs of
// tests over the built programs.
package tests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row says what the packages at and below dir may import besides the standard
// library and packages below dir itself. The longest dir that fits a package
// rules it. An entry of imports covers the packages below it too.
type row struct {
	dir     string
	imports []string
	why     string
}

var importTable = []row{
	{"kmod", []string{xsys},
		"a library of its own that initrds and appliances import; decompressors read packed modules"},
	{"kmod/cmd/firn-kmod", []string{"firn/kmod", "firn/devnodes", "firn/init/handoff", xsys},
		"the kernel starts it for each module, so that it must stay small"},
	{"devnodes", []string{xsys}, "a library of its own; knows nothing of modules or containers"},
	{"cgroups", []string{xsys}, "a library of its own, used on both sides of the container's wall"},
	{"init/handoff", nil, "the protocol must not grow with either end's libraries"},
	{"init/unitfile", nil, "one syntax for units and .nspawn files, apart from what they mean"},
	{"init", []string{"firn/init/handoff", "firn/init/unitfile", "firn/kmod", "firn/devnodes", "firn/cgroups", xsys, logrus},
		"PID 1 stays in memory in every container"},
	{"shim", []string{"firn/init/handoff", "firn/init/unitfile", "firn/kmod", "firn/devnodes", "firn/cgroups",
		xsys, "golang.org/x/term", "golang.org/x/sync", logrus,
		"github.com/vishvananda/netlink", "github.com/vishvananda/netns",
		"github.com/opencontainers", "github.com/containerd/console",
		"github.com/spf13/cobra", "github.com/spf13/pflag",
		"github.com/cyphar/filepath-securejoin", "github.com/moby/sys",
		"github.com/godbus/dbus", "github.com/coreos/go-systemd",
		"github.com/cilium/ebpf", "github.com/containerd/continuity"},
		"the host's side may use what its field trusts; it never imports PID 1's own parts"},
	{"tests", []string{"firn/kmod", "firn/devnodes", "firn/cgroups", "firn/init/handoff", "firn/init/unitfile", xsys,
		"github.com/vishvananda/netlink", "github.com/moby/sys"},
		"tests of the programs look at them from outside"},
}

const (
	xsys         = "golang.org/x/sys"
	logrus       = "github.com/sirupsen/logrus"
	libcontainer = "github.com/opencontainers/runc"
)

// testImports are what every package's test files may import besides.
var testImports = []string{"firn/tests/require", "firn/tests/rootfs", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", xsys}

// libcontainerPlaces are the only places that know runc's library, so that it
// can be upgraded, or replaced, by reading three places.
var libcontainerPlaces = []string{"shim/reexec.go", "shim/internal/lower/", "shim/internal/container/"}

// pure lists the stages that only compute. What they must not import would make
// their result depend on the machine.
var pure = []row{
	{"shim/internal/config", []string{"os/exec", "net", "os/signal", "syscall", xsys}, "text to Config"},
	{"shim/internal/spec", []string{"os/exec", "net", "os/signal", "syscall"}, "Config to Spec"},
	{"shim/internal/lower", []string{"os/exec", "net", "os/signal"}, "Spec to what libcontainer takes"},
	{"init/unitfile", []string{"os/exec", "net", "os/signal", "syscall"}, "text to assignments"},
}

// Lines of a file: above warnLines the test says so, above maxLines it fails.
// longFiles names the exceptions and why each is one noun all the same.
const (
	warnLines = 400
	maxLines  = 600
)

var longFiles = map[string]string{}

// pureFunctions of x/sys/unix make no system call: conversions and arithmetic.
var pureFunctions = []string{"Signal", "Errno", "SignalNum", "SignalName", "ErrnoName", "Mkdev", "Major", "Minor",
	"ByteSliceToString", "BytePtrToString", "ByteSliceFromString", "NsecToTimespec", "NsecToTimeval", "TimespecToNsec"}

// A source is one parsed Go file; path is relative to the top of the tree.
type source struct {
	path  string
	file  *ast.File
	fset  *token.FileSet
	lines int
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) at(pos token.Pos) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(pos).Line)
}

// sources parses every Go file of the tree but vendor/ and test data.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base == "vendor" || base == "testdata" || base != ".." && strings.HasPrefix(base, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel("..", name)
		all = append(all, source{relative, file, fset, strings.Count(string(text), "\n")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("no Go files: is this test run in its own directory?")
	}
	return all
}

// covers reports whether an import is one of the list or below one of it.
func covers(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(allowed string) bool {
		return imported == allowed || strings.HasPrefix(imported, allowed+"/")
	})
}

// ruling returns the row with the longest dir at or above dir.
func ruling(table []row, dir string) (row, bool) {
	var best row
	for _, r := range table {
		if covers([]string{r.dir}, dir) && len(r.dir) > len(best.dir) {
			best = r
		}
	}
	return best, best.dir != ""
}

func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return first != "firn" && !strings.Contains(first, ".")
}

// crossing says what is wrong with an import in the file at name, or "".
func crossing(name, imported string) string {
	dir := path.Dir(name)
	if covers([]string{libcontainer}, imported) && !slices.ContainsFunc(libcontainerPlaces,
		func(place string) bool { return strings.HasPrefix(name, place) }) {
		return "runc's library is known only to " + strings.Join(libcontainerPlaces, ", ")
	}
	isTest := strings.HasSuffix(name, "_test.go")
	if r, ok := ruling(pure, dir); ok && !isTest && covers(r.imports, imported) {
		return fmt.Sprintf("%s is a pure stage: %s", r.dir, r.why)
	}
	if isStandard(imported) {
		return ""
	}
	r, ok := ruling(importTable, dir)
	if !ok {
		return "no row of the import table rules " + dir
	}
	if covers(r.imports, imported) || covers([]string{"firn/" + r.dir}, imported) || isTest && covers(testImports, imported) {
		return ""
	}
	return fmt.Sprintf("not in the row of %s: %s", r.dir, r.why)
}

func TestImports(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, spec := range s.file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if problem := crossing(filepath.ToSlash(s.path), imported); problem != "" {
				t.Errorf("%s: imports %s: %s", s.at(spec.Pos()), imported, problem)
			}
		}
	}
}

// TestCrossing keeps the table able to refuse.
func TestCrossing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, imported string
		refused        bool
	}{
		{"kmod/index.go", "firn/devnodes", true},
		{"kmod/index.go", "golang.org/x/sys/unix", false},
		{"kmod/cmd/firn-kmod/main.go", "firn/kmod", false},
		{"kmod/cmd/firn-kmod/main.go", logrus, true},
		{"cgroups/host.go", "firn/kmod", true},
		{"init/handoff/codec.go", "golang.org/x/sys/unix", true},
		{"init/handoff/codec_test.go", "github.com/google/go-cmp/cmp", false},
		{"init/internal/boot/boot.go", "firn/init/internal/halt", false},
		{"init/internal/boot/boot.go", "firn/shim/internal/spec", true},
		{"shim/main.go", "firn/init/handoff", false},
		{"shim/main.go", "firn/init/internal/halt", true},
		{"shim/main.go", "github.com/opencontainers/runc/libcontainer", true},
		{"shim/reexec.go", "github.com/opencontainers/runc/libcontainer/nsenter", false},
		{"shim/internal/lower/mounts.go", "github.com/opencontainers/runc/libcontainer/configs", false},
		{"shim/internal/config/argv.go", "os/exec", true},
		{"shim/internal/config/argv.go", "strings", false},
		{"shim/main.go", "firn/tests/require", true},
		{"elsewhere/new.go", "firn/kmod", true},
	} {
		if problem := crossing(c.name, c.imported); (problem != "") != c.refused {
			t.Errorf("%s importing %s: refused is %v (%q), want %v", c.name, c.imported, problem != "", problem, c.refused)
		}
	}
}

// TestSystemCalls: system calls stand only in *_linux.go files, so that a reader
// sees by its name which file can change the machine.
func TestSystemCalls(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.isTest() || strings.HasSuffix(s.path, "_linux.go") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := unixFunction(s.file, call.Fun)
			if name != "" && !slices.Contains(pureFunctions, name) {
				t.Errorf("%s: unix.%s is a system call; it belongs into a file named *_linux.go", s.at(call.Pos()), name)
			}
			return true
		})
	}
}

// unixFunction returns the name of a function of x/sys/unix, or "".
func unixFunction(file *ast.File, fun ast.Expr) string {
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	receiver, ok := selector.X.(*ast.Ident)
	if !ok || receiver.Name != "unix" {
		return ""
	}
	for _, spec := range file.Imports {
		if spec.Path.Value == `"golang.org/x/sys/unix"` {
			return selector.Sel.Name
		}
	}
	return ""
}

func TestFileLength(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if _, ok := longFiles[s.path]; ok {
			continue
		}
		if s.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: is it one noun?", s.path, s.lines, maxLines)
		} else if s.lines > warnLines {
			t.Logf("%s has %d lines, more than %d", s.path, s.lines, warnLines)
		}
	}
}

// TestPackageComments: each package's comment says its role, input and output;
// a single short line cannot.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	const shortest = 80
	comments := map[string]int{}
	for _, s := range sources(t) {
		dir := path.Dir(s.path)
		comments[dir] = max(comments[dir], 0)
		if s.file.Doc != nil {
			comments[dir] = max(comments[dir], len(s.file.Doc.Text()))
		}
	}
	for dir, length := range comments {
		if length < shortest {
			t.Errorf("package in %s: its comment has %d characters; say its role, its input and its output", dir, length)
		}
	}
}
