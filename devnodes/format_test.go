package devnodes

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"firn/tests/require"

	"github.com/google/go-cmp/cmp"
)

var writers = map[string]func(io.Writer, []Node) error{
	"human": WriteHuman, "tmpfiles": WriteTmpfiles, "devname": WriteDevname,
}

func TestWrite(t *testing.T) {
	t.Parallel()
	nodes := []Node{
		{Module: "fuse", Name: "fuse", Type: Char, Major: 10, Minor: 229, Mode: 0o600},
		{Module: "x", Name: "a/b/c", Type: Block, Major: 253, Minor: 7, Mode: 0o660, Group: "disk"},
		{Name: "fd", Type: Link, Target: "/proc/self/fd"},
	}
	want := map[string]string{
		"human": "Module: fuse\n\tDevice node: /dev/fuse\n\t\tType: character device\n\t\tMajor: 10\n\t\tMinor: 229\n" +
			"Module: x\n\tDevice node: /dev/a/b/c\n\t\tType: block device\n\t\tMajor: 253\n\t\tMinor: 7\n",
		"tmpfiles": "c! /dev/fuse 0600 - - - 10:229\nd /dev/a/b 0755 - - -\nb! /dev/a/b/c 0660 - disk - 253:7\n",
		"devname":  "fuse fuse c10:229\nx a/b/c b253:7\n",
	}
	for format, writer := range writers {
		var got strings.Builder
		if err := writer(&got, nodes); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(want[format], got.String()); diff != "" {
			t.Errorf("%s: %s", format, diff)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestWriteError(t *testing.T) {
	t.Parallel()
	for format, writer := range writers {
		if err := writer(fullDisk{}, []Node{null}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// kmodScript lists the modules.devname files of DEVNODES_FILES with kmod, which
// knows but one place to read: a tmpfs and an overlay put them there, seen by
// this process alone.
const kmodScript = `set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$DEVNODES_DIR"
cd "$DEVNODES_DIR"
mkdir -p up/modules/$(uname -r) work
mount -t overlay -o lowerdir=/usr/lib,upperdir=up,workdir=work overlay /usr/lib
cat >/usr/lib/modules/$(uname -r)/modules.devname
exec "$0" static-nodes -f "$1"
`

// Equal to kmod's listing, byte for byte, for every kernel that is unpacked by
// tests/kernels/fetch.sh, or for the checked-in sample.
func TestWriteAsKmod(t *testing.T) {
	require.Root(t)
	kmod := require.Program(t, "kmod")
	t.Parallel()
	cache := os.Getenv("FIRN_CACHE")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache/firn")
	}
	files, err := filepath.Glob(cache + "/kernels/*/lib/modules/*/modules.devname")
	must(t, err)
	files = append(files, "testdata/debian-6.1.devname", "testdata/lenient.devname")
	for _, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		nodes, err := ReadModulesDevname(strings.NewReader(string(text)), file)
		must(t, err)
		if len(nodes) == 0 {
			t.Errorf("%s has no nodes", file)
		}
		for format, writer := range writers {
			var got strings.Builder
			must(t, writer(&got, nodes))
			cmd := exec.Command("sh", "-c", kmodScript, kmod, format)
			cmd.Env = append(os.Environ(), "DEVNODES_DIR="+t.TempDir())
			cmd.Stdin = strings.NewReader(string(text))
			cmd.Stderr = os.Stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			want, err := cmd.Output()
			if err != nil {
				t.Fatalf("kmod static-nodes -f %s of %s: %v", format, file, err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s, %s: kmod and we differ\n%s", file, format, diff)
			}
		}
	}
}
