//go:build root

package root_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"firn/tests/host"
	"firn/tests/require"
	"firn/tests/rootfs"
)

// An option is one use of nspawn's command line: what a script inside sees of it.
// Words in capitals are directories that the test makes.
type option struct {
	name   string
	args   string
	script string
	want   string // on stdout
	alone  bool   // systemd-nspawn 252 does otherwise, and the script's comment says how
}

var options = []option{
	{name: "machine name", script: `hostname; echo $$`, want: "opt\n1\n"},
	{name: "hostname", args: "--hostname=other", script: `hostname`, want: "other\n"},
	// The stub's own threads, it being a Go program, take the numbers after 1.
	{name: "as pid 2", args: "-a", script: `echo $PPID; [ $$ != 1 ] && echo not 1`, want: "1\nnot 1\n"},
	{name: "uuid", args: "--uuid=0123456789abcdef0123456789abcdef", script: `echo $container_uuid`, want: "01234567-89ab-cdef-0123-456789abcdef\n"},
	{name: "setenv", args: "--setenv=A=b -E C=d=e", script: `echo $A $C`, want: "b d=e\n"},
	{name: "setenv of the caller's", args: "-E FIRN_TEST_VALUE", script: `echo $FIRN_TEST_VALUE`, want: "passed on\n"},
	{name: "no other variables", script: `env | cut -d= -f1 | grep -vE '^(PWD|_|OLDPWD|SHLVL|TERM|container|container_.*|LISTEN_.*|NOTIFY_SOCKET)$' | sort | tr '\n' ' '`, want: "HOME LANG LOGNAME PATH USER "},
	{name: "values of variables", script: `env | grep -E '^(HOME|LANG|LOGNAME|PATH|USER|TERM|container_host_.*)=' | sort`, want: "SAME"},
	{name: "user", args: "-u nobody", script: `id -un; id -gn; echo $USER $LOGNAME; pwd`, want: "nobody\nnogroup\nnobody nobody\n/\n"},
	{name: "user by number", args: "--user=65534", script: `id -un`, want: "nobody\n"},
	{name: "groups of a user", args: "-u daemon", script: `id -G`, want: "1\n"},
	{name: "home", script: `echo $HOME; pwd`, want: "/root\n/\n"},
	{name: "chdir", args: "--chdir=/usr/bin", script: `pwd`, want: "/usr/bin\n"},

	{name: "inaccessible below a bind", args: "--bind=SRC:/mnt --inaccessible=/mnt/file", script: `cat /mnt/file; stat -c %a /mnt/file`, want: "0\n"},
	{name: "bind", args: "--bind=SRC:/mnt", script: `cat /mnt/file && echo new >/mnt/new && cat /mnt/new; rm /mnt/new`, want: "content\nnew\n"},
	{name: "bind makes its target", args: "--bind=SRC:/made/by/it", script: `cat /made/by/it/file`, want: "content\n"},
	{name: "bind of a file", args: "--bind=SRC/file:/made-file", script: `cat /made-file`, want: "content\n"},
	{name: "bind-ro", args: "--bind-ro=SRC:/mnt", script: `cat /mnt/file; echo x 2>/dev/null >/mnt/new || echo refused`, want: "content\nrefused\n"},
	{name: "bind-ro of submounts", args: "--bind-ro=SRC:/mnt", script: `ls /mnt/sub; echo x 2>/dev/null >/mnt/sub/new || echo refused`, want: "inner\nrefused\n"},
	{name: "bind without submounts", args: "--bind-ro=SRC:/mnt:norbind", script: `ls /mnt/sub`, want: ""},
	{name: "bind with a colon", args: `--bind=COLON:/mnt/with\:colon`, script: `ls /mnt`, want: "with:colon\n"},
	{name: "bind of the same path", args: "--bind=SRC", script: `cat SRC/file`, want: "content\n"},
	{name: "bind from inside", args: "--bind=+/usr/bin:/mnt", script: `ls -d /mnt/env`, want: "/mnt/env\n"},
	{name: "later binds win", args: "--bind=SRC:/mnt --bind=OTHER:/mnt", script: `cat /mnt/file`, want: "other\n"},
	{name: "tmpfs", args: "--tmpfs=/mnt:mode=700,size=1M", script: `stat -f -c %T /mnt; stat -c %a /mnt; df --output=size /mnt | tail -n 1 | tr -d ' '`, want: "tmpfs\n700\n1024\n"},
	{name: "tmpfs default mode", args: "--tmpfs=/mnt", script: `stat -c %a /mnt`, want: "755\n"},
	{name: "overlay", args: "--overlay=SRC:UPPER:/mnt", script: `cat /mnt/file; echo over >/mnt/over; cat /mnt/over`, want: "content\nover\n"},
	{name: "overlay of a temporary layer", args: "--overlay=SRC::/mnt", script: `cat /mnt/file; echo over >/mnt/temporary; cat /mnt/temporary`, want: "content\nover\n"},
	{name: "overlay from inside", args: "--overlay=+/usr/share:SRC::/usr/share", script: `cat /usr/share/file; ls -d /usr/share/doc`, want: "content\n/usr/share/doc\n"},
	{name: "overlay-ro", args: "--overlay-ro=SRC:OTHER:/mnt", script: `cat /mnt/file; echo x 2>/dev/null >/mnt/new || echo refused`, want: "other\nrefused\n"},
	{name: "inaccessible file", args: "--inaccessible=/etc/passwd", script: `stat -c %a /etc/passwd; wc -c </etc/passwd`, want: "0\n0\n"},
	{name: "inaccessible directory", args: "--inaccessible=/usr/share", script: `stat -c %a /usr/share; ls /usr/share | wc -l`, want: "0\n0\n"},

	{name: "drop-capability", args: "--drop-capability=CAP_CHOWN,CAP_KILL", script: `touch /tmp/f; chown daemon /tmp/f 2>/dev/null || echo refused`, want: "refused\n"},
	{name: "drop-capability=all", args: "--drop-capability=all", script: `grep CapBnd /proc/self/status | tr -d '\t'`, want: "CapBnd:0000000000000000\n"},
	{name: "default capabilities", script: `for c in Prm Eff Bnd Amb; do grep Cap$c /proc/self/status | tr -d '\t'; done`, want: "SAME"},
	{name: "capabilities of a user", args: "-u nobody", script: `for c in Prm Eff Amb; do grep Cap$c /proc/self/status | tr -d '\t'; done`, want: "SAME"},
	{name: "ambient capability", args: "-u nobody --ambient-capability=CAP_NET_BIND_SERVICE", script: `grep CapAmb /proc/self/status | tr -d '\t'`, want: "CapAmb:0000000000000400\n"},
	{name: "no new privileges", args: "--no-new-privileges=yes", script: `grep NoNewPrivs /proc/self/status | tr -d '\t'`, want: "NoNewPrivs:1\n"},
	{name: "new privileges", script: `grep NoNewPrivs /proc/self/status | tr -d '\t'`, want: "NoNewPrivs:0\n"},
	{name: "rlimit", args: "--rlimit=RLIMIT_NOFILE=1000:2000", script: `ulimit -Sn; ulimit -Hn`, want: "1000\n2000\n"},
	{name: "rlimit of both", args: "--rlimit=NOFILE=500", script: `ulimit -Sn; ulimit -Hn`, want: "500\n500\n"},
	{name: "rlimit in units", args: "--rlimit=RLIMIT_CORE=1M", script: `ulimit -Sc`, want: "2048\n"},
	{name: "oom score", args: "--oom-score-adjust=500", script: `cat /proc/self/oom_score_adj`, want: "500\n"},
	{name: "cpu affinity", args: "--cpu-affinity=0", script: `grep Cpus_allowed_list /proc/self/status | tr -d '\t'`, want: "Cpus_allowed_list:0\n"},
	{name: "personality", args: "--personality=x86", script: `uname -m`, want: "i686\n"},

	{name: "read-only", args: "--read-only", script: `echo x 2>/dev/null >/x || echo refused; echo y >/tmp/y && cat /tmp/y`, want: "refused\ny\n"},
	{name: "volatile", args: "--volatile=yes", script: `stat -f -c %T /; ls /etc | wc -l; echo x 2>/dev/null >/usr/x || echo refused`, want: "SAME"},
	{name: "volatile state", args: "--volatile=state", script: `stat -f -c %T /var; echo x 2>/dev/null >/x || echo refused`, want: "tmpfs\nrefused\n"},
	{name: "volatile overlay", args: "--volatile=overlay", script: `echo x >/volatile && cat /volatile`, want: "x\n"},
	{name: "nothing stays of it", script: `[ -e /volatile ] || echo gone`, want: "gone\n"},
	{name: "ephemeral", args: "-x", script: `echo x >/ephemeral && cat /ephemeral; hostname | cut -c 1-4`, want: "x\nopt\n"},
	{name: "nothing stays of it either", script: `[ -e /ephemeral ] || echo gone`, want: "gone\n"},
	{name: "resolv-conf copied", args: "--resolv-conf=copy-host", script: `cat /etc/resolv.conf`, want: "SAME"},
	{name: "resolv-conf replaced", args: "--resolv-conf=replace-host", script: `cat /etc/resolv.conf`, want: "SAME"},
	{name: "resolv-conf bound", args: "--resolv-conf=bind-host", script: `cat /etc/resolv.conf; grep -c ' /etc/resolv.conf ' /proc/self/mountinfo`, want: "SAME"},
	{name: "resolv-conf off", args: "--resolv-conf=off", script: `cat /etc/resolv.conf`, want: "SAME"},
	{name: "resolv-conf deleted", args: "--resolv-conf=delete", script: `[ -e /etc/resolv.conf ] || echo none`, want: "none\n"},
	{name: "timezone off", args: "--timezone=off", script: `readlink /etc/localtime`, want: "SAME"},
	{name: "timezone symlink", args: "--timezone=symlink", script: `readlink /etc/localtime`, want: "SAME"},
	{name: "pipe", args: "-P", script: `cat; [ -t 0 ] || echo no terminal`, want: "typed\nno terminal\n"},

	{name: "device nodes", script: `find /dev -type c -o -type b | grep -v '^/dev/pts/[0-9]' | sort | xargs stat -c '%n %A %t:%T'; find /dev -maxdepth 1 -type l | sort | xargs stat -c %N`, want: "SAME"},
	{name: "modes of device nodes", script: `stat -c '%a %u %g %n' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/pts/ptmx /dev/shm`, want: "SAME"},
	{name: "protected kernel files", script: `for f in sys/kernel/core_pattern sysrq-trigger; do true 2>/dev/null >/proc/$f || echo refused; done; true 2>/dev/null >/sys/kernel/profiling || echo refused`, want: "refused\nrefused\nrefused\n"},
	{name: "kernel files that are hidden", script: `# nspawn shows /proc/kallsyms and timer_list
		for f in kallsyms kcore timer_list; do [ ! -e /proc/$f ] || wc -c </proc/$f; done | sort -u`, want: "0\n", alone: true},
	{name: "types of mounts", script: `awk '{ for (i = 7; $i != "-"; i++); print $5, $(i + 1) }' /proc/self/mountinfo | grep -vE '^/(sys/fs/cgroup|run/host|etc|proc/|sys/|dev/)' | sort`, want: "SAME"},
	{name: "umask", script: `umask`, want: "0022\n"},
	{name: "stdin is closed to a tty", script: `tty || true`, want: "not a tty\n"},
	{name: "signals are default and open", script: `grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\t'`, want: "SAME"},
	{name: "descriptors", script: `ls /proc/self/fd | tr '\n' ' '`, want: "0 1 2 3 "},
	{name: "own session", script: `set -- $(cat /proc/self/stat); echo $6`, want: "SAME"},
}

// TestOptions: each option of nspawn's command line has its effect, and the same
// one as with systemd-nspawn: the container's view is compared with what is
// wanted and, where that program is installed, with what it makes of the option.
func TestOptions(t *testing.T) {
	host.Watch(t)
	t.Cleanup(func() { removePayload(t) })
	t.Setenv("FIRN_TEST_VALUE", "passed on")
	nspawn := require.Program(t, "systemd-nspawn")
	makeInaccessible(t)
	words := directories(t)
	ours, theirs := rootfs.Debian(t), rootfs.Debian(t)
	for _, o := range options {
		t.Run(o.name, func(t *testing.T) {
			common := []string{"-q", "-M", "opt", "-P"}
			args := append(common, strings.Fields(words.Replace(o.args))...)
			payload := []string{"/bin/sh", "-c", words.Replace(o.script)}
			oracle := see(t, exec.Command(nspawn, append(append([]string{"--register=no", "--keep-unit", "-D", theirs}, args...), payload...)...))
			have := see(t, command(t, "firn", append(append([]string{"nspawn", "-D", ours}, args...), payload...)...))
			want := o.want
			if want == "SAME" {
				want = oracle.stdout
			} else if !o.alone && oracle.stdout != want {
				t.Errorf("systemd-nspawn %s: %v\nwant %q: is the test right?", o.args, oracle, want)
			}
			if have.stdout != want || have.code != 0 {
				t.Errorf("firn nspawn %s: %v\nwant %q", o.args, have, want)
			}
		})
	}
}

// see runs a container with a line on its standard input.
func see(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	cmd.Stdin = strings.NewReader("typed\n")
	r, err := execute(cmd, startLimit)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// directories makes what the options name in capitals.
func directories(t *testing.T) *strings.Replacer {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"src/sub", "other", "upper", "with:colon", "etc"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"src/file": "content\n", "other/file": "other\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	mountTmpfs(t, filepath.Join(dir, "src/sub"))
	if err := os.WriteFile(filepath.Join(dir, "src/sub/inner"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("SRC", dir+"/src", "OTHER", dir+"/other", "UPPER", dir+"/upper",
		"COLON", strings.ReplaceAll(dir, ":", `\:`)+`/with\:colon`, "ETC", dir+"/etc")
}

// makeInaccessible makes what systemd makes on its host and nspawn binds over what
// is to be inaccessible.
func makeInaccessible(t *testing.T) {
	t.Helper()
	const dir = "/run/systemd/inaccessible"
	if err := os.MkdirAll(dir+"/dir", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll("/run/systemd") })
	if err := os.WriteFile(dir+"/reg", nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir+"/dir", 0); err != nil {
		t.Fatal(err)
	}
}

// removePayload removes the cgroups that systemd-nspawn leaves with --keep-unit.
func removePayload(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"/sys/fs/cgroup/*/tests/", "/sys/fs/cgroup/tests/"} {
		for _, name := range []string{"payload", "supervisor"} {
			found, _ := filepath.Glob(pattern + name)
			for _, dir := range found {
				if output, err := exec.Command("find", dir, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").CombinedOutput(); err != nil {
					t.Errorf("remove %s: %v: %s", dir, err, output)
				}
			}
		}
	}
}
