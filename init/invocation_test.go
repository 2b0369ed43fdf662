package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"firn/init/internal/log"
)

func TestParseLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		line    string
		mode    mode
		system  string
		argv    []string
		grace   time.Duration
		level   log.Level
		ignored []string
		err     string
	}{
		{line: "firn-init true", argv: []string{"true"}},
		{line: "firn-init -- -x --boot", argv: []string{"-x", "--boot"}},
		{line: "firn-init sh --boot --help", argv: []string{"sh", "--boot", "--help"}},
		{line: "firn-init --grace=3s --log-level debug sh", argv: []string{"sh"}, grace: 3 * time.Second, level: log.Debug},
		{line: "firn-init --grace 0s sh", argv: []string{"sh"}, grace: -1},
		{line: "firn-init - x", argv: []string{"-", "x"}},
		{line: "firn-init --boot", mode: bootMode},
		{line: "firn-init --boot --system /nix/store/x -- sh -l", mode: bootMode, system: "/nix/store/x", argv: []string{"sh", "-l"}},
		{line: "firn-init --boot sh", mode: bootMode, argv: []string{"sh"}},
		{line: "firn-init --help nonsense", mode: showHelp},
		{line: "firn-init -h", mode: showHelp},
		{line: "firn-init --version", mode: showVersion},
		{line: "/nix/store/x/init", mode: bootMode},
		{line: "init single quiet -s --foo=bar", mode: bootMode, ignored: []string{"single", "quiet", "-s", "--foo=bar"}},
		{line: "init --log-level=debug --grace=x -- sh", mode: bootMode, argv: []string{"sh"}, level: log.Debug, ignored: []string{"--grace=x"}},

		{line: "firn-init", err: "no command given"},
		{line: "firn-init --", err: "no command given"},
		{line: "firn-init --bot", err: "unknown option --bot"},
		{line: "firn-init -x", err: "unknown option -x"},
		{line: "firn-init --boot=yes", err: "takes no value"},
		{line: "firn-init --system", err: "needs a value"},
		{line: "firn-init --system /x sh", err: "--boot too"},
		{line: "firn-init --boot --system x", err: "no absolute path"},
		{line: "firn-init --grace 91s sh", err: "from 0s to 1m30s"},
		{line: "firn-init --grace -1s sh", err: "from 0s to 1m30s"},
		{line: "firn-init --log-level loud sh", err: `unknown log level "loud"`},
	}
	for _, tt := range tests {
		t.Run(tt.line, func(t *testing.T) {
			t.Parallel()
			inv, err := parseLine(strings.Fields(tt.line))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !errors.Is(err, errUsage) {
					t.Fatalf("error %v, want %q and where to look", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			grace, level := tt.grace, tt.level
			switch grace {
			case 0:
				grace = 10 * time.Second
			case -1:
				grace = 0
			}
			if level == 0 {
				level = log.Info
			}
			if inv.mode != tt.mode || inv.system != tt.system || !slices.Equal(inv.argv, tt.argv) || inv.grace != grace || inv.level != level || !slices.Equal(inv.ignored, tt.ignored) {
				t.Errorf("got %+v", inv)
			}
		})
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add("init\x00single\x00--\x00sh")
	f.Fuzz(func(t *testing.T, line string) {
		argv := strings.Split(line, "\x00")
		inv, err := parseLine(argv)
		if err == nil && inv.mode == commandMode && len(inv.argv) == 0 {
			t.Errorf("%q is command mode without a command", argv)
		}
		if err != nil && strings.HasSuffix(argv[0], "/init") {
			t.Errorf("%q: an init refuses to start: %v", argv, err)
		}
	})
}
