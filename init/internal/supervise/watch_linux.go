package supervise

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// fileWatch tells of changes to one file, by inotify(7) on its directory.
type fileWatch struct{ f *os.File }

// watchFile calls changed at each, from another goroutine, until Close. A directory that is not there yet is not
// watched: then the service's time limit decides.
func watchFile(path string, changed func()) *fileWatch {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return &fileWatch{}
	}
	w := &fileWatch{f: os.NewFile(uintptr(fd), "inotify")}
	const events = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE
	if _, err := unix.InotifyAddWatch(fd, filepath.Dir(path), events); err != nil {
		w.Close()
		return &fileWatch{}
	}
	go func() {
		var buf [4096]byte
		for {
			if _, err := w.f.Read(buf[:]); err != nil {
				return
			}
			changed()
		}
	}()
	return w
}

// Close ends it.
func (w *fileWatch) Close() {
	if w.f != nil {
		_ = w.f.Close()
	}
}

// mounted reports whether a directory is a mount point (proc_pid_mountinfo(5), field 5).
func mounted(root, where string) bool {
	text, err := os.ReadFile(root + "/proc/self/mountinfo")
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 && f[4] == where {
			return true
		}
	}
	return false
}
