package config

import (
	"os/exec"
	"strings"
	"testing"

	"firn/tests/require"
)

// oracleLines are command lines that systemd-nspawn 252 and ParseArgv must both
// take or both refuse. "--help" is appended: systemd-nspawn reads everything
// before it and then exits without starting anything.
var oracleLines = []string{
	"-M web", "-M we_b", "-M a.b", "-M a..b", "-M .a", "-M a.", "-M -a", "-M a-", "-M a-.b", "-M a/b", "-M ..", "-M a|b",
	"-M " + strings.Repeat("a", 64), "-M " + strings.Repeat("a", 65), "-M=x", "-M ", "-M ünl",
	"--hostname=a", "--hostname=a.", "--hostname=", "--hostname=-a", "--hostname=A_b.c-d",
	"--mach web", "--mac=web", "--m=web", "--machin=", "--bogus", "--b", "--bind-r=/x", "--over=/a:/b", "--vola", "--vola=overlay",
	"-qxb", "-abq", "-qM web", "-qMweb", "-Q", "--quiet=yes", "--boot=1",
	"--volatile", "--volatile=yes", "--volatile=no", "--volatile=state", "--volatile=overlay", "--volatile=1", "--volatile=x", "--volatile=",
	"--bind=/a", "--bind=a", "--bind=a:/b", "--bind=/a:b", "--bind=/a:/b:rbind", "--bind=/a:/b:norbind,idmap", "--bind=/a:/b:bogus", "--bind=/a:/b:",
	"--bind=:/b", "--bind=:", "--bind=", "--bind=+/a", "--bind=+a", "--bind=+a:/b", "--bind=+/a:/b", `--bind=/a\:b`, `--bind=/a\:b:/c`, `--bind=/a\`, "--bind=/a:/b:rootidmap", "--bind=/a:/b:noidmap",
	"--bind=/a:/b:rbind:x", "--bind=/a:/b:rbind,", "--bind=/a:", "--bind=/a::rbind", "--bind=/a:/../b", "--bind=/a:/", "--bind=/", `--bind="/a"`, "--bind=+:/b", "--bind=/a:+/b",
	"--tmpfs=/a", "--tmpfs=a", "--tmpfs=/a:mode=755,size=1M", "--tmpfs=", "--tmpfs=/", `--tmpfs=/a\:b`, "--tmpfs=/a:", "--tmpfs=/a:b:c", "--tmpfs=/../a",
	"--overlay=/a:/b", "--overlay=/a", "--overlay=/a:/b:/c", "--overlay=+/var::/var", "--overlay=/a::/c", "--overlay=::/c", "--overlay=:/b:/c", "--overlay=/a:", "--overlay=:/a", "--overlay=", "--overlay=a:b:/c", "--overlay=a:b", "--overlay=/a:b:c", "--overlay=/a:/b:/", "--overlay=/a:+/b", `--overlay=/a\:x:/b:/c`, "--overlay=/a:/b:/c:/d", "--overlay=/a::/b:/c", "--overlay-ro=/a:/b", "--overlay=+a:/b:/c",
	"--inaccessible=/a", "--inaccessible=a", "--inaccessible=", "--inaccessible=/",
	"-E A=1", "-E A", "-EA=", "-E 1A=1", "-E A-B=1", "-E =1", "-E ", "--setenv=A=b=c", "-E A=\x01", "-E A=\xff", "-E A=x\ty",
	"--uuid=69a735f13ab74c67807f9dd3cb3a5f31", "--uuid=69a735f1-3ab7-4c67-807f-9dd3cb3a5f31", "--uuid=69A735F13AB74C67807F9DD3CB3A5F31", "--uuid=0", "--uuid=", "--uuid=00000000000000000000000000000000", "--uuid=69a735f1-3ab74c67-807f9dd3cb3a5f31",
	"--chdir=/a", "--chdir=a", "--chdir=", "--chdir=/..",
	"--kill-signal=TERM", "--kill-signal=SIGTERM", "--kill-signal=15", "--kill-signal=0", "--kill-signal=65", "--kill-signal=64", "--kill-signal=RTMIN+3", "--kill-signal=SIGRTMIN+3", "--kill-signal=RTMIN", "--kill-signal=RTMAX", "--kill-signal=RTMAX-3", "--kill-signal=RTMIN+31", "--kill-signal=RTMIN+30", "--kill-signal=RTMIN-1", "--kill-signal=sigterm", "--kill-signal=", "--kill-signal=SIGPOLL", "--kill-signal=SIGBOGUS", "--kill-signal=-1", "--kill-signal=IO", "--kill-signal=RTMIN+", "--kill-signal=STKFLT", "--kill-signal=+15",
	"--notify-ready=yes", "--notify-ready=on", "--notify-ready=T", "--notify-ready=maybe", "--notify-ready=", "--notify-ready=Y", "--notify-ready=2",
	"--register=no", "--register=x", "--keep-unit", "--keep-unit=yes",
	"-S foo", "-S foo.slice", "--slice=", "--slice=foo-bar", "-S foo.service",
	"--property=MemoryMax=1G", "--settings=yes", "--settings=override", "--settings=trusted", "--settings=", "--settings=bogus",
	"--capability=CAP_SYS_TIME", "--capability=cap_sys_time", "--capability=SYS_TIME", "--capability=all", "--capability=ALL", "--capability=CAP_SYS_TIME,CAP_MKNOD", "--capability=CAP_BOGUS", "--capability=", "--capability=CAP_SYS_TIME,,CAP_MKNOD", "--capability=,", "--capability=12", "--capability=40", "--capability=99", "--capability=CAP_SYS_TIME CAP_MKNOD", "--capability=help", "--drop-capability=help", "--drop-capability=all", "--drop-capability=CAP_MKNOD", "--ambient-capability=CAP_MKNOD", "--ambient-capability=help",
	"--no-new-privileges=yes", "--no-new-privileges=x", "--no-new-privileges",
	"--rlimit=NOFILE=1", "--rlimit=RLIMIT_NOFILE=1:2", "--rlimit=LimitNOFILE=1", "--rlimit=NOFILE=2:1", "--rlimit=NOFILE=infinity", "--rlimit=NOFILE=1:infinity", "--rlimit=NOFILE=1K", "--rlimit=NOFILE=", "--rlimit=NOFILE", "--rlimit=BOGUS=1", "--rlimit=nofile=1", "--rlimit=AS=1G", "--rlimit=AS=1.5G", "--rlimit=AS=1g", "--rlimit=AS=1GB", "--rlimit=AS=1B", "--rlimit=AS=1 K", "--rlimit=AS=-1", "--rlimit=AS=1G512M", "--rlimit=AS=1G 512M", "--rlimit=AS=512M1G", "--rlimit=AS=1K1K", "--rlimit=AS=.5G", "--rlimit=AS=1.5.5G", "--rlimit=NOFILE=0o10", "--rlimit=NOFILE=1_0", "--rlimit=CPU=0x10", "--rlimit=CPU=.5", "--rlimit=CPU=5.", "--rlimit=CPU=1min30", "--rlimit=CPU=1M", "--rlimit=CPU=5nsec", "--rlimit=AS=18446744073709551615", "--rlimit=AS=16E",
	"--rlimit=CPU=1min", "--rlimit=CPU=1m30s", "--rlimit=CPU=10", "--rlimit=CPU=1.5s", "--rlimit=CPU=x", "--rlimit=CPU=1ms", "--rlimit=RTTIME=1s", "--rlimit=RTTIME=100", "--rlimit=NICE=+5", "--rlimit=NICE=-5", "--rlimit=NICE=5", "--rlimit=NICE=41", "--rlimit=NICE=40", "--rlimit=NICE=+20", "--rlimit=NICE=-20", "--rlimit=NICE=+19", "--rlimit=NICE=-21", "--rlimit=NICE=0", "--rlimit=NICE=-0", "--rlimit=NICE=+0", "--rlimit=NICE=infinity", "--rlimit=NOFILE=0x10", "--rlimit=NOFILE=010", "--rlimit=NOFILE=-1", "--rlimit=NOFILE=+1", "--rlimit=NOFILE= 1", "--rlimit=NOFILE=1:", "--rlimit=NOFILE=:1", "--rlimit=NOFILE=1:2:3", "--rlimit=NOFILE=18446744073709551615", "--rlimit=CPU=1year", "--rlimit=CPU=1 min 30 s", "--rlimit=CPU=-1", "--rlimit=CPU=",
	"--oom-score-adjust=0", "--oom-score-adjust=-1000", "--oom-score-adjust=1001", "--oom-score-adjust=", "--oom-score-adjust=x", "--oom-score-adjust=+5",
	"--cpu-affinity=0", "--cpu-affinity=0-3", "--cpu-affinity=0,2-3", "--cpu-affinity=x", "--cpu-affinity=1-", "--cpu-affinity=-1", "--cpu-affinity=0 1", "--cpu-affinity=8191", "--cpu-affinity=8192", "--cpu-affinity=99999", "--cpu-affinity=0,,1",
	"--personality=x86", "--personality=x86-64", "--personality=bogus", "--personality=", "--personality=x86_64",
	"--resolv-conf=off", "--resolv-conf=copy-host", "--resolv-conf=bogus", "--resolv-conf=", "--resolv-conf=bind-stub", "--resolv-conf=delete", "--resolv-conf=auto", "--resolv-conf=replace-uplink",
	"--timezone=off", "--timezone=symlink", "--timezone=bogus", "--timezone=auto", "--timezone=",
	"--link-journal=no", "--link-journal=auto", "--link-journal=try-host", "--link-journal=try-guest", "--link-journal=try-auto", "--link-journal=yes", "--link-journal=", "-j",
	"--console=interactive", "--console=read-only", "--console=passive", "--console=pipe", "--console=autopipe", "--console=", "--console=x", "-P", "--pipe",
	"-D root", "-D ", "--directory=/x", "--template=x", "--template=", "-u root", "--user=0", "--read-only", "--read-only=yes", "-x", "--ephemeral=no",
	"--suppress-sync=no", "--suppress-sync=x", "--private-users=no", "--private-users=x", "--private-users-ownership=off", "--private-users-ownership=auto", "--private-users-ownership=x", "--no-pager",
}

// oracleDiffers are lines on which firn differs on purpose, with the reason.
var oracleDiffers = map[string]string{
	"--m=web":              "a newer manual has --mstack",
	"-abq":                 "reported by Validate, whatever the order",
	"--bind=/a:/b:bogus":   "nspawn refuses it when it mounts",
	"--bind=/a:/b:rbind:x": "nspawn refuses it when it mounts",
	"--bind=/a:/../b":      "a target with .. depends on links that the payload controls",
	"--tmpfs=/../a":        "a target with .. depends on links that the payload controls",
	"--bind=/a:/":          "the root is chosen by --directory=",
	"--bind=/":             "the root is chosen by --directory=",
	"--tmpfs=/":            "the manual forbids it",
	"--overlay=/a:/b:/":    "the manual forbids it",
	"--inaccessible=/":     "a container without a root cannot run",
}

func TestOracleAcceptance(t *testing.T) {
	t.Parallel()
	nspawn := require.Program(t, "systemd-nspawn")
	for _, line := range oracleLines {
		argv := []string{line}
		if len(line) > 2 && line[2] == ' ' {
			argv = []string{line[:2], line[3:]}
		}
		out, runErr := exec.Command(nspawn, append(argv[:len(argv):len(argv)], "--help")...).CombinedOutput()
		_, parseErr := ParseArgv(append(argv[:len(argv):len(argv)], "--help"), Caller{Dir: "/tmp"})
		reason, differs := oracleDiffers[line]
		if (runErr == nil) == (parseErr == nil) == differs {
			t.Errorf("%q: nspawn %v (%s), firn: %v, known difference: %q", line, runErr, strings.SplitN(string(out), "\n", 2)[0], parseErr, reason)
		}
	}
}
