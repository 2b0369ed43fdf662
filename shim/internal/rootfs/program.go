package rootfs

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNotExecutable says that a file is there and cannot be executed.
var ErrNotExecutable = errors.New("not executable")

// machines are the ELF machines that a kernel of each architecture executes
// by itself.
var machines = map[string][]elf.Machine{
	"amd64": {elf.EM_X86_64, elf.EM_386},
	"arm64": {elf.EM_AARCH64, elf.EM_ARM},
}

// CheckProgram tells whether the container could execute p: it is there, a
// regular file with an x bit, for this machine, and if it is a script its
// interpreter is there too.
func (v View) CheckProgram(p string) error {
	host, err := v.Resolve(p)
	if err != nil {
		return err
	}
	info, err := os.Stat(host)
	if err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: not a regular file", p, ErrNotExecutable)
	}
	if info.Mode()&0o111 == 0 {
		return fmt.Errorf("%s: %w: mode %04o", p, ErrNotExecutable, info.Mode().Perm())
	}
	f, err := os.Open(host)
	if err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	defer f.Close()
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %w: empty file", p, ErrNotExecutable)
	}
	return v.checkFormat(p, head[:n])
}

// checkFormat knows the two formats every kernel executes. Anything else is
// left to the kernel if it has handlers for more (binfmt_misc).
func (v View) checkFormat(p string, head []byte) error {
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		fields := strings.Fields(string(bytes.SplitN(head[2:], []byte("\n"), 2)[0]))
		if len(fields) == 0 {
			return fmt.Errorf("%s: %w: #! without an interpreter", p, ErrNotExecutable)
		}
		if _, err := v.Resolve(fields[0]); err != nil {
			return fmt.Errorf("%s: interpreter %w", p, err)
		}
		return nil
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		machine, err := machineOf(head)
		if err != nil {
			return fmt.Errorf("%s: %w: %w", p, ErrNotExecutable, err)
		}
		for _, m := range machines[runtime.GOARCH] {
			if m == machine {
				return nil
			}
		}
		if hasHandlers() {
			return nil
		}
		return fmt.Errorf("%s: %w: built for %s, this machine is %s", p, ErrNotExecutable,
			strings.ToLower(strings.TrimPrefix(machine.String(), "EM_")), runtime.GOARCH)
	case hasHandlers():
		return nil
	}
	return fmt.Errorf("%s: %w: neither an ELF program nor a script that begins with #! and its interpreter", p, ErrNotExecutable)
}

// machineOf reads e_machine, two bytes at offset 18 in the file's own byte
// order, which the sixth byte names (elf(5)).
func machineOf(head []byte) (elf.Machine, error) {
	if len(head) < 20 {
		return 0, errors.New("truncated ELF header")
	}
	lo, hi := head[18], head[19]
	if elf.Data(head[elf.EI_DATA]) == elf.ELFDATA2MSB {
		lo, hi = hi, lo
	}
	return elf.Machine(uint16(lo) | uint16(hi)<<8), nil
}

// hasHandlers tells whether binfmt_misc has any handler registered, such as
// qemu-user's for other machines.
func hasHandlers() bool {
	entries, _ := filepath.Glob("/proc/sys/fs/binfmt_misc/*")
	return len(entries) > 2 // register and status are always there
}
