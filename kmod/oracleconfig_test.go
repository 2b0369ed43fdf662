package kmod_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"firn/tests/require"
)

// oracleConfig is a modprobe.d made to meet every rule and several at once.
// kmod 30 prints softdeps with both pre and post without the blank between them,
// so -c is compared on stock configurations only.
const oracleConfig = `# comment
alias my-fuse fuse
alias my-* overlay
alias my-fuse btrfs
alias dead nosuchmod
alias uni unix
alias loop-or-cmd loop
alias loop-or-cmd inst-only
blacklist overlay
blacklist  pcspkr extra words
blacklist dummy
blacklist jbd2
options fuse a=1 b="x y"
options fuse c=3 
options my-fuse c=2
options my-* d=4
options jbd2 j=1
options fu* never=1
install loop /bin/echo $CMDLINE_OPTS x
install inst-only /bin/true inst-only
install mbca* /bin/mb
install wild* /bin/wild
remove rem-only /bin/true rem-only
remove loop /bin/remove $CMDLINE_OPTS
softdep fuse pre: loop dummy post: tun nosuch
softdep fuse pre: bonding
softdep loop pre: dummy
softdep dummy pre: fuse
softdep tun pre: jbd2 nosuch
softdep bonding pre: nosuch
softdep vhost_* pre: my-fuse
install bonding /bin/bond
install mbcache /bin/never
options cont a=1 \
 b=2
alias a\
b c
foo bar
alias onlyone
options
options nothing
softdep
blacklist
`

// inCircle are the names that reach fuse -> loop -> dummy -> fuse.
var inCircle = map[string]bool{
	"fuse": true, "my-fuse": true, "my_fuse": true, "loop": true, "dummy": true, "loop-or-cmd": true, "nonl": true,
	"symbol:fuse_file_poll": true, "vhost_net": true, "vhost-net": true,
}

func TestOracleConfiguration(t *testing.T) {
	k := oracleTrees(t)[0]
	dir := t.TempDir()
	must(t, os.WriteFile(dir+"/a.conf", []byte(oracleConfig), 0o644))
	must(t, os.WriteFile(dir+"/z.conf", []byte("alias nonl fuse"), 0o644))
	must(t, os.WriteFile(dir+"/ignored.txt", []byte("alias ext4 fuse\n"), 0o644))
	names := []string{
		"fuse", "my-fuse", "my_fuse", "my-x", "overlay", "fs-overlay", "dead", "uni", "loop-or-cmd", "loop", "inst-only", "rem-only", "wildx", "ab",
		"dummy", "tun", "bonding", "ext4", "fs-ext4", "jbd2", "mbcache", "symbol:fuse_file_poll", "symbol:nosuch", "nosuch", "nonl", "unix", "net-pf-1",
		"vhost_net", "vhost-net", "crypto-aes", "platform:rtc_cmos", "pci:v00008086d000010D3sv0000sd00000bc02sc00i00", "a[b", "", "fuse.ko", "cpu:type:x86,ven0000fam0006mod0086:feature:,00E8,",
	}
	options := [][]string{
		{"-D"}, {"-D", "-b"}, {"-D", "-i"}, {"-R"}, {"-R", "-b"}, {"-n", "-v"}, {"-n", "-v", "-i"}, {"-n", "-v", "-b"}, {"-n"}, {"-q", "-n"},
		{"-r", "-D"}, {"-r", "-n", "-v"}, {"-r", "-i", "-n", "-v"}, {"-n", "--first-time"}, {"-r", "-n", "--first-time"}, {"--show-depends"}, {"--show-dep"}, {"--show", "-v"}, {"--dry-run", "--verbose"}, {"--resolve"},
	}
	where := append(k.where(), "-C", dir)
	for _, o := range options {
		for _, name := range names {
			// kmod 30 overruns its stack where it removes softdeps in a circle.
			if o[0] == "-r" && inCircle[name] {
				continue
			}
			// It also takes --first-time to be about softdeps, where the host's own
			// /sys/module has the module without an initstate.
			if o[0] == "-r" && o[len(o)-1] == "--first-time" && name == "jbd2" {
				continue
			}
			both(t, "modprobe", append(where, o...), []string{name})
		}
	}
	for _, args := range [][]string{
		{"-D", "fuse", "x=1"}, {"-D", "dummy", "x=1", "y=a b", "z", "w=\"q r\""}, {"-D", "nosuch", "x=1"}, {"-D", "inst-only", "a", "b c"},
		{"-a", "-D", "fuse", "x=1"}, {"-aD", "dummy", "nosuch", "tun"}, {"-Da", "my-x", "my-fuse"}, {"-nv", "jbd2", "opt=1"}, {"-a", "-n", "-v", "fuse", "fuse", "btrfs"},
		{"-r", "-D", "bonding", "tun"}, {"-rD", "--remove-holders", "tun"}, {"-R", "--", "fuse"}, {"-R"}, {}, {"-Z"}, {"--nosuch"}, {"-w"}, {"-w", "x", "-r", "tun"},
	} {
		both(t, "modprobe", append(where, args...), nil)
	}
}

func TestOracleSymbols(t *testing.T) {
	k := oracleTrees(t)[0]
	for _, module := range []string{"fs/fuse/fuse.ko", "drivers/net/tun.ko", "fs/btrfs/btrfs.ko", "drivers/gpu/drm/drm.ko", "nosuch.ko"} {
		for _, option := range []string{"--show-modversions", "--dump-modversions", "--show-exports"} {
			both(t, "modprobe", []string{option}, []string{k.dir + "/kernel/" + module})
		}
	}
}

// oracleDepmodTree has modules of one name in several directories.
func TestOracleDepmodConfig(t *testing.T) {
	k := oracleTrees(t)[0]
	root, external := t.TempDir(), t.TempDir()
	tree := root + "/lib/modules/" + k.release
	for to, from := range map[string]string{
		"kernel/fs/fuse.ko": "fs/fuse/fuse.ko", "extra/fuse.ko": "fs/fuse/fuse.ko", "updates/fuse.ko": "fs/fuse/fuse.ko", "updates/sub/cuse.ko": "fs/fuse/cuse.ko",
		"build/tun.ko": "drivers/net/tun.ko", "source/tun.ko": "drivers/net/tun.ko", "kernel/exc/dummy.ko": "drivers/net/dummy.ko",
		"weak-updates/cuse.ko": "fs/fuse/cuse.ko",
	} {
		copyModule(t, k.dir+"/kernel/"+from, tree+"/"+to)
	}
	copyModule(t, k.dir+"/kernel/drivers/net/tun.ko", external+"/tun.ko")
	copyModule(t, k.dir+"/kernel/fs/fuse/fuse.ko", external+"/fuse.ko")
	must(t, os.WriteFile(tree+"/kernel/broken.ko", []byte("no ELF file, as long as it is"), 0o644))
	must(t, os.WriteFile(tree+"/modules.builtin", nil, 0o644))
	// All in modules.order: what is not is ordered by the file system in kmod.
	must(t, os.WriteFile(tree+"/modules.order", []byte("extra/fuse.ko\nupdates/fuse.ko\nkernel/fs/fuse.ko\nkernel/exc/dummy.ko\nweak-updates/cuse.ko\n"+
		"updates/sub/cuse.ko\nkernel/broken.ko\n"+external+"/tun.ko\n"+external+"/fuse.ko\n"), 0o644))
	for _, config := range []string{
		"", "search extra built-in updates", "search built-in updates", "search updates/sub extra", "override fuse * kernel/fs", "override fuse 6.1.* kernel/fs\n# x\noverride cuse * weak-updates",
		"override fuse 5.* kernel/fs", "exclude exc", "external * " + external + "\nsearch external built-in", "external 5.1 " + external + "\nsearch external built-in",
		"external * " + external, "make_map_files yes", "search \\\n extra built-in", "foo\nsearch\nsearch extra",
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(dir+"/a.conf", []byte(config+"\n"), 0o644))
		args := []string{"-C", dir, "-b", root, "-n", k.release}
		want, code := run(t, require.Program(t, "depmod"), args)
		got, gotCode := run(t, program(t), append([]string{"depmod"}, args...))
		if code != gotCode {
			t.Errorf("%q: exit code %d, want %d", config, gotCode, code)
		}
		compare(t, "depmod with "+config, want, withoutWeakdeps(got))
	}
}

func withoutWeakdeps(text []byte) []byte {
	return []byte(strings.Replace(string(text), "# Weak dependencies extracted from modules themselves.\n", "", 1))
}

func copyModule(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	must(t, err)
	must(t, os.MkdirAll(filepath.Dir(to), 0o755))
	must(t, os.WriteFile(to, data, 0o644))
}

// fakeProc mounts a made-up /proc/modules and /sys/module in a namespace of its
// own and runs the command.
const fakeProc = `set -e
mount -t tmpfs none "$DIR"
cd "$DIR"
for m in loop fuse dm_mod; do mkdir -p sys/$m/holders; echo live >sys/$m/initstate; echo 0 >sys/$m/refcnt; echo 4096 >sys/$m/coresize; done
mkdir -p sys/zz/holders sys/param; echo coming >sys/zz/initstate; echo 5 >sys/zz/coresize; echo 1 >sys/zz/refcnt
echo 3 >sys/fuse/refcnt
ln -s ../../loop ../../dm_mod ../../zz sys/fuse/holders/
printf '%s\n' 'loop 32768 0 - Live 0x0' 'fuse 167936 3 dm_mod,loop,zz, Live 0x0' 'zz 5 1 [permanent], Loading 0x0' 'dm_mod 4096 0 - Live 0x0 (OE)' >modules
mkdir proc; : >proc/modules
: >proc/cmdline
mount --bind sys /sys/module
mount --bind proc /proc
mount --bind modules /proc/modules
exec "$@"`

func TestOracleLoaded(t *testing.T) {
	require.Root(t)
	k := oracleTrees(t)[0]
	modprobe := func(args ...string) []string { return append(append([]string{"modprobe"}, k.where()...), args...) }
	for _, command := range [][]string{
		{"lsmod"}, {"rmmod", "nosuch"}, {"rmmod", "fuse"}, {"rmmod", "zz"}, {"rmmod"}, {"lsmod", "x"},
		modprobe("-n", "-v", "fuse"), modprobe("-n", "-v", "dm-mod"), modprobe("-n", "--first-time", "fuse"), modprobe("-r", "fuse"), modprobe("-r", "-n", "-v", "loop"),
		modprobe("-r", "-n", "-v", "loop", "dm_mod"), modprobe("-r", "-n", "-v", "--remove-holders", "fuse"), modprobe("-r", "nosuch"), modprobe("-r", "unix"),
		modprobe("-r", "--first-time", "tun"), modprobe("-r", "tun"), modprobe("-D", "fuse"), modprobe("-D", "dm-crypt"), modprobe("-n", "-v", "dm-crypt"), modprobe("-n", "-v", "cuse"),
	} {
		want, wantCode := inFakeProc(t, append([]string{require.Program(t, command[0])}, command[1:]...))
		got, gotCode := inFakeProc(t, append([]string{program(t)}, command...))
		if wantCode != gotCode {
			t.Errorf("%v: exit code %d, want %d", command, gotCode, wantCode)
		}
		compare(t, strings.Join(command, " "), want, got)
	}
}

func inFakeProc(t *testing.T, command []string) ([]byte, int) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", fakeProc, "sh"}, command...)...)
	cmd.Env = append(os.Environ(), "DIR="+t.TempDir(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Unshareflags: syscall.CLONE_NEWNS}
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out, cmd.ProcessState.ExitCode()
}
