package hostfiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
)

const uuid = "0123456789abcdef0123456789abcdef"

// pair makes a host and a root from lines "PATH content", "PATH -> target" and
// "PATH/".
func pair(t *testing.T, host, root []string) (Host, *rootfs.Root) {
	t.Helper()
	h, r := t.TempDir(), t.TempDir()
	for dir, lines := range map[string][]string{h: host, r: root} {
		for _, line := range lines {
			name, rest, _ := strings.Cut(line, " ")
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			var err error
			if target, ok := strings.CutPrefix(rest, "-> "); ok {
				err = os.Symlink(target, path)
			} else if strings.HasSuffix(name, "/") {
				err = os.MkdirAll(path, 0o755)
			} else {
				err = os.WriteFile(path, []byte(rest), 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	open, err := rootfs.Open(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { open.Close() })
	return Host{Root: h}, open
}

// shows is what stands at p in the root: content, "-> target" or "".
func shows(root *rootfs.Root, p string) string {
	path := filepath.Join(root.Path, p)
	if target, err := os.Readlink(path); err == nil {
		return "-> " + target
	}
	content, _ := os.ReadFile(path)
	return string(content)
}

func TestResolvConf(t *testing.T) {
	t.Parallel()
	hostOnly := []string{"etc/resolv.conf host"}
	all := []string{
		"etc/resolv.conf host", "usr/lib/systemd/resolv.conf static",
		"run/systemd/resolve/resolv.conf uplink", "run/systemd/resolve/stub-resolv.conf stub",
	}
	link := []string{"etc/resolv.conf -> /run/x"}
	for _, tc := range []struct {
		mode       string
		host, root []string
		readOnly   bool
		shows      string
		bind       bool
		err        string
	}{
		{mode: "off", host: all},
		{mode: "auto", host: all, shows: "stub"},
		{mode: "auto", host: hostOnly, shows: "host"},
		{mode: "auto", host: hostOnly, root: link, shows: "-> /run/x"},
		{mode: "auto", host: hostOnly, root: []string{"etc/resolv.conf old"}, readOnly: true, shows: "old", bind: true},
		{mode: "auto", host: hostOnly, readOnly: true},
		{mode: "auto"},
		{mode: "copy-static", host: all, shows: "static"},
		{mode: "copy-uplink", host: all, root: link, shows: "-> /run/x"},
		{mode: "replace-uplink", host: all, root: link, shows: "uplink"},
		{mode: "bind-host", host: all, bind: true},
		{mode: "bind-stub", host: hostOnly, err: "--resolv-conf=: read /run/systemd/resolve/stub-resolv.conf: no such file"},
		{mode: "delete", host: all, root: []string{"etc/resolv.conf old"}},
	} {
		h, root := pair(t, tc.host, append(tc.root, "etc/passwd x"))
		c := &config.Config{}
		c.Host.ResolvConf = config.Of(config.ResolvConfMode(tc.mode), config.Origin{Option: "--resolv-conf="})
		binds, err := Apply(h, root, c, uuid, tc.readOnly)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %q", tc.mode, err, tc.err)
			}
			continue
		}
		if err != nil || shows(root, "etc/resolv.conf") != tc.shows || (len(binds) == 1) != tc.bind {
			t.Errorf("%s %q over %q: shows %q, binds %v, %v; want %q", tc.mode, tc.host, tc.root,
				shows(root, "etc/resolv.conf"), binds, err, tc.shows)
		}
	}
}

func TestTimezone(t *testing.T) {
	t.Parallel()
	linked := []string{"etc/localtime -> ../usr/share/zoneinfo/Europe/Oslo", "usr/share/zoneinfo/Europe/Oslo oslo"}
	zone := []string{"usr/share/zoneinfo/Europe/Oslo oslo"}
	for _, tc := range []struct {
		mode       string
		host, root []string
		readOnly   bool
		shows      string
		bind       bool
		err        string
	}{
		{mode: "auto", host: linked, root: zone, shows: "-> ../usr/share/zoneinfo/Europe/Oslo"},
		{mode: "auto", host: linked},
		{mode: "auto", host: []string{"etc/localtime copy"}, shows: "copy"},
		{mode: "auto", host: linked, root: []string{"etc/localtime x"}, readOnly: true, shows: "x", bind: true},
		{mode: "auto"},
		{mode: "off", host: linked, root: zone},
		{mode: "copy", host: linked, shows: "oslo"},
		{mode: "bind", host: linked, bind: true},
		{mode: "delete", root: []string{"etc/localtime x"}},
		{mode: "symlink", host: linked, err: "the root has no zone Europe/Oslo"},
		{mode: "copy", err: "--timezone=: read /etc/localtime: no such file"},
	} {
		h, root := pair(t, tc.host, append(tc.root, "etc/passwd x"))
		c := &config.Config{}
		c.Host.Timezone = config.Of(config.TimezoneMode(tc.mode), config.Origin{Option: "--timezone="})
		binds, err := Apply(h, root, c, uuid, tc.readOnly)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %q", tc.mode, err, tc.err)
			}
			continue
		}
		if err != nil || shows(root, "etc/localtime") != tc.shows || (len(binds) == 1) != tc.bind {
			t.Errorf("%s %q over %q: shows %q, binds %v, %v; want %q", tc.mode, tc.host, tc.root,
				shows(root, "etc/localtime"), binds, err, tc.shows)
		}
	}
}

func TestJournal(t *testing.T) {
	t.Parallel()
	id := "etc/machine-id " + uuid
	kept, hostID := "var/log/journal/"+uuid+"/", id
	for _, tc := range []struct {
		name  string
		link  config.LinkJournal
		host  []string
		bind  bool
		guest bool
		err   string

		ephemeral bool
	}{
		{name: "auto without", link: config.LinkJournal{Mode: config.JournalAuto}, host: []string{"var/log/journal/"}},
		{name: "auto with", link: config.LinkJournal{Mode: config.JournalAuto}, host: []string{kept}, bind: true},
		{name: "no", link: config.LinkJournal{Mode: config.JournalNo}, host: []string{kept}},
		{name: "host", link: config.LinkJournal{Mode: config.JournalHost}, host: []string{"var/log/journal/"}, bind: true},
		{name: "host volatile", link: config.LinkJournal{Mode: config.JournalHost}, err: "no persistent journal"},
		{name: "try-host volatile", link: config.LinkJournal{Mode: config.JournalHost, Try: true}},
		{name: "guest", link: config.LinkJournal{Mode: config.JournalGuest}, host: []string{"var/log/journal/"}, guest: true},
		{name: "auto, the host's id", link: config.LinkJournal{Mode: config.JournalAuto}, host: []string{kept, hostID}},
		{name: "host, the host's id", link: config.LinkJournal{Mode: config.JournalHost}, host: []string{kept, hostID}, err: "host's machine id"},
		{name: "try-guest, the host's id", link: config.LinkJournal{Mode: config.JournalGuest, Try: true}, host: []string{"var/log/journal/", hostID}},
		{name: "ephemeral", link: config.LinkJournal{Mode: config.JournalAuto}, host: []string{kept}, ephemeral: true},
		{name: "guest over host's", link: config.LinkJournal{Mode: config.JournalGuest}, host: []string{kept}, err: "in the way"},
	} {
		h, root := pair(t, tc.host, []string{id})
		c := &config.Config{}
		c.Host.LinkJournal = config.Of(tc.link, config.Origin{})
		c.Root.Ephemeral = config.Of(tc.ephemeral, config.Origin{})
		for range 2 { // the second boot finds what the first has left
			binds, err := Apply(h, root, c, uuid, false)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("%s: error %v, want %q", tc.name, err, tc.err)
				}
				continue
			}
			target, _ := os.Readlink(h.path(journalDir + "/" + uuid))
			guest := target == filepath.Join(root.Path, journalDir, uuid)
			if err != nil || (len(binds) == 1) != tc.bind || guest != tc.guest {
				t.Errorf("%s: binds %v, link %q, %v", tc.name, binds, target, err)
			}
		}
	}
}
