// Package sysctl keeps a container from writing the host's kernel parameters.
//
// A read-only mount over /proc/sys does not: root in a container without a user
// namespace may unmount it, or mount another procfs. The guard is an eBPF
// program at the container's cgroup (BPF_PROG_TYPE_CGROUP_SYSCTL, Linux 5.2),
// which the kernel asks at every access, whatever mount it comes through. It
// stands on cgroup v2, which a hybrid host has beside v1, and above the
// container's own root cgroup, where nothing inside can see or detach it.
//
// Role: part of the stage "container". Input: the directory of a v2 cgroup;
// output: a program attached to it, which lives as long as the cgroup.
package sysctl

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// ErrUnavailable says that the kernel has no such programs
// (CONFIG_CGROUP_BPF), or does not let this process load them.
var ErrUnavailable = errors.New("kernel parameters cannot be guarded")

// writeField is the offset of struct bpf_sysctl's member write, which is 1 for
// a write and 0 for a read (include/uapi/linux/bpf.h).
const writeField = 0

// program returns 1, "go on", for a read and 0, EPERM, for a write.
func program() *ebpf.ProgramSpec {
	return &ebpf.ProgramSpec{
		Name:       "firn_sysctl",
		Type:       ebpf.CGroupSysctl,
		AttachType: ebpf.AttachCGroupSysctl,
		License:    "Apache-2.0",
		Instructions: asm.Instructions{
			asm.LoadMem(asm.R1, asm.R1, writeField, asm.Word),
			asm.Mov.Imm(asm.R0, 1),
			asm.JEq.Imm(asm.R1, 0, "end"),
			asm.Mov.Imm(asm.R0, 0),
			asm.Return().WithSymbol("end"),
		},
	}
}

// Guard refuses all writes below /proc/sys to the processes in the cgroup and
// in all below it.
func Guard(cgroupDir string) error {
	prog, err := ebpf.NewProgramWithOptions(program(), ebpf.ProgramOptions{LogDisabled: true})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer prog.Close() // the attachment keeps it
	dir, err := os.Open(cgroupDir)
	if err != nil {
		return fmt.Errorf("guard kernel parameters: %w", err)
	}
	defer dir.Close()
	// Not a bpf_link: that would end with this process, and the container
	// outlives a supervisor that is killed.
	err = link.RawAttachProgram(link.RawAttachProgramOptions{
		Target: int(dir.Fd()), Program: prog, Attach: ebpf.AttachCGroupSysctl,
	})
	if err != nil {
		return fmt.Errorf("%w: attach to %s: %w", ErrUnavailable, cgroupDir, err)
	}
	return nil
}
