package config

// VariableDoc describes one environment variable that systemd's documentation
// gives for systemd-nspawn (systemd-nspawn(1) and systemd's ENVIRONMENT
// document). The table only names them: whether one is honoured is decided
// where it would act, and nothing here reads it.
type VariableDoc struct {
	Name   string
	Values string
	Help   string // one line
}

var variableDocs = []VariableDoc{
	{"SYSTEMD_NSPAWN_API_VFS_WRITABLE", "bool | network", "Mount /sys, /proc/sys and the like writable"},
	{"SYSTEMD_NSPAWN_CONTAINER_SERVICE", "NAME", "What the container sees as $container and its cgroup is named after"},
	{"SYSTEMD_NSPAWN_USE_CGNS", "bool", "Use a cgroup namespace; the default where the kernel has them"},
	{"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY", "bool", "Give the container cgroup v2 (1) or v1 (0) whatever the host has"},
	{"SYSTEMD_NSPAWN_LOCK", "bool", "Lock the root directory against a second container"},
	{"SYSTEMD_NSPAWN_TMPFS_TMP", "bool", "Mount a tmpfs on /tmp"},
	{"SYSTEMD_NSPAWN_CHECK_OS_RELEASE", "bool", "Insist on an os-release file in a root that boots"},
	{"SYSTEMD_NSPAWN_NETWORK_MAC", "MAC", "Address of the container's end of the virtual Ethernet link"},
	{"SYSTEMD_NSPAWN_SHARE_NS_IPC", "bool", "Share the host's IPC namespace"},
	{"SYSTEMD_NSPAWN_SHARE_NS_PID", "bool", "Share the host's PID namespace"},
	{"SYSTEMD_NSPAWN_SHARE_NS_UTS", "bool", "Share the host's UTS namespace"},
	{"SYSTEMD_NSPAWN_SHARE_SYSTEM", "bool", "Share all three, the old name"},
	{"SYSTEMD_SUPPRESS_SYNC", "bool", "Default of --suppress-sync="},
	{"SYSTEMD_SECCOMP", "bool", "Whether to use system call filters at all"},
	{"SYSTEMD_LOG_LEVEL", "emerg ... debug | 0 ... 7", "Least important messages to show"},
	{"SYSTEMD_LOG_COLOR", "bool", "Colour messages by importance"},
	{"SYSTEMD_LOG_TIME", "bool", "Put the time before messages"},
	{"SYSTEMD_LOG_LOCATION", "bool", "Put the place in the source before messages"},
	{"SYSTEMD_LOG_TID", "bool", "Put the thread before messages"},
	{"SYSTEMD_LOG_TARGET", "console | kmsg | journal | ...", "Where messages go"},
	{"SYSTEMD_COLORS", "bool | 16 | 256", "Colours in output"},
	{"SYSTEMD_URLIFY", "bool", "Links in output"},
	{"SYSTEMD_PAGER", "COMMAND", "Pager; firn uses none"},
}

// Variables lists the environment variables that systemd documents for
// systemd-nspawn.
func Variables() []VariableDoc { return append([]VariableDoc(nil), variableDocs...) }
