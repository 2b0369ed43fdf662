package vm

import "time"

// Machine says what to boot. The zero value is Linux 6.12 with busybox and the
// agent, and nothing loaded.
type Machine struct {
	Kernel Label
	// Modules are packed with what they need, and depmod's indexes for them, as
	// /lib/modules/VERSION. Names that are built into the kernel are passed over.
	Modules []string
	// Load are packed too and loaded before anything else, by the agent itself.
	Load []string
	// Files are put into the initramfs.
	Files []File
	// Init is the first process: the agent, or a program of Files that is to
	// start "agent serve" in the end. Args are its arguments.
	Init string
	Args []string
	// Cmdline is added to the kernel's command line.
	Cmdline []string
	// Disk is the image of a root file system. It is booted into under an overlay;
	// of Files only those below /vm are seen there, and those below /vm/disk also in
	// the root. DiskInit is what is started
	// there: /sbin/init where it is empty, which is to be systemd and gets the
	// agent as a service, or a command that is to start "agent serve" in the end.
	Disk     string
	DiskInit []string
	// CPUs and Memory (MiB) of the machine: 1 and 512 where they are 0.
	CPUs, Memory int
	// Devices are further options of QEMU.
	Devices []string
	// BootLimit bounds the time until the agent serves: 60 s where it is 0.
	BootLimit time.Duration
}

// File is one file of the initramfs. Exactly one of Text, Source and Link counts;
// with none of them it is an empty file.
type File struct {
	Path string
	Mode int // permission bits; 0 is 0644, or the mode of Source
	Text string
	// Source is a file or directory of the host.
	Source string
	// Link is the target of a symbolic link.
	Link string
}

// Script is an executable shell script of the guest.
func Script(path, body string) File {
	return File{Path: path, Mode: 0o755, Text: "#!/bin/sh\n" + body}
}

func (m Machine) withDefaults() Machine {
	if m.Kernel == "" {
		m.Kernel = Linux612
	}
	if m.CPUs == 0 {
		m.CPUs = 1
	}
	if m.Memory == 0 {
		m.Memory = 512
	}
	if m.BootLimit == 0 {
		m.BootLimit = 60 * time.Second
	}
	if m.Disk != "" {
		m.Load = append([]string{"virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "overlay"}, m.Load...)
	}
	return m
}
