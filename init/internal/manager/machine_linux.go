package manager

import "golang.org/x/sys/unix"

// initialPIDNamespace is the inode of the first PID namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO).
const initialPIDNamespace = 0xEFFFFFFC

// Machine reports whether this is a machine, virtual or not, rather than a container: nobody said to be its manager,
// and it is in the first PID namespace, as far as /proc can tell.
func (m Manager) Machine() bool {
	if m.Container != "" {
		return false
	}
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return true
	}
	return st.Ino == initialPIDNamespace
}
