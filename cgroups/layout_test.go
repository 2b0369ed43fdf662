package cgroups

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestLayout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		layout                               Layout
		container, payload, exec, supervisor string
	}{
		{Layout{Name: "web"},
			"/machine/web.nspawn", "/machine/web.nspawn/system", "/machine/web.nspawn/system/exec", "/machine/supervisor"},
		{Layout{Parent: "/system.slice/c.service", Name: "web"},
			"/system.slice/c.service/web.nspawn", "/system.slice/c.service/web.nspawn/system",
			"/system.slice/c.service/web.nspawn/system/exec", "/system.slice/c.service/supervisor"},
		{Layout{Parent: "/", Name: "a.b"}, "/a.b.nspawn", "/a.b.nspawn/system", "/a.b.nspawn/system/exec", "/supervisor"},
	} {
		l := tt.layout
		if err := l.Check(); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
		got := []string{l.Container(), l.Payload(), l.Exec(), l.Supervisor()}
		if want := []string{tt.container, tt.payload, tt.exec, tt.supervisor}; !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %q, want %q", l, got, want)
		}
		if name, ok := nameOf(filepath.Base(l.Container())); !ok || name != l.Name {
			t.Errorf("nameOf(%s) = %q, %v", l.Container(), name, ok)
		}
	}
	for _, l := range []Layout{
		{}, {Name: "a/b"}, {Name: "../x"}, {Name: "a\n"}, {Name: "a\x00"},
		{Name: "a", Parent: "rel"}, {Name: "a", Parent: "/x/.."}, {Name: "a", Parent: "/x/"},
	} {
		var want *PathError
		if err := l.Check(); !errors.As(err, &want) {
			t.Errorf("%+v: %v, want a PathError", l, err)
		}
	}
	for dir, want := range map[string]bool{"x.nspawn": true, ".nspawn": false, "x": false, "x.nspawn.y": false} {
		if _, ok := nameOf(dir); ok != want {
			t.Errorf("nameOf(%q): %v, want %v", dir, ok, want)
		}
	}
}

func TestDangerousPathsAreRefused(t *testing.T) {
	t.Parallel()
	h := fakeHost(t)
	for _, p := range []string{"", "/", "x", "/..", "/../x", "/x/", "//x", "/x/../y", "/x\n"} {
		_, listErr := h.Processes(p)
		for name, err := range map[string]error{
			"Kill": h.Kill(p), "Remove": h.Remove(context.Background(), p), "Create": h.Create(p), "Processes": listErr, "Prune": h.Prune(p),
		} {
			var want *PathError
			if !errors.As(err, &want) {
				t.Errorf("%s(%q): %v, want a PathError", name, p, err)
			}
		}
	}
}

// fakeHost is a hybrid host of plain directories, with a /proc of its own.
func fakeHost(t *testing.T) *Host {
	t.Helper()
	root := t.TempDir()
	h := hostFrom(t, "hybrid")
	for i := range h.Hierarchies {
		hr := &h.Hierarchies[i]
		hr.MountPoint = filepath.Join(root, hr.MountPoint)
		if err := os.MkdirAll(hr.MountPoint, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	h.proc = filepath.Join(root, "proc")
	return h
}

func putPIDs(t *testing.T, h *Host, hierarchy, path, pids string) {
	t.Helper()
	for _, hr := range h.Hierarchies {
		if hr.String() == hierarchy {
			put(t, filepath.Join(hr.Dir(path), "cgroup.procs"), pids)
			return
		}
	}
	t.Fatalf("no hierarchy %s", hierarchy)
}

func putStatus(t *testing.T, h *Host, pid int, nspid string) {
	t.Helper()
	text := "Name:\tx\nTgid:\t" + strconv.Itoa(pid) + "\n"
	if nspid != "" {
		text += "NSpid:\t" + nspid + "\n"
	}
	put(t, filepath.Join(h.proc, strconv.Itoa(pid), "status"), text)
}

func TestLeader(t *testing.T) {
	t.Parallel()
	web := Layout{Name: "web"}
	scope := web.Payload() + "/init.scope"
	type procs struct{ hierarchy, path, pids string }
	tests := []struct {
		name   string
		procs  []procs
		status map[int]string // NSpid
		want   int            // 0: ErrNoLeader
	}{
		{"alone in system", []procs{{"name=systemd", web.Payload(), "10\n"}}, map[int]string{10: "10 1"}, 10},
		{"v2 only", []procs{{"v2", web.Payload(), "10\n"}}, map[int]string{10: "10 1"}, 10},
		{"another controller only", []procs{{"pids", web.Payload(), "10\n"}}, map[int]string{10: "10 1"}, 10},
		{"init.scope", []procs{{"name=systemd", web.Payload(), ""}, {"name=systemd", scope, "10\n"}}, map[int]string{10: "10 1"}, 10},
		{"init.scope, a stray in system", []procs{{"name=systemd", web.Payload(), "11\n"}, {"name=systemd", scope, "10\n"}},
			map[int]string{10: "10 1", 11: "11 7"}, 10},
		{"first of several", []procs{{"name=systemd", web.Payload(), "12\n11\n10\n"}},
			map[int]string{10: "10 1", 11: "11 2", 12: "12 3"}, 10},
		{"namespace in the namespace", []procs{{"name=systemd", web.Payload(), "12\n10\n"}},
			map[int]string{10: "10 1", 12: "12 3 1"}, 10},
		{"namespace in the namespace, listed later", []procs{{"name=systemd", web.Payload(), "10\n12\n"}},
			map[int]string{10: "10 1", 12: "12 3 1"}, 10},
		{"the host's own namespace", []procs{{"name=systemd", web.Payload(), "1\n"}}, map[int]string{1: "1"}, 0},
		{"a stranger alone", []procs{{"name=systemd", web.Payload(), "10\n"}}, map[int]string{10: "10"}, 0},
		{"kernel without NSpid", []procs{{"name=systemd", web.Payload(), "10\n"}}, map[int]string{10: ""}, 10},
		{"kernel without NSpid, two", []procs{{"name=systemd", web.Payload(), "10\n11\n"}}, map[int]string{10: "", 11: ""}, 0},
		{"process ended", []procs{{"name=systemd", web.Payload(), "10\n"}}, nil, 0},
		{"not shown", []procs{{"name=systemd", web.Payload(), "0\n"}}, nil, 0},
		{"in exec", []procs{{"name=systemd", web.Exec(), "10\n"}}, map[int]string{10: "10 1"}, 0},
		{"nothing", nil, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := fakeHost(t)
			for _, p := range tt.procs {
				putPIDs(t, h, p.hierarchy, p.path, p.pids)
			}
			for pid, nspid := range tt.status {
				putStatus(t, h, pid, nspid)
			}
			got, err := h.Leader(web)
			if tt.want == 0 && !errors.Is(err, ErrNoLeader) || tt.want != 0 && err != nil || got != tt.want {
				t.Errorf("Leader: %d, %v, want %d", got, err, tt.want)
			}
		})
	}
	h := fakeHost(t)
	putPIDs(t, h, "v2", web.Payload(), "ten\n")
	if _, err := h.Leader(web); err == nil || !strings.Contains(err.Error(), `"ten" is no PID`) {
		t.Errorf("garbage in cgroup.procs: %v", err)
	}
	if _, err := h.Leader(Layout{Name: "../x"}); err == nil {
		t.Error("a name with a slash was taken")
	}
}

func TestContainersAndProcesses(t *testing.T) {
	t.Parallel()
	h := fakeHost(t)
	for _, p := range []struct{ hierarchy, path, pids string }{
		{"name=systemd", "/machine/web.nspawn/system", "10\n0\n"},
		{"v2", "/machine/web.nspawn/system", "10\n"},
		{"v2", "/machine/web.nspawn/system/deep/er", "12\n11\n"},
		{"pids", "/machine/db.nspawn", "9\n"},
		{"pids", "/machine/db.nspawn.not", "9\n"},
		{"memory", "/machine/.nspawn", ""},
	} {
		putPIDs(t, h, p.hierarchy, p.path, p.pids)
	}
	put(t, h.Hierarchies[0].Dir("/machine/file.nspawn"), "")
	names, err := h.Containers(DefaultParent)
	if want := []string{"db", "web"}; err != nil || !reflect.DeepEqual(names, want) {
		t.Errorf("Containers: %q, %v, want %q", names, err, want)
	}
	if names, err := h.Containers("/nowhere"); err != nil || len(names) != 0 {
		t.Errorf("Containers of nothing: %q, %v", names, err)
	}
	pids, err := h.Processes("/machine/web.nspawn")
	if want := []int{10, 11, 12}; err != nil || !reflect.DeepEqual(pids, want) {
		t.Errorf("Processes: %v, %v, want %v", pids, err, want)
	}
	if pids, err := h.Processes("/machine/none.nspawn"); err != nil || len(pids) != 0 {
		t.Errorf("Processes of nothing: %v, %v", pids, err)
	}
}

func TestBusyErrorIsBounded(t *testing.T) {
	t.Parallel()
	e := &BusyError{Dir: "/c"}
	if got, want := e.Error(), "cgroup /c is busy without a process in it"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for pid := range 10 {
		e.Holders = append(e.Holders, Holder{PID: pid + 1, Comm: "sh"})
	}
	e.Holders[1].Comm = ""
	want := "cgroup /c is held by 1 (sh), 2, 3 (sh), 4 (sh), 5 (sh), 6 (sh), 7 (sh), 8 (sh), and 2 more"
	if got := e.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
