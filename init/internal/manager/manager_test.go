package manager

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestFromEnviron(t *testing.T) {
	t.Parallel()
	m := FromEnviron([]string{"container=old", "container=firn", "container_uuid=u", "NOTIFY_SOCKET=/run/host/notify",
		"container_host_id=nixos", "container_host_version_id=", "broken", "PATH=/bin"})
	if m.Container != "firn" || m.UUID != "u" || m.Notify != "/run/host/notify" {
		t.Errorf("%+v", m)
	}
	if m.Machine() {
		t.Error("a container is taken for a machine")
	}
}

func TestFromFiles(t *testing.T) {
	t.Parallel()
	read := func(name string) ([]byte, error) {
		if name == "/run/host/container-uuid" {
			return nil, errors.New("none")
		}
		return []byte("firn\n"), nil
	}
	if m := (Manager{UUID: "u"}).FromFiles(read); m.Container != "firn" || m.UUID != "u" {
		t.Errorf("%+v", m)
	}
	if m := (Manager{Container: "lxc"}).FromFiles(read); m.Container != "lxc" || m.UUID != "" {
		t.Errorf("%+v", m)
	}
}

func TestChildEnviron(t *testing.T) {
	t.Parallel()
	in := []string{"NOTIFY_SOCKET=/x", "LISTEN_FDS=3", "container=firn", "container_host_id=nixos", "HOME=/home", "TERM=linux"}
	before := slices.Clone(in)
	got := ChildEnviron(in, false)
	want := []string{"container=firn", "container_host_id=nixos", "HOME=/home", "TERM=linux", "PATH=" + DefaultPath, "USER=root", "LOGNAME=root"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !slices.Equal(in, before) {
		t.Error("the argument was changed")
	}
	path := Lookup(ChildEnviron([]string{"PATH=/bin"}, true), "PATH")
	if !strings.HasPrefix(path, "/run/wrappers/bin:") || !strings.HasSuffix(path, ":/bin") {
		t.Errorf("PATH of a NixOS system is %s", path)
	}
}
