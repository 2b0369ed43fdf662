package main

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// stderrIsGone says whether nobody gave this process a stderr: then the Go
// runtime has opened /dev/null for reading and writing in its place, which a
// shell's 2>/dev/null does not.
func stderrIsGone() bool {
	var st unix.Stat_t
	if unix.Fstat(2, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(1, 3) {
		return false
	}
	flags, err := unix.FcntlInt(2, unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}

// A syslog sends to /dev/log, RFC 3164; what nobody receives goes to the kernel's
// log, where the reader of a failed boot looks.
type syslog struct {
	name string
	fd   int
	kmsg bool
}

const daemonNotice = 3<<3 | 5 // LOG_DAEMON | LOG_NOTICE, see modprobe(8) -s

func openSyslog(name string) *syslog {
	s := &syslog{name: name, fd: -1}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		if unix.Connect(fd, &unix.SockaddrUnix{Name: "/dev/log"}) == nil {
			s.fd = fd
			return s
		}
		_ = unix.Close(fd)
	}
	if fd, err = unix.Open("/dev/kmsg", unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0); err == nil {
		s.fd, s.kmsg = fd, true
	}
	return s
}

func (s *syslog) send(text string) {
	if s.fd < 0 {
		return
	}
	head := "<" + strconv.Itoa(daemonNotice) + ">"
	if !s.kmsg {
		head += time.Now().Format(time.Stamp) + " "
	}
	_ = writeAll(s.fd, []byte(head+s.name+"["+strconv.Itoa(os.Getpid())+"]: "+text))
}

func writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
