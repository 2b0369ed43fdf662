// Package kmod finds, plans, loads and indexes Linux kernel modules.
//
// Input: module directories (/lib/modules/RELEASE and any number of further
// trees), modprobe.d, depmod.d, modules-load.d, the kernel command line, and
// module files (ELF, plain or compressed). Output: a Plan, a list of steps
// that a Loader carries out or a tool prints; the index files that depmod
// leaves in a tree; and answers (what matches an alias, what a module says
// about itself, why it would or would not be loaded).
//
// Stages, each of which can be used without the next:
//
//	index.go trie.go     the indexes of a tree, looked up in place    pure over []byte
//	config.go            modprobe.d and kernel command line           pure over io.Reader
//	context.go tree.go   trees + configuration, opened on first use
//	lookup.go plan.go    a name becomes modules, modules become steps  reads, changes nothing
//	load_linux.go        steps become finit_module(2)                  changes the kernel
//	depmod*.go           a tree becomes its indexes
//	image_linux.go elf.go modinfo.go   a module file, unpacked by its first bytes
//	                     (internal/xz, internal/zstd), and what it says of itself
//
// Every path hangs from Options.Root or from a tree that the caller names.
package kmod
