package console

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Tail returns the last n lines of a console's log, those of its predecessor
// before them; n below 0 is all. Output after the last newline counts as a
// line. A log that does not exist is empty. It holds at most twice the
// log's limit in memory.
func Tail(path string, n int) ([]byte, error) {
	text, current, err := readBoth(path)
	if err != nil {
		return nil, err
	}
	if current != nil {
		current.Close()
	}
	return lastLines(text, n), nil
}

// readBoth returns the text of both files, and the newer one, open, at its
// end; nil if there is none.
func readBoth(path string) (text []byte, current *os.File, err error) {
	for {
		current, err = os.Open(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("read console log: %w", err)
		}
		older, err := os.ReadFile(path + predecessor)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			closeAny(current)
			return nil, nil, fmt.Errorf("read console log: %w", err)
		}
		if current == nil {
			return older, nil, nil
		}
		newer, err := io.ReadAll(current)
		if err != nil {
			current.Close()
			return nil, nil, fmt.Errorf("read console log: %w", err)
		}
		if isAt(current, path) {
			return append(older, newer...), current, nil
		}
		// Turned over meanwhile: older may be what we hold open. Or removed:
		// then the next round finds no log.
		current.Close()
	}
}

func closeAny(f *os.File) {
	if f != nil {
		f.Close()
	}
}

// isAt tells whether f is the file that path names now.
func isAt(f *os.File, path string) bool {
	mine, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(mine, named)
}

// lastLines is the text from the beginning of the nth last line.
func lastLines(text []byte, n int) []byte {
	if n < 0 {
		return text
	}
	if n == 0 {
		return nil
	}
	at := len(text)
	if at > 0 && text[at-1] == '\n' {
		at--
	}
	for ; n > 0; n-- {
		at = bytes.LastIndexByte(text[:at], '\n')
		if at < 0 {
			return text
		}
	}
	return text[at+1:]
}
