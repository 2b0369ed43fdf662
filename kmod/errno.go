package kmod

import (
	"strings"
	"syscall"
)

// A LoadError is a module that the kernel did not take.
type LoadError struct {
	Module string
	Path   string
	Op     string // the system call
	Errno  syscall.Errno
	// Hint says what the errno means here and what to do, "" if it says all.
	Hint string
}

func (e *LoadError) Error() string {
	s := e.Op + ": " + e.Summary()
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Summary is the errno's meaning for a module, in the words that modprobe uses.
func (e *LoadError) Summary() string {
	switch e.Errno {
	case syscall.ENOENT:
		return "Unknown symbol in module, or unknown parameter (see dmesg)"
	case syscall.EEXIST:
		return "Module already in kernel"
	}
	text := e.Errno.Error()
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Unwrap lets errors.Is compare with the errno and with the sentinel for it.
func (e *LoadError) Unwrap() []error {
	switch e.Errno {
	case syscall.EPERM:
		return []error{e.Errno, ErrDenied}
	case syscall.ENODEV:
		return []error{e.Errno, ErrNoDevice}
	}
	return []error{e.Errno}
}

// A situation is what explain needs to know of the system besides the errno.
type situation struct {
	canLoad         bool   // CAP_SYS_MODULE
	modulesDisabled bool   // kernel.modules_disabled=1
	lockdown        string // "integrity", "confidentiality" or ""
	moduleMagic     string // vermagic of the module
	kernelMagic     string // vermagic, or at least the release, of the kernel
	moduleMachine   string // the module's machine, if not the kernel's
	signature       *Signature
	options         string
}

// explain says what an errno of finit_module(2), init_module(2) or
// delete_module(2) means in this situation.
func explain(errno syscall.Errno, s situation) string {
	switch errno {
	case syscall.EPERM:
		return explainDenied(s)
	case syscall.ENOEXEC:
		return explainFormat(s)
	case syscall.ENOKEY:
		return "the kernel has no key for " + s.signer() + "; enrol that key (MOK, .builtin_trusted_keys) or install the kernel's own modules"
	case syscall.EKEYREJECTED:
		return "the signature does not fit the file or the kernel refuses unsigned modules; reinstall the module or sign it with an enrolled key"
	case syscall.EBADMSG:
		return "the signature is damaged; reinstall the module"
	case syscall.ENODEV:
		return "the module found no hardware that it drives"
	case syscall.ENXIO:
		return "the device or address the module was told to use is not there"
	case syscall.EINVAL:
		if s.options != "" {
			return "a parameter has a value that the module refuses, or a symbol has another version: " + s.options + " (dmesg names it)"
		}
		return "a parameter or a symbol version does not fit this kernel (dmesg names it)"
	case syscall.ENOSYS:
		return "this kernel was built without loadable modules (CONFIG_MODULES)"
	case syscall.EBUSY:
		return "another process loads or removes the module right now"
	case syscall.EWOULDBLOCK:
		return "other modules use it; remove those first (lsmod names them)"
	case syscall.ENOMEM:
		return "the kernel has no memory left for it"
	case syscall.EFAULT, syscall.ETXTBSY:
		return "the file is being written; load it again when it is complete"
	case syscall.EOPNOTSUPP:
		return "the kernel cannot unpack this file"
	}
	return ""
}

func explainDenied(s situation) string {
	switch {
	case s.modulesDisabled:
		return "kernel.modules_disabled=1: no module can be loaded or removed until the next boot"
	case s.lockdown != "" && s.signature == nil:
		return "kernel lockdown (" + s.lockdown + ") takes only signed modules, and this one is not"
	case s.lockdown != "":
		return "kernel lockdown (" + s.lockdown + ") does not accept " + s.signer()
	case !s.canLoad:
		return "this process lacks CAP_SYS_MODULE; run it as root outside of containers"
	}
	return "CAP_SYS_MODULE of a user namespace is not enough, or a security module forbids it"
}

func explainFormat(s situation) string {
	switch {
	case s.moduleMachine != "":
		return "the module is built for " + s.moduleMachine
	case s.moduleMagic == "":
		return "the file is damaged, or no module (dmesg says why)"
	case s.kernelMagic != "" && s.moduleMagic != s.kernelMagic:
		return "the module is built for \"" + s.moduleMagic + "\", the kernel is \"" + s.kernelMagic + "\"; install the modules of this kernel"
	}
	return "the file is damaged or does not fit this kernel (dmesg says why); its vermagic is \"" + s.moduleMagic + "\""
}

func (s situation) signer() string {
	if s.signature == nil {
		return "an unsigned module"
	}
	return "\"" + s.signature.Signer + "\" (" + HexBytes(s.signature.KeyID) + ")"
}

// HexBytes writes bytes as modinfo shows keys: "0A:FF".
func HexBytes(b []byte) string {
	const digits = "0123456789ABCDEF"
	out := make([]byte, 0, 3*len(b))
	for i, c := range b {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
