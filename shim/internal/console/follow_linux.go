package console

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Follow writes to w what is added to a console's log from now on, until ctx
// ends or the log's directory is removed (and the log closed by its writer);
// neither is an error. It waits by inotify(7). A log that does not exist yet is
// waited for.
func Follow(ctx context.Context, path string, w io.Writer) error {
	return TailFollow(ctx, path, 0, w)
}

// TailFollow writes the last n lines as Tail gives them and goes on as Follow
// does, with no byte lost or written twice between the two.
func TailFollow(ctx context.Context, path string, n int, w io.Writer) error {
	watch, err := watchDirectory(path)
	if err != nil {
		return err
	}
	defer watch.Close()
	// An inotify descriptor can be polled, so a deadline ends the read.
	stop := context.AfterFunc(ctx, func() { _ = watch.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()

	// Only now that changes are noted is there no gap behind the tail.
	text, current, err := readBoth(path)
	if err != nil {
		return err
	}
	f := &follower{path: path, out: w, current: current}
	defer f.close()
	if current != nil {
		if f.last, err = current.Stat(); err != nil {
			return fmt.Errorf("follow console log: %w", err)
		}
	}
	if err := f.write(lastLines(text, n)); err != nil {
		return err
	}
	for {
		if err := f.advance(); err != nil {
			return err
		}
		gone, err := awaitChange(watch, filepath.Base(path))
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return err
		}
		if gone {
			return f.advance()
		}
	}
}

// watchDirectory watches the directory, not the file: the name passes from
// file to file.
func watchDirectory(path string) (*os.File, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make inotify: %w", err)
	}
	dir := filepath.Dir(path)
	const mask = unix.IN_MODIFY | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "watch", Path: dir, Err: err}
	}
	return os.NewFile(uintptr(fd), "inotify"), nil
}

// awaitChange reads events until one is about the log, or about the
// directory's end (gone). inotify(7): struct inotify_event is wd, mask, cookie
// and len, 32 bits each, then len bytes of the name, padded with NUL.
func awaitChange(watch *os.File, name string) (gone bool, err error) {
	buffer := make([]byte, 4096)
	for {
		n, err := watch.Read(buffer)
		if err != nil {
			return false, err
		}
		changed := false
		for events := buffer[:n]; len(events) >= unix.SizeofInotifyEvent; {
			mask, size := binary.NativeEndian.Uint32(events[4:]), int(binary.NativeEndian.Uint32(events[12:]))
			end := min(unix.SizeofInotifyEvent+size, len(events))
			about := string(bytes.TrimRight(events[unix.SizeofInotifyEvent:end], "\x00"))
			events = events[end:]
			gone = gone || mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED) != 0
			changed = changed || about == name || mask&unix.IN_Q_OVERFLOW != 0
		}
		if gone || changed {
			return gone, nil
		}
	}
}

// follower is the reader's place in the log.
type follower struct {
	path    string
	out     io.Writer
	current *os.File    // nil while there is no log
	last    os.FileInfo // the last that was open, closed or not
}

// advance writes out all that is there. A file that lost its name to another
// is complete; it is read to its end before the next one.
func (f *follower) advance() error {
	for {
		turned := f.current != nil && !isAt(f.current, f.path)
		if err := f.copy(); err != nil || f.current != nil && !turned {
			return err
		}
		// Closed even if there is no next one: an open file keeps its removed
		// directory from being gone, and us from hearing of it.
		f.close()
		next, err := os.Open(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("follow console log: %w", err)
		}
		if err := f.enter(next); err != nil {
			next.Close()
			return err
		}
	}
}

// enter goes on with next. If the log turned over twice since we looked, the
// predecessor is neither what we read last nor next, and comes first.
func (f *follower) enter(next *os.File) error {
	info, err := next.Stat()
	if err != nil {
		return fmt.Errorf("follow console log: %w", err)
	}
	if f.last != nil {
		if err := f.copySkipped(info); err != nil {
			return err
		}
	}
	f.current, f.last = next, info
	return nil
}

func (f *follower) copySkipped(next os.FileInfo) error {
	between, err := os.Open(f.path + predecessor)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("follow console log: %w", err)
	}
	defer between.Close()
	info, err := between.Stat()
	if err != nil {
		return fmt.Errorf("follow console log: %w", err)
	}
	if os.SameFile(info, f.last) || os.SameFile(info, next) {
		return nil
	}
	_, err = io.Copy(f.out, between)
	return err
}

func (f *follower) copy() error {
	if f.current == nil {
		return nil
	}
	_, err := io.Copy(f.out, f.current)
	return err
}

func (f *follower) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := f.out.Write(text)
	return err
}

func (f *follower) close() {
	closeAny(f.current)
	f.current = nil
}
