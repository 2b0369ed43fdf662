//go:build vm

package vm

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"firn/tests/vm/wire"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := RemoveBuilds(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// each runs a test on every kernel.
func each(t *testing.T, test func(t *testing.T, label Label)) {
	t.Helper()
	t.Parallel()
	for _, label := range Kernels {
		t.Run(string(label), func(t *testing.T) {
			t.Parallel()
			test(t, label)
		})
	}
}

// The harness itself: what a test learns of a command and of a machine's end.
func TestHarness(t *testing.T) {
	each(t, func(t *testing.T, label Label) {
		g := Start(t, Machine{Kernel: label, Files: []File{
			{Path: "/vm/text", Text: "from the host\n"},
			Script("/vm/fails", "echo out; echo err >&2; exit 7"),
		}})
		if g.Hello.PID != 1 || !strings.HasPrefix(g.Hello.Kernel, string(label)+".") {
			t.Errorf("hello %+v", g.Hello)
		}
		if got := g.Must("busybox", "cat", "/vm/text"); got != "from the host\n" {
			t.Errorf("the file holds %q", got)
		}
		if got := g.Run("/vm/fails"); got.Status != 7 || got.Stdout != "out\n" || got.Stderr != "err\n" {
			t.Errorf("a command that fails: %v", got)
		}
		if got := g.Run("sh", "-c", "kill -9 $$"); got.Status != 128+9 {
			t.Errorf("a command that is killed: %v", got)
		}
		res := g.Do(wire.Request{Op: wire.Run, Argv: []string{"busybox", "sleep", "100"}, Limit: time.Second})
		if res.Problem != "no end within 1s" {
			t.Errorf("a command that does not end: %+v", res)
		}
		if err := g.Open("/dev/nothing"); err == nil || !strings.HasSuffix(err.Error(), "no such file or directory") {
			t.Errorf("open: %v", err)
		}
		big := strings.Repeat("0123456789abcde\n", 4096)
		g.Write("/tmp/big", big)
		if g.Read("/tmp/big") != big {
			t.Error("64 KiB do not come back as they went")
		}
		if got := g.End("poweroff"); got != PoweredOff {
			t.Errorf("ending: %s", got)
		}
	})
}

func TestEndings(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]Ending{"reboot": Reset, "halt": Halted} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			if got := Start(t, Machine{}).End(how); got != want {
				t.Errorf("ending %q, want %q", got, want)
			}
		})
	}
	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		g := Launch(t, Machine{Init: "/bin/busybox", Args: []string{"true"}})
		if got := g.Wait(time.Minute); got != Panicked {
			t.Errorf("ending %q, want %q", got, Panicked)
		}
	})
}
