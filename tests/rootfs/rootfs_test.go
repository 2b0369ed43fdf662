package rootfs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"firn/tests/require"
)

func TestChooseMirror(t *testing.T) {
	t.Parallel()
	const targets = `http://vendor/apt/ cloud vendor main
http://mirror/debian-security/ bookworm-security Debian-Security main
http://mirror/debian/ bookworm-updates Debian main
http://mirror/debian/ bookworm Debian contrib
http://mirror/debian/ bookworm Debian main
http://other/debian/ trixie Debian main
`
	uri, codename, err := chooseMirror(targets)
	if uri != "http://mirror/debian/" || codename != "bookworm" || err != nil {
		t.Errorf("chooseMirror = %q, %q, %v", uri, codename, err)
	}
	if _, _, err := chooseMirror("http://vendor/apt/ cloud vendor main\n"); err == nil {
		t.Error("chooseMirror without a Debian archive succeeds")
	}
}

func TestNix(t *testing.T) {
	t.Parallel()
	busybox := require.Program(t, "busybox")
	dir := t.TempDir()
	n, err := MakeNix(dir, os.Args[0], busybox)
	if err != nil {
		t.Fatal(err)
	}
	// The store is read-only to its owner too; give it back to t.TempDir.
	t.Cleanup(func() { _ = exec.Command("chmod", "-R", "u+w", dir).Run() })
	one, err := n.System("one")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := n.System("one"); again != one || err != nil {
		t.Errorf("the same system again is %q, %v, want %q", again, err, one)
	}
	two, err := n.System("two")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^/nix/store/[0-9a-df-np-sv-z]{32}-nixos-system-(one|two)$`)
	if one == two || !name.MatchString(one) || !name.MatchString(two) {
		t.Errorf("systems %q and %q are no two store paths", one, two)
	}
	profile, err := n.Profile("web", one, two)
	if err != nil {
		t.Fatal(err)
	}
	if profile != "/nix/var/nix/profiles/per-container/web/system" {
		t.Errorf("profile is %q", profile)
	}
	links := filepath.Join(dir, "var/nix/profiles/per-container/web")
	for link, want := range map[string]string{"system": "system-2-link", "system-1-link": one, "system-2-link": two} {
		if got, err := os.Readlink(filepath.Join(links, link)); got != want {
			t.Errorf("%s -> %q (%v), want %q", link, got, err, want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "store", filepath.Base(one), "init")); err != nil || info.Mode() != 0o555 {
		t.Errorf("init: %v, %v, want mode 0555", info.Mode(), err)
	}
}
