// Package mounts mounts what a system needs and its manager has not. Its input is the table below and the file system
// as it is found; its output are mounts, and the list of them for halt. The first boot step.
//
// Whatever is a mount point already was mounted by the manager and stays as it is: the Container Interface asks
// managers to mount the API file systems, and they do it with restrictions that are theirs to choose.
package mounts

// Where says on what kind of system a row holds.
type Where int

const (
	anywhere Where = iota
	onMachine
	inContainer
)

// Row is one file system.
type Row struct {
	Target string
	Type   string
	Flags  Flags
	Data   string
	Where  Where
	// Mode of the directory that is made where there is none.
	Mode uint32
	// Required: without it nothing works, and boot ends.
	Required bool
	// ReadOnlyOnly: mounted only where the directory cannot be written: a tmpfs for want of something better.
	ReadOnlyOnly bool
	// NotPopulated: not mounted where null is a device in the directory: an image that brings its own nodes.
	NotPopulated bool
}

// Flags of a mount, without the prefix of mount(2).
type Flags uint

const (
	noSUID Flags = 1 << iota
	noDev
	noExec
	strictATime
)

// Table is in the order of mounting: no row stands before one whose target it is below.
var Table = []Row{
	{Target: "/proc", Type: "proc", Flags: noSUID | noDev | noExec, Mode: 0o555, Required: true},
	{Target: "/sys", Type: "sysfs", Flags: noSUID | noDev | noExec, Mode: 0o555, Where: onMachine, Required: true},
	// Not the owner of the network namespace: sysfs is refused, and the system does without.
	{Target: "/sys", Type: "sysfs", Flags: noSUID | noDev | noExec, Mode: 0o555, Where: inContainer},
	{Target: "/dev", Type: "devtmpfs", Flags: noSUID | strictATime, Data: "mode=0755,size=4m", Mode: 0o755, Where: onMachine, Required: true},
	{Target: "/dev", Type: "tmpfs", Flags: noSUID | strictATime, Data: "mode=0755,size=4m", Mode: 0o755, Where: inContainer, Required: true, NotPopulated: true},
	// 5 is the group tty on every distribution (devpts is its only use for it). newinstance is the rule since 4.7.
	{Target: "/dev/pts", Type: "devpts", Flags: noSUID | noExec, Data: "newinstance,ptmxmode=0666,mode=0620,gid=5", Mode: 0o755},
	{Target: "/dev/shm", Type: "tmpfs", Flags: noSUID | noDev | strictATime, Data: "mode=1777", Mode: 0o1777},
	{Target: "/run", Type: "tmpfs", Flags: noSUID | noDev | strictATime, Data: "mode=0755,size=20%,nr_inodes=800k", Mode: 0o755, Required: true},
	{Target: "/tmp", Type: "tmpfs", Flags: noSUID | noDev | strictATime, Data: "mode=1777,size=50%,nr_inodes=1m", Mode: 0o1777, ReadOnlyOnly: true},
	{Target: "/sys/fs/cgroup", Type: "cgroup2", Flags: noSUID | noDev | noExec, Data: "nsdelegate", Mode: 0o755},
}

// For gives the rows that hold on a machine, or in a container.
func For(machine bool) []Row {
	other := onMachine
	if machine {
		other = inContainer
	}
	var rows []Row
	for _, row := range Table {
		if row.Where != other {
			rows = append(rows, row)
		}
	}
	return rows
}
