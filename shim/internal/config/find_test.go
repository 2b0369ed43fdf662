package config

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

var testdata = os.DirFS("testdata")

const image = "/var/lib/machines/web"

func TestFindSettings(t *testing.T) {
	t.Parallel()
	const (
		etc, run, side    = "etc/systemd/nspawn/web.nspawn", "run/systemd/nspawn/web.nspawn", "var/lib/machines/web.nspawn"
		etcD, runD, sideD = etc + ".d/", run + ".d/", side + ".d/"
	)
	tests := []struct {
		name  string
		files []string // a name that ends in "!" is a masking empty file
		image string
		want  string // "+" before what is trusted
	}{
		{"none", nil, image, ""},
		{"etc before run", []string{etc, run, side}, image, "+" + etc},
		{"run before the image's", []string{run, side}, image, "+" + run},
		{"the image's", []string{side}, image, side},
		{"the image's, no image", []string{side}, "", ""},
		{"the image's, trailing slash", []string{side}, image + "/", side},
		{"the root directory has no neighbours", []string{"web.nspawn"}, "/", ""},
		{"an image in the root directory", []string{"web.nspawn"}, "/web", "web.nspawn"},
		{"drop-ins by name", []string{etc, runD + "20.conf", etcD + "30.conf", runD + "10.conf"}, "",
			"+" + etc + " +" + runD + "10.conf +" + runD + "20.conf +" + etcD + "30.conf"},
		{"drop-ins alone", []string{etcD + "10.conf"}, image, "+" + etcD + "10.conf"},
		{"a drop-in hides its namesake", []string{etc, etcD + "10.conf", runD + "10.conf"}, "", "+" + etc + " +" + etcD + "10.conf"},
		{"the image's drop-ins come first and are not trusted", []string{side, sideD + "90.conf", etcD + "10.conf"}, image,
			side + " " + sideD + "90.conf +" + etcD + "10.conf"},
		{"the image's drop-ins fall with its file", []string{etc, side, sideD + "90.conf"}, image, "+" + etc},
		{"the image's drop-ins alone", []string{sideD + "90.conf"}, image, ""},
		{"a masked file hides the rest", []string{etc + "!", run, side, runD + "1.conf"}, image, "+" + runD + "1.conf"},
		{"a masked file beside the image", []string{side + "!"}, image, ""},
		{"other names", []string{"etc/systemd/nspawn/webb.nspawn", etcD + "10.txt", "etc/systemd/nspawn/web.nspawn.dd/1.conf"}, image, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fsys := fstest.MapFS{}
			for _, f := range tt.files {
				if name, masked := strings.CutSuffix(f, "!"); masked {
					fsys[name] = &fstest.MapFile{}
				} else {
					fsys[f] = &fstest.MapFile{Data: []byte("[Exec]\n")}
				}
			}
			found, err := FindSettings(fsys, "web", tt.image)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range found {
				if f.Trusted {
					f.Path = "+" + f.Path
				}
				got = append(got, f.Path)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got  %s\nwant %s", s, tt.want)
			}
		})
	}
}

// noAccess refuses to open one name.
type noAccess struct {
	fstest.MapFS
	name string
}

func (n noAccess) Open(name string) (fs.File, error) {
	if name == n.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return n.MapFS.Open(name)
}

func (n noAccess) Stat(name string) (fs.FileInfo, error) {
	if name == n.name {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrPermission}
	}
	return n.MapFS.Stat(name)
}

func TestFindSettingsErrors(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "..", "a/b", "../../x", "a_b"} {
		if _, err := FindSettings(fstest.MapFS{}, name, ""); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
	const file = "etc/systemd/nspawn/web.nspawn"
	_, err := FindSettings(noAccess{fstest.MapFS{}, file}, "web", "")
	if want := `find settings of "web": stat /` + file + ": permission denied"; err == nil || err.Error() != want || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = FindSettings(fstest.MapFS{file + "/x": {}}, "web", "")
	if want := `find settings of "web": /` + file + ": not a regular file"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = Settings{{Path: file}}.Read(fstest.MapFS{}, SettingsYes, caller)
	if want := "open /" + file + ": file does not exist"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSettingsRead(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"var/lib/machines/web.nspawn":                {Data: []byte("[Exec]\nHostname=vendor\nCapability=CAP_SYS_TIME\nDropCapability=CAP_MKNOD\n")},
		"var/lib/machines/web.nspawn.d/99.conf":      {Data: []byte("[Exec]\nDropCapability=\nUser=vendor\n")},
		"etc/systemd/nspawn/web.nspawn.d/10-us.conf": {Data: []byte("[Exec]\nHostname=us\nCapability=CAP_SYSLOG\nDropCapability=CAP_KILL\n")},
	}
	found, err := FindSettings(fsys, "web", image)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[SettingsMode]string{
		SettingsYes:     "Exec.User=vendor Identity.Hostname=us Ignored[0].Reason=privileged setting in an untrusted file Security.Capability[0].Name=CAP_SYSLOG Security.DropCapability[0].Name=CAP_KILL",
		SettingsTrusted: "Exec.User=vendor Identity.Hostname=us Security.Capability[0].Name=CAP_SYS_TIME Security.Capability[1].Name=CAP_SYSLOG Security.DropCapability[0].Name=CAP_KILL",
	}
	tests[SettingsOverride] = tests[SettingsYes]
	for mode, want := range tests {
		c, err := found.Read(fsys, mode, caller)
		if err != nil {
			t.Fatal(err)
		}
		if got := summary(t, c); got != want {
			t.Errorf("%s:\n got %s\nwant %s", mode, got, want)
		}
		if len(c.Files) != 3 || c.Files[2] != "/etc/systemd/nspawn/web.nspawn.d/10-us.conf" {
			t.Errorf("files %q", c.Files)
		}
	}
	if c, err := found.Read(fsys, SettingsNo, caller); c != nil || err != nil {
		t.Errorf("--settings=no: %v, %v", c, err)
	}
	if c, err := (Settings)(nil).Read(fsys, SettingsYes, caller); c != nil || err != nil {
		t.Errorf("no files: %v, %v", c, err)
	}
}
