package tests

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"firn/tests/require"
)

// complete runs bash with a completion's file loaded, then script.
func complete(t *testing.T, file, script string) []string {
	t.Helper()
	require.Program(t, "bash")
	cmd := exec.Command("bash", "--noprofile", "--norc", "-c", `source "$1"
reply() { local words=("$@"); COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "_${1//-/_}"; printf '%s\n' "${COMPREPLY[@]}"; }
`+script, "bash", file)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return strings.Fields(string(out))
}

func TestCompletionOptions(t *testing.T) {
	t.Parallel()
	source := readKmodSource(t)
	for tool, function := range source.tools {
		t.Run(tool, func(t *testing.T) {
			t.Parallel()
			flags := source.flags(t, function)
			sameFlags(t, "firn-kmod "+tool, flagNames(flags), complete(t, "../completions/firn-kmod.bash", "reply firn-kmod "+tool+" -"))
			var takes []string
			for _, f := range flags {
				if f.value {
					takes = append(takes, f.names()...)
				}
			}
			slices.Sort(takes)
			sameFlags(t, "firn-kmod "+tool+", options with a value", slices.Compact(takes), complete(t, "../completions/firn-kmod.bash",
				"cur=; for o in "+strings.Join(flagNames(flags), " ")+"; do ! _firn_kmod_value "+tool+" $o || printf '%s\\n' $o; done"))
		})
	}
	sameFlags(t, "firn-init", initFlags(t), complete(t, "../completions/firn-init.bash", "reply firn-init -"))
	sameFlags(t, "firn-init verify", verifyFlags(t), complete(t, "../completions/firn-init.bash", "reply firn-init verify -"))
	tools := slices.Sorted(maps.Keys(source.tools))
	sameFlags(t, "firn-kmod's tools", append(tools, "help", "version", "-h", "--help", "-V", "--version"),
		complete(t, "../completions/firn-kmod.bash", "reply firn-kmod ''"))
}

func TestCompletionValues(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	tree := filepath.Join(root, "lib/modules/6.1.0-test")
	if err := os.MkdirAll(tree, 0o755); err != nil {
		t.Fatal(err)
	}
	dep := "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/fs/jbd2/jbd2.ko.xz:\nextra.ko:\n/opt/x/extra-two.ko.zst: extra.ko\n"
	if err := os.WriteFile(filepath.Join(tree, "modules.dep"), []byte(dep), 0o644); err != nil {
		t.Fatal(err)
	}
	loaded := "_firn_kmod_loaded() { echo loop veth; }; "
	at := " -S 6.1.0-test -d '" + root + "' "
	for _, test := range []struct{ file, script, want string }{
		{"firn-kmod", "reply firn-kmod modprobe" + at + "e", "ext4 extra extra-two"},
		{"firn-kmod", "complete -F x modprobe; _modprobe() { _firn_kmod; }; reply modprobe" + at + "j", "jbd2"},
		{"firn-kmod", "KMOD_TREES='" + tree + "'; reply firn-kmod modinfo j", "jbd2"},
		{"firn-kmod", "reply firn-kmod why --set-version = 6.1.0-test --dirname = '" + root + "' jb", "jbd2"},
		{"firn-kmod", loaded + "reply firn-kmod rmmod ''", "loop veth"},
		{"firn-kmod", loaded + "reply firn-kmod modprobe -r v", "veth"},
		{"firn-kmod", loaded + "reply firn-kmod modprobe -vr v", "veth"},
		{"firn-kmod", "reply firn-kmod static-nodes -f t", "tmpfiles"},
		{"firn-kmod", "reply firn-kmod static-nodes --format = dev", "devname"},
		{"firn-kmod", "reply firn-kmod check", "check-config"},
		{"firn-init", "reply firn-init --log-level d", "debug"},
		{"firn-init", "reply firn-init --log-level = w", "warning"},
		{"firn-init", "reply firn-init --boot --gr", "--grace"},
		{"firn-init", "PATH=; reply firn-init veri", "verify"},
		{"firn-init", "mkdir -p '" + root + "/etc/systemd/system'; >'" + root + "/etc/systemd/system/a-b.service'; reply firn-init verify --root '" + root + "' a", "a-b.service"},
		{"firn-init", "cd '" + root + "'; reply firn-init --grace 5s -- env l", "lib"},
	} {
		got := complete(t, "../completions/"+test.file+".bash", test.script)
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", test.script, got, test.want)
		}
	}
}
