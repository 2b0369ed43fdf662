package vm

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/require"
	"firn/tests/vm/wire"
)

// unit starts the agent on a root with systemd. Delegate: what the tests start
// there makes cgroups of its own.
const unit = `[Unit]
Description=Hand of the test
After=multi-user.target
[Service]
Type=exec
ExecStart=` + wire.Agent + ` serve
Delegate=yes
KillMode=process
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment=HOME=/root
`

// initramfs packs what the machine declares.
func (m Machine) initramfs(tb testing.TB, k kernel) ([]byte, error) {
	deps, err := readDependencies(k.moduleDir())
	if err != nil {
		return nil, err
	}
	load, err := deps.closure(m.Load)
	if err != nil {
		return nil, err
	}
	packed, err := deps.closure(append(m.Load[:len(m.Load):len(m.Load)], m.Modules...))
	if err != nil {
		return nil, err
	}
	stage := tb.TempDir()
	if err := k.packTree(tb, stage, packed); err != nil {
		return nil, err
	}

	var a archive
	for _, dir := range []string{"/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/etc", "/sbin", "/usr/bin"} {
		a.dir(dir)
	}
	// A program of a test may be PID 1 and stands without these two until it has
	// mounted its own /dev.
	a.char("/dev/console", 0o600, 5, 1)
	a.char("/dev/null", 0o666, 1, 3)
	if err := a.tree("/", stage); err != nil {
		return nil, err
	}
	if err := m.programs(tb, &a); err != nil {
		return nil, err
	}
	var list strings.Builder
	for _, file := range load {
		list.WriteString(filepath.Join("/lib/modules", k.version, file) + "\n")
	}
	a.file("/vm/load", 0o644, []byte(list.String()))
	if m.Disk != "" {
		a.file("/vm/root", 0o644, []byte("/dev/vda\n"))
		init := m.DiskInit
		if len(init) == 0 {
			init = []string{"/sbin/init"}
			a.file("/vm/firn-vm.service", 0o644, []byte(unit))
		}
		a.file("/vm/init", 0o644, []byte(strings.Join(init, "\n")))
	}
	for _, f := range m.Files {
		if err := f.pack(&a); err != nil {
			return nil, err
		}
	}
	return a.bytes(), nil
}

// programs packs what every machine has.
func (m Machine) programs(tb testing.TB, a *archive) error {
	busybox := File{Path: "/bin/busybox", Source: require.Program(tb, "busybox")}
	for _, f := range []File{busybox, {Path: "/bin/sh", Link: "busybox"}, {Path: "/init", Link: wire.Agent}, {Path: wire.Agent, Source: Build(tb, "./agent")}} {
		if err := f.pack(a); err != nil {
			return err
		}
	}
	return nil
}

func (f File) pack(a *archive) error {
	if f.Link != "" {
		a.link(f.Path, f.Link)
		return nil
	}
	mode, content := f.Mode, []byte(f.Text)
	if f.Source != "" {
		info, err := os.Stat(f.Source)
		if err != nil {
			return err
		}
		if info.IsDir() {
			return a.tree(f.Path, f.Source)
		}
		if content, err = os.ReadFile(f.Source); err != nil {
			return err
		}
		if mode == 0 {
			mode = int(info.Mode().Perm())
		}
	}
	if mode == 0 {
		mode = 0o644
	}
	a.file(f.Path, mode, content)
	return nil
}

// WithLibraries returns a program of the host and the shared libraries that it
// needs, for the same paths in the guest.
func WithLibraries(tb testing.TB, program string) []File {
	tb.Helper()
	program = require.Program(tb, program)
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		tb.Fatal(err)
	}
	files := []File{{Path: program, Source: real}}
	out, err := exec.Command("ldd", real).Output()
	if err != nil {
		tb.Fatalf("ldd %s: %v", real, err)
	}
	for field := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(field) {
			files = append(files, File{Path: field, Source: field})
		}
	}
	return files
}

// Binary is one of the programs that make build has put into bin/, or those of
// $FIRN_BIN.
func Binary(tb testing.TB, name, path string) File {
	tb.Helper()
	dir := os.Getenv("FIRN_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	file := filepath.Join(dir, name)
	require.File(tb, file, "made by make build")
	return File{Path: path, Source: file, Mode: 0o755}
}
