// Package seccomp refuses containers the one system call that leads around
// their mounts.
//
// Role: part of the stage "container". Input: none; output: a filter on the
// calling thread, which what it starts inherits.
package seccomp

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data (include/uapi/linux/seccomp.h).
const (
	numberOffset       = 0
	architectureOffset = 4
)

// Numbers of open_by_handle_at(2) beside this machine's own: i386's, and
// x32's, which is that of x86-64 with a bit set.
const (
	handleI386 = 342
	x32Bit     = 0x40000000
)

// RefuseHandles makes open_by_handle_at(2) fail with EPERM for the calling
// thread and all that it starts. A handle names a file of a file system by its
// inode, so with CAP_DAC_READ_SEARCH, which containers have, it opens the host's
// root directory from any directory on the same file system, and writes to
// /nix past its read-only mount. It needs CAP_SYS_ADMIN. The thread must be
// locked to a goroutine and end with it.
func RefuseHandles() error {
	filter := handleFilter()
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("filter open_by_handle_at: %w", errno)
	}
	return nil
}

// handleFilter is a program of classic BPF. Each architecture has its own
// numbers, so the architecture is asked first; a foreign one with other
// numbers passes, since this kernel cannot run it.
func handleFilter() []unix.SockFilter {
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	return []unix.SockFilter{
		load(architectureOffset),
		equal(unix.AUDIT_ARCH_I386, 0, 2),
		load(numberOffset),
		equal(handleI386, 3, 4),
		load(numberOffset),
		equal(unix.SYS_OPEN_BY_HANDLE_AT, 1, 0),
		equal(unix.SYS_OPEN_BY_HANDLE_AT|x32Bit, 0, 1),
		answer(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)),
		answer(unix.SECCOMP_RET_ALLOW),
	}
}
