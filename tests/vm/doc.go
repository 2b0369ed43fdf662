// Package vm boots stock Debian kernels in QEMU for tests that need what the
// machine they run on may not have: loadable modules, cgroup v2, a host with
// systemd, a PID 1 of one's own.
//
// Input: a Machine, which says kernel, modules, files and first process. Output:
// a Guest, through which the test runs commands inside, and at last an Ending.
// Stages: kernel and module tree (kernel.go, vmlinux.go, modules.go), initramfs
// (initramfs.go, cpio.go), QEMU (qemu_linux.go, qmp.go), talk (guest.go; its
// other end is the command agent).
//
// Everything is emulated (TCG): one exec costs some 20 ms, a boot some 2 s. So a
// test boots once and does much, and times are compared inside one guest only.
//
// A test that fails shows its machine's console; with FIRN_VM_CONSOLE set every
// test does.
package vm
