package log

import "golang.org/x/sys/unix"

// ToFD writes to a descriptor. Package os is not used for it: there, a broken pipe on descriptor 1 or 2 ends the
// program, and no reader's end may end PID 1.
func ToFD(fd int) Target {
	return Target{Write: func(line []byte) {
		for len(line) > 0 {
			n, err := unix.Write(fd, line)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			line = line[n:]
		}
	}}
}

// Kmsg is the kernel's log (/dev/kmsg), for a PID 1 without a manager above it. Each write is one record.
func Kmsg() (Target, error) {
	fd, err := unix.Open("/dev/kmsg", unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return Target{}, err
	}
	t := ToFD(fd)
	t.Priority = true
	return t, nil
}

// Console opens the system's console anew for each line, as a getty or a hangup may have cut the one before.
func Console() Target {
	return Target{Write: func(line []byte) {
		fd, err := unix.Open("/dev/console", unix.O_WRONLY|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			return
		}
		defer unix.Close(fd)
		ToFD(fd).Write(line)
	}}
}
