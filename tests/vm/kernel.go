package vm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"firn/tests/require"
)

// Label names one of the kernels that tests/kernels/fetch.sh unpacks.
type Label string

const (
	// Linux61 has plain modules, fuse and virtio_pci among them, and does not
	// decompress modules itself.
	Linux61 Label = "6.1"
	// Linux612 has .ko.xz modules, fuse and virtio_pci built in, and decompresses
	// modules itself.
	Linux612 Label = "6.12"
)

// Kernels are all of them, for tests that must hold on each.
var Kernels = []Label{Linux61, Linux612}

// kernel is one unpacked kernel package.
type kernel struct {
	label   Label
	dir     string // holds boot/ and lib/modules/
	version string // uname -r
}

func (k kernel) moduleDir() string { return filepath.Join(k.dir, "lib/modules", k.version) }

// cacheDir is $FIRN_CACHE, by default .cache/firn in the home directory.
func cacheDir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv("FIRN_CACHE"); filepath.IsAbs(dir) {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(home, ".cache/firn")
}

var fetching sync.Mutex

// openKernel finds a kernel in the cache and fetches it if it is not there.
func openKernel(tb testing.TB, label Label) kernel {
	tb.Helper()
	k := kernel{label: label, dir: filepath.Join(cacheDir(tb), "kernels", string(label))}
	fetching.Lock()
	defer fetching.Unlock()
	mark := filepath.Join(k.dir, "version")
	if _, err := os.Stat(mark); err != nil {
		if out, err := exec.Command("../kernels/fetch.sh", string(label)).CombinedOutput(); err != nil {
			require.Missing(tb, require.CapFile, fmt.Sprintf("kernel %s (%v: %s)", label, err, out))
		}
	}
	version, err := os.ReadFile(mark)
	if err != nil {
		tb.Fatal(err)
	}
	k.version = strings.TrimSpace(string(version))
	return k
}
