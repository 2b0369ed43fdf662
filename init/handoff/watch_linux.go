package handoff

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// watch sees new entries of the socket's directory, by inotify(7). The directory is the shim's own, bound into the
// container: it sees what the shim does there. A nil watch sees nothing.
type watch struct {
	file *os.File
}

// watchFor watches the directory of path. Its error, such as a spent limit of inotify instances, is no more than
// a reason to wait by the clock instead.
func watchFor(path string) (*watch, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make inotify: %w", err)
	}
	const events = syscall.IN_CREATE | syscall.IN_MOVED_TO | syscall.IN_ONLYDIR
	if _, err := syscall.InotifyAddWatch(fd, filepath.Dir(path), events); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("watch %s: %w", filepath.Dir(path), err)
	}
	return &watch{os.NewFile(uintptr(fd), "inotify")}, nil
}

// wait returns at the next new entry, or after the delay if that is not 0, or when the context ends.
func (w *watch) wait(ctx context.Context, delay time.Duration) {
	if w == nil {
		if delay == 0 {
			delay = maxBackoff
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		return
	}
	var deadline time.Time
	if delay > 0 {
		deadline = time.Now().Add(delay)
	}
	_ = w.file.SetReadDeadline(deadline)
	stop := context.AfterFunc(ctx, func() { _ = w.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	// What is new does not matter: the caller tries again. Room for several events, each with a name.
	var events [4 << 10]byte
	_, _ = w.file.Read(events[:])
}

func (w *watch) close() {
	if w != nil {
		w.file.Close()
	}
}
