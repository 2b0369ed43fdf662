package kmod

import (
	"errors"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Force skips checks of the kernel's; see modprobe --force-vermagic.
type Force struct{ Vermagic, Modversion bool }

// syscalls are the calls that change the kernel; a test puts its own here.
type syscalls struct {
	finit  func(fd int, options string, flags int) error
	init   func(image []byte, options string) error
	delete func(name string, flags int) error
	sleep  func(time.Duration)
}

func kernelCalls() syscalls {
	return syscalls{
		finit:  unix.FinitModule,
		init:   unix.InitModule,
		delete: unix.DeleteModule,
		sleep:  time.Sleep,
	}
}

// insert gives one module file to the kernel. The kernel unpacks it if it can
// (Linux 5.17 with CONFIG_MODULE_DECOMPRESS, for the one format that
// /sys/module/compression names), else this process does.
func (l *Loader) insert(path, options string) error {
	im, err := openPacked(path)
	if err != nil {
		return err
	}
	defer im.Close()
	flags := 0
	if l.Force.Vermagic {
		flags |= unix.MODULE_INIT_IGNORE_VERMAGIC
	}
	if l.Force.Modversion {
		flags |= unix.MODULE_INIT_IGNORE_MODVERSIONS
	}
	if im.compression != plain && l.kernelUnpacks(im.compression) {
		err := l.finit(im, options, flags|unix.MODULE_INIT_COMPRESSED_FILE)
		if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) {
			return err
		}
		// EINVAL can be the flag, or the module's parameters: the second try tells.
	}
	if im.compression == plain {
		err := l.finit(im, options, flags)
		if !errors.Is(err, unix.ENOSYS) {
			return err
		}
		// finit_module is of Linux 3.8, or seccomp hides it.
	}
	if err := im.unpack(); err != nil {
		return err
	}
	if flags != 0 {
		if err := stripVersions(im, l.Force); err != nil {
			return err
		}
	}
	return l.retry(im, options, "init_module", func() error { return l.calls.init(im.data, options) })
}

func (l *Loader) finit(im *image, options string, flags int) error {
	return l.retry(im, options, "finit_module", func() error { return l.calls.finit(im.fd, options, flags) })
}

// kernelUnpacks says whether the kernel decompresses this format.
func (l *Loader) kernelUnpacks(c compression) bool {
	text, err := readIn(l.Context.opts.Root, "/sys/module/compression")
	return err == nil && strings.TrimSpace(string(text)) == c.String()
}

// busyWait bounds how long a module that another process loads or removes is
// waited for. The kernel has no event for that, so this asks again, at growing
// intervals.
const busyWait = 10 * time.Second

// retry makes the call, again while it says EBUSY, and explains its errno.
func (l *Loader) retry(im *image, options, op string, call func() error) error {
	pause := time.Millisecond
	for waited := time.Duration(0); ; waited += pause {
		err := call()
		if err == nil {
			return nil
		}
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.EBUSY) && waited < busyWait {
			l.calls.sleep(pause)
			pause = min(2*pause, 100*time.Millisecond)
			continue
		}
		var errno syscall.Errno
		if !errors.As(err, &errno) {
			return err
		}
		name := NameOfPath(im.path)
		return &LoadError{Module: name, Path: im.path, Op: op, Errno: errno, Hint: explain(errno, l.situation(im, errno, options))}
	}
}

// situation looks at the system as far as the errno calls for it.
func (l *Loader) situation(im *image, errno syscall.Errno, options string) situation {
	s := situation{canLoad: true, options: options}
	root := l.Context.opts.Root
	switch errno {
	case unix.EPERM:
		s.canLoad = CanLoad()
		if text, err := readIn(root, "/proc/sys/kernel/modules_disabled"); err == nil {
			s.modulesDisabled = strings.TrimSpace(string(text)) == "1"
		}
		if text, err := readIn(root, "/sys/kernel/security/lockdown"); err == nil {
			s.lockdown = activeLockdown(string(text))
		}
	case unix.ENOEXEC, unix.ENOKEY, unix.EKEYREJECTED, unix.EBADMSG:
	default:
		return s
	}
	if im.path == "" {
		return s
	}
	if info, err := ReadModinfo(im.path); err == nil {
		s.moduleMagic, s.signature = strings.TrimSpace(info.Value("vermagic")), info.Signature
	}
	if errno == unix.ENOEXEC {
		s.kernelMagic = l.kernelMagic(im.path)
		s.moduleMachine = foreignMachine(im.path)
	}
	return s
}

// activeLockdown picks the bracketed word of "none [integrity] confidentiality".
func activeLockdown(text string) string {
	_, rest, _ := strings.Cut(text, "[")
	mode, _, _ := strings.Cut(rest, "]")
	if mode == "none" {
		return ""
	}
	return mode
}

// kernelMagic finds the running kernel's vermagic, which no file tells: that of
// another module of its tree, else the release alone.
func (l *Loader) kernelMagic(except string) string {
	release := KernelRelease()
	dir := l.Context.opts.Root + "/lib/modules/" + release
	data, err := ReadFile(dir + "/modules.order")
	if err != nil {
		return release
	}
	tries := 0
	found := release
	_ = eachLine(data, func(_ int, line string) error {
		for _, suffix := range []string{"", ".xz", ".zst", ".gz"} {
			path := dir + "/" + line + suffix
			if path == except {
				continue
			}
			if info, err := ReadModinfo(path); err == nil {
				if magic := strings.TrimSpace(info.Value("vermagic")); strings.HasPrefix(magic, release+" ") {
					found = magic
					return errStop
				}
			}
		}
		if tries++; tries > 8 {
			return errStop
		}
		return nil
	})
	return found
}

var errStop = errors.New("stop")
