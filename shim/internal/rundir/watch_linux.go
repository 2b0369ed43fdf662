package rundir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Await reads the record again each time it changes until accept returns true,
// and returns that record. The error wraps ErrUnknown when the directory is
// gone, and is ctx's when that ends first. The kernel tells of changes
// (inotify(7)); nothing is polled.
func (d Dir) Await(ctx context.Context, accept func(*Record) bool) (*Record, error) {
	changes, err := watch(d.Path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("container %q: %w", d.Name, ErrUnknown)
	}
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", d.Path, err)
	}
	defer changes.Close()
	stop := context.AfterFunc(ctx, func() { _ = changes.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	buf := make([]byte, 4096)
	for {
		rec, err := d.Read()
		switch {
		case err == nil && accept(rec):
			return rec, nil
		case err != nil && !errors.Is(err, ErrUnknown):
			return nil, err
		case err != nil && !d.exists():
			return nil, err
		}
		if _, err := changes.Read(buf); err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fmt.Errorf("watch %s: %w", d.Path, err)
		}
	}
}

func (d Dir) exists() bool {
	_, err := os.Lstat(d.Path)
	return err == nil
}

// watch opens an inotify descriptor that becomes readable when a file is
// renamed into dir, leaves it, or dir itself goes away.
func watch(dir string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	const events = unix.IN_MOVED_TO | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, events); err != nil {
		f.Close()
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return f, nil
}
