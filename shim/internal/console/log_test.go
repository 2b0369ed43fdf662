package console

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func openLog(t *testing.T, path string, limit int64) *Log {
	t.Helper()
	l, err := OpenLogLimit(path, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func logs(t *testing.T, l *Log, text string) {
	t.Helper()
	if n, err := l.Write([]byte(text)); err != nil || n != len(text) {
		t.Fatalf("wrote %d of %d bytes: %v", n, len(text), err)
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, 100)
	var all strings.Builder
	for i := range 1000 {
		line := fmt.Sprintf("line %d\n", i)
		all.WriteString(line)
		logs(t, l, line)
		for _, p := range []string{path, path + ".1"} {
			if info, err := os.Stat(p); err == nil && info.Size() > 100 {
				t.Fatalf("%s has %d bytes", p, info.Size())
			}
		}
	}
	text, err := Tail(path, -1)
	if err != nil || !strings.HasSuffix(all.String(), string(text)) || len(text) < 100 {
		t.Errorf("the two files hold %q, %v", text, err)
	}
	logs(t, l, strings.Repeat("z", 1050)) // at once, ten times the limit
	if text, err = Tail(path, -1); err != nil || strings.Trim(string(text), "z") != "" || len(text) < 100 || len(text) > 200 {
		t.Errorf("after one large write %q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files, %v, want 2", len(entries), err)
	}
}

func TestLogGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, 10)
	logs(t, l, "12345678")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	logs(t, openLog(t, path, 10), "90ab")
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "ab" {
		t.Errorf("the log holds %q, %v", text, err)
	}
}

func TestOpenLogRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "console.log")
	if _, err := OpenLogLimit(path, 0); err == nil {
		t.Error("a limit of 0 was taken")
	}
	if _, err := OpenLog(filepath.Join(dir, "none/console.log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if err := os.Symlink("/etc/shadow", path); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(path); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("symbolic link: %v, want ELOOP", err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenLog(fifo); err == nil {
		t.Error("a FIFO was taken")
	}
}

func TestLastLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		n    int
		want string
	}{
		{"a\nb\nc\n", 2, "b\nc\n"},
		{"a\nb\nc", 2, "b\nc"},
		{"a\nb\nc\n", 3, "a\nb\nc\n"},
		{"a\nb\nc\n", 9, "a\nb\nc\n"},
		{"a\nb\nc\n", 0, ""},
		{"a\nb\nc\n", -1, "a\nb\nc\n"},
		{"\n\n\n", 1, "\n"},
		{"", 3, ""},
		{"\n", 1, "\n"},
	} {
		if got := string(lastLines([]byte(tt.text), tt.n)); got != tt.want {
			t.Errorf("lastLines(%q, %d) = %q, want %q", tt.text, tt.n, got, tt.want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	if text, err := Tail(path, 10); err != nil || len(text) != 0 {
		t.Errorf("no log: %q, %v", text, err)
	}
	l := openLog(t, path, 10)
	logs(t, l, "one\ntwo\nthree\n") // turns over in "three"
	for n, want := range map[int]string{1: "three\n", 2: "two\nthree\n", -1: "one\ntwo\nthree\n"} {
		if text, err := Tail(path, n); err != nil || string(text) != want {
			t.Errorf("Tail(%d) = %q, %v, want %q", n, text, err, want)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if text, err := Tail(path, -1); err != nil || string(text) != "one\ntwo\nth" {
		t.Errorf("the predecessor alone: %q, %v", text, err)
	}
}

// While the log turns over all the time, what is read is one piece of what
// was written.
func TestTailWhileItTurnsOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, 4096)
	stop, written := make(chan struct{}), make(chan struct{})
	defer func() { close(stop); <-written }()
	go func() {
		defer close(written)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				if _, err := fmt.Fprintf(l, "%08d\n", i); err != nil {
					t.Error(err)
					return
				}
			}
		}
	}()
	for range 2000 {
		text, err := Tail(path, -1)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(string(text))
		if len(lines) < 3 {
			continue
		}
		lines = lines[1 : len(lines)-1] // the outer two may be cut
		first, _ := strconv.Atoi(lines[0])
		for i, line := range lines {
			if line != fmt.Sprintf("%08d", first+i) {
				t.Fatalf("line %d of %d is %s, want %08d", i, len(lines), line, first+i)
			}
		}
	}
}

// follow runs TailFollow; the function that it returns ends it.
func follow(t *testing.T, path string, n int) (*sink, func()) {
	t.Helper()
	s := new(sink)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- TailFollow(ctx, path, n, s) }()
	return s, func() {
		t.Helper()
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("follow: %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("follow does not end")
		}
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	s, end := follow(t, path, -1)
	defer end()
	l := openLog(t, path, 50)
	var want strings.Builder
	for i := range 200 {
		line := fmt.Sprintf("line %d\n", i)
		logs(t, l, line)
		want.WriteString(line)
		s.await(t, line) // so that no two turns are between
	}
	if s.String() != want.String() {
		t.Errorf("followed %q", s.String())
	}
}

func TestFollowBeginsAtTheEnd(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, LogLimit)
	logs(t, l, "old\n")
	s := new(sink)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Follow(ctx, path, s) }()
	await(t, "a line that is followed", func() bool {
		logs(t, l, "new\n")
		return s.String() != ""
	})
	cancel()
	if err := <-done; err != nil || strings.Contains(s.String(), "old") {
		t.Errorf("followed %q, %v", s.String(), err)
	}
}

// A reader that is late finds everything that is still there, once.
func TestFollowThroughTwoTurns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, 10)
	logs(t, l, "aaaa\n")
	var out sink
	f := &follower{path: path, out: &out}
	defer f.close()
	if err := f.advance(); err != nil {
		t.Fatal(err)
	}
	logs(t, l, "bbbb\n"+"cccc\ndddd\n"+"eeee\n")
	if err := f.advance(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "aaaa\nbbbb\ncccc\ndddd\neeee\n"; got != want {
		t.Errorf("followed %q, want %q", got, want)
	}
}

// No byte is lost or doubled between the tail and what follows.
func TestTailFollow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "console.log")
	l := openLog(t, path, LogLimit)
	logs(t, l, "old\nold\nlast\n")
	written, stop := make(chan struct{}), make(chan struct{})
	var want strings.Builder
	go func() {
		defer close(written)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				line := fmt.Sprintf("%d\n", i)
				want.WriteString(line)
				if _, err := l.Write([]byte(line)); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(50 * time.Microsecond)
			}
		}
	}()
	var sinks []*sink
	for range 20 {
		s, end := follow(t, path, -1)
		defer end()
		sinks = append(sinks, s)
		time.Sleep(time.Millisecond)
	}
	close(stop)
	<-written
	whole := "old\nold\nlast\n" + want.String()
	for _, s := range sinks {
		await(t, "all lines", func() bool { return len(s.String()) >= len(whole) })
		if s.String() != whole {
			t.Error("a follower saw something else than was written")
		}
	}
}

func TestFollowEndsWithItsDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "web")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "console.log")
	l := openLog(t, path, LogLimit)
	s := new(sink)
	done := make(chan error, 1)
	go func() { done <- TailFollow(context.Background(), path, -1, s) }()
	logs(t, l, "bye\n")
	s.await(t, "bye\n")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("follow outlives the directory")
	}
	if err := Follow(context.Background(), path, s); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v, want ErrNotExist", err)
	}
}
