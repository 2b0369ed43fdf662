package kmod

import (
	"bytes"
	"fmt"
)

// stripVersions takes the version checks out of a module in memory, for
// init_module(2), which has no flags: without SHF_ALLOC the kernel does not see
// __versions, and "vermagic=" overwritten is a field nobody reads.
func stripVersions(im *image, force Force) error {
	f, err := openElf(im)
	if err != nil {
		return err
	}
	if force.Modversion {
		for i := range f.sections {
			if s := &f.sections[i]; s.name == "__versions" {
				s.flags &^= shfAlloc
				f.writeFlags(i, s.flags)
			}
		}
	}
	if force.Vermagic {
		section, err := f.named(".modinfo", nil)
		if err != nil {
			return err
		}
		i := bytes.Index(section, []byte("vermagic="))
		if i < 0 || i > 0 && section[i-1] != 0 {
			return fmt.Errorf("%s: no vermagic to ignore", im.path)
		}
		end := bytes.IndexByte(section[i:], 0)
		if end < 0 {
			end = len(section) - i
		}
		clear(section[i : i+end])
	}
	return nil
}

// writeFlags stores sh_flags of section i in the unpacked image.
func (f *elfFile) writeFlags(i int, flags uint64) {
	at := f.image.data[f.offset+int64(i*f.entrySize())+8:]
	if f.wide {
		f.order.PutUint64(at, flags)
	} else {
		f.order.PutUint32(at, uint32(flags))
	}
}

// machines names the e_machine values that Linux runs modules on.
var machines = map[int]string{
	3: "x86 (32 bit)", 8: "MIPS", 20: "PowerPC", 21: "PowerPC (64 bit)", 22: "s390", 40: "ARM", 43: "SPARC (64 bit)",
	62: "x86-64", 183: "ARM64", 243: "RISC-V", 258: "LoongArch",
}

// foreignMachine names the machine of a module if it is another than that of
// this program, which is the running kernel's.
func foreignMachine(path string) string {
	module, err1 := machineOf(path)
	self, err2 := machineOf("/proc/self/exe")
	if err1 != nil || err2 != nil || module == self {
		return ""
	}
	if name, ok := machines[module]; ok {
		return name
	}
	return "another machine"
}

func machineOf(path string) (int, error) {
	im, err := openImage(path)
	if err != nil {
		return 0, err
	}
	defer im.Close()
	f, err := openElf(im)
	if err != nil {
		return 0, err
	}
	head, err := im.bytes(18, 2, nil)
	if err != nil {
		return 0, err
	}
	return f.half(head), nil
}
