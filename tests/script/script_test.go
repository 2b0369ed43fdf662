// Package script_test holds rung 2: the command lines of the built programs, as
// scripts. Input: bin/ and testdata/*.txtar; output: what each program prints and
// with which code it exits. No script starts a container; none needs root.
package script_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"firn/tests/require"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScripts(t *testing.T) {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"firn", "firn-init", "firn-kmod"} {
		require.File(t, filepath.Join(bin, name), "make build")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("FIRN_RUNTIME_DIR", filepath.Join(env.WorkDir, "run"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a program that must exit with the given code: exits CODE PROGRAM
// [ARGS...]. Its output is kept for stdout and stderr.
func exits(ts *testscript.TestScript, negative bool, args []string) {
	if negative || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARGS...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	have := 0
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		have = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if have != want {
		ts.Fatalf("exit code %d, want %d", have, want)
	}
}
