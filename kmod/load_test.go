package kmod

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func plans(t *testing.T, l *Loader, names ...string) (plans []*Plan) {
	t.Helper()
	for _, name := range names {
		modules, err := l.Context.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := l.Context.Plan(modules[0], PlanFlags{})
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, plan)
	}
	return plans
}

// Independent modules are in the kernel's hands at the same time, a shared
// dependency once, and the log is that of a sequence.
func TestLoadParallel(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"): "k/a.ko: k/base.ko\nk/b.ko: k/base.ko\nk/c.ko: k/base.ko\nk/base.ko:\n",
	})
	l, done := fakeLoader(t, root, nil)
	finit := l.calls.finit
	var inside, most atomic.Int32
	var meet sync.WaitGroup
	meet.Add(3)
	l.calls.finit = func(fd int, options string, flags int) error {
		if n := inside.Add(1); n > most.Load() {
			most.Store(n)
		}
		defer inside.Add(-1)
		if len(done()) > 0 { // all but base, which is first: wait for each other
			meet.Done()
			meet.Wait()
		}
		return finit(fd, options, flags)
	}
	var log []string
	l.Log = func(s Step) { log = append(log, s.Module.Name) }
	for i, err := range l.Load(context.Background(), plans(t, l, "a", "b", "c")) {
		if err != nil {
			t.Errorf("plan %d: %v", i, err)
		}
	}
	if most.Load() != 3 {
		t.Errorf("at most %d at a time, want 3", most.Load())
	}
	if diff := cmp.Diff([]string{"base", "a", "b", "c"}, log); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if len(done()) != 4 || done()[0] != "base" {
		t.Errorf("loaded %v", done())
	}
}

func TestLoadFailures(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		tree("modules.dep"):     "k/top.ko: k/bad.ko\nk/bad.ko:\nk/soft.ko:\nk/there.ko:\nk/raced.ko:\n",
		"etc/modprobe.d/x.conf": "softdep soft pre: bad\nalias ghost nothing\n", "sys/module/there/initstate": "live\n",
	})
	l, done := fakeLoader(t, root, map[string]error{"bad": unix.ENOEXEC, "raced": unix.EEXIST})
	errs := l.Load(context.Background(), plans(t, l, "top", "soft", "there", "raced", "ghost"))
	var load *LoadError
	if !errors.As(errs[0], &load) || load.Module != "bad" || !errors.Is(errs[0], unix.ENOEXEC) || !strings.HasPrefix(errs[0].Error(), "dependency bad: finit_module: ") {
		t.Errorf("top: %v", errs[0])
	}
	if errs[1] != nil || !errors.Is(errs[2], ErrAlreadyLoaded) || errs[3] != nil || !errors.Is(errs[4], ErrNotFound) {
		t.Errorf("soft: %v, there: %v, raced: %v, ghost: %v", errs[1], errs[2], errs[3], errs[4])
	}
	if diff := cmp.Diff([]string{"soft"}, done()); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
}

func TestLoadBusy(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{tree("modules.dep"): "k/a.ko:\n"})
	l, _ := fakeLoader(t, root, nil)
	tries, slept := 0, time.Duration(0)
	l.calls.sleep = func(d time.Duration) { slept += d }
	l.calls.finit = func(int, string, int) error {
		if tries++; tries < 5 {
			return unix.EBUSY
		}
		return nil
	}
	if err := l.Insert(context.Background(), root+"/"+tree("k/a.ko"), ""); err != nil || tries != 5 || slept == 0 {
		t.Errorf("%v after %d tries and %v", err, tries, slept)
	}
	l.calls.finit = func(int, string, int) error { return unix.EBUSY }
	if err := l.Insert(context.Background(), root+"/"+tree("k/a.ko"), ""); !errors.Is(err, unix.EBUSY) || slept > 2*busyWait {
		t.Errorf("%v after %v", err, slept)
	}
}

// A packed module goes to the kernel as it is where that can unpack it, else
// unpacked, and force takes its versions away then.
func TestInsertPacked(t *testing.T) {
	t.Parallel()
	root := fakeRoot(t, map[string]string{
		"m.ko": gzipOf(t, sampleModule.bytes()), "sys/module/compression": "gzip\n", "cut.ko": gzipOf(t, sampleModule.bytes())[:60],
	})
	l, _ := fakeLoader(t, root, nil)
	var calls []string
	var flags int
	var given []byte
	answer := error(nil)
	l.calls.finit = func(_ int, _ string, f int) error { calls, flags = append(calls, "finit"), f; return answer }
	l.calls.init = func(image []byte, options string) error {
		calls, given = append(calls, "init "+options), image
		return nil
	}
	for _, tt := range []struct {
		answer error
		force  bool
		want   string
	}{{nil, false, "finit"}, {unix.EOPNOTSUPP, false, "finit,init o=1"}, {unix.EOPNOTSUPP, true, "finit,init o=1"}} {
		calls, given, answer = nil, nil, tt.answer
		l.Force = Force{tt.force, tt.force}
		if err := l.Insert(context.Background(), root+"/m.ko", "o=1"); err != nil {
			t.Error(err)
		}
		if got := strings.Join(calls, ","); got != tt.want || flags&unix.MODULE_INIT_COMPRESSED_FILE == 0 {
			t.Errorf("%v: calls %s with flags %d, want %s", tt.answer, got, flags, tt.want)
		}
		if stripped := !strings.Contains(string(given), "vermagic="); given != nil && stripped != tt.force {
			t.Errorf("force %v, but vermagic stripped: %v", tt.force, stripped)
		}
	}
	if err := l.Insert(context.Background(), root+"/cut.ko", ""); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a truncated file: %v", err)
	}
}

// Each errno is a sentence, and no two situations share one by accident.
func TestExplain(t *testing.T) {
	t.Parallel()
	signed := &Signature{Signer: "Someone", KeyID: []byte{1, 0xab}}
	seen := map[string]string{}
	for name, tt := range map[string]struct {
		errno unix.Errno
		s     situation
		want  string
	}{
		"no capability":    {unix.EPERM, situation{}, "CAP_SYS_MODULE"},
		"user namespace":   {unix.EPERM, situation{canLoad: true}, "user namespace"},
		"disabled":         {unix.EPERM, situation{modulesDisabled: true}, "modules_disabled"},
		"lockdown":         {unix.EPERM, situation{lockdown: "integrity"}, "lockdown (integrity)"},
		"lockdown, signed": {unix.EPERM, situation{lockdown: "integrity", signature: signed}, `"Someone" (01:AB)`},
		"vermagic":         {unix.ENOEXEC, situation{moduleMagic: "5.0 SMP", kernelMagic: "6.0 SMP"}, `"5.0 SMP", the kernel is "6.0 SMP"`},
		"machine":          {unix.ENOEXEC, situation{moduleMachine: "ARM64"}, "ARM64"},
		"no module":        {unix.ENOEXEC, situation{}, "damaged"},
		"same vermagic":    {unix.ENOEXEC, situation{moduleMagic: "6.0", kernelMagic: "6.0"}, "dmesg"},
		"key":              {unix.ENOKEY, situation{signature: signed}, `"Someone" (01:AB)`},
		"unsigned":         {unix.EKEYREJECTED, situation{}, "reinstall"},
		"signature":        {unix.EBADMSG, situation{}, "signature is damaged"},
		"device":           {unix.ENODEV, situation{}, "no hardware"},
		"parameter":        {unix.EINVAL, situation{options: "a=b"}, "a=b"},
		"modules":          {unix.ENOSYS, situation{}, "CONFIG_MODULES"},
	} {
		got := explain(tt.errno, tt.s)
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q lacks %q", name, got, tt.want)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s: both %q", name, other, got)
		}
		seen[got] = name
	}
	if activeLockdown("none [integrity] confidentiality") != "integrity" || activeLockdown("[none] integrity") != "" || activeLockdown("") != "" {
		t.Error("lockdown is misread")
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		tree("modules.dep"): "k/top.ko: k/dep.ko k/kept.ko\nk/dep.ko:\nk/kept.ko:\nk/soft.ko:\nk/post.ko:\nk/cmd.ko:\nk/busy.ko:\n", tree("modules.builtin"): "k/inside.ko\n",
		"etc/modprobe.d/x.conf": "softdep top pre: soft post: post\nremove cmd rm it\n", "sys/module/kept/refcnt": "2\n", "sys/module/busy/refcnt": "1\n",
		"sys/module/busy/holders/top": "",
	}
	for _, name := range []string{"top", "dep", "kept", "soft", "post", "cmd", "busy"} {
		files["sys/module/"+name+"/initstate"] = "live\n"
		if _, ok := files["sys/module/"+name+"/refcnt"]; !ok {
			files["sys/module/"+name+"/refcnt"] = "0\n"
		}
	}
	root := fakeRoot(t, files)
	l, done := fakeLoader(t, root, nil)
	var removed []string
	l.calls.delete = func(name string, flags int) error {
		if flags != unix.O_NONBLOCK {
			t.Errorf("delete_module with flags %#x", flags)
		}
		removed = append(removed, name)
		return nil
	}
	r := &Remover{Loader: l, FirstTime: true}
	remove := func(name string) error {
		modules, err := l.Context.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		return r.Remove(context.Background(), modules[0])
	}
	if err := remove("top"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"post", "top", "dep", "soft"}, removed); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if err := remove("cmd"); err != nil || len(done()) != 1 || done()[0] != "cmd: rm it" {
		t.Errorf("remove command: %v, %v", err, done())
	}
	if err := remove("busy"); !errors.Is(err, ErrInUse) {
		t.Errorf("busy: %v", err)
	}
	if err := remove("inside"); !errors.Is(err, ErrBuiltin) {
		t.Errorf("built in: %v", err)
	}
	// In use, but told to wait: the kernel decides.
	r.Wait = 10 * time.Millisecond
	tries := 0
	l.calls.sleep = func(time.Duration) {}
	l.calls.delete = func(string, int) error { tries++; return unix.EWOULDBLOCK }
	if err := remove("busy"); !errors.Is(err, unix.EWOULDBLOCK) || tries < 3 {
		t.Errorf("busy with a wait: %v after %d tries", err, tries)
	}
}
