package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// LogLimit is the size in bytes at which OpenLog's log turns over.
const LogLimit = 1 << 20

// predecessor is what follows the name of the log that was turned over.
const predecessor = ".1"

// Log keeps a console's output in a file, byte for byte. When the file would
// exceed the limit it becomes NAME.1, in place of an older one, and a new file
// begins: the two together hold at least the last limit bytes and at most twice
// as many. One process writes; Tail and Follow read meanwhile.
type Log struct {
	path  string
	limit int64
	file  *os.File
	size  int64
}

// OpenLog opens or makes the log, to go on at its end; only its owner can
// read it, since a console may show secrets. A symbolic link is refused.
func OpenLog(path string) (*Log, error) { return OpenLogLimit(path, LogLimit) }

// OpenLogLimit is OpenLog with a limit in bytes.
func OpenLogLimit(path string, limit int64) (*Log, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("open console log %s: limit %d is not positive", path, limit)
	}
	l := &Log{path: path, limit: limit}
	if err := l.open(); err != nil {
		return nil, fmt.Errorf("open console log: %w", err)
	}
	return l, nil
}

func (l *Log) open() error {
	// O_NONBLOCK: a FIFO in its place must not hang us.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: l.path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		f.Close()
		return err
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write adds output. n is what reached the file.
func (l *Log) Write(output []byte) (n int, err error) {
	for len(output) > 0 {
		if l.size >= l.limit {
			if err := l.turnOver(); err != nil {
				return n, fmt.Errorf("turn over console log: %w", err)
			}
		}
		piece := output[:min(int64(len(output)), l.limit-l.size)]
		w, err := l.file.Write(piece)
		n, l.size = n+w, l.size+int64(w)
		if err != nil {
			return n, fmt.Errorf("write console log: %w", err)
		}
		output = output[w:]
	}
	return n, nil
}

// turnOver renames before it opens: a reader that finds another file under
// the name knows that the one it has open is complete.
func (l *Log) turnOver() error {
	if err := os.Rename(l.path, l.path+predecessor); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	full := l.file
	if err := l.open(); err != nil {
		return err
	}
	return full.Close()
}

// Close ends the log; the file stays.
func (l *Log) Close() error { return l.file.Close() }
