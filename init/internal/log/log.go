// Package log writes firn-init's log: one line with a level for each event, in one write, to the console, a pipe or
// the kernel's log. Its input are words and key=value fields from every stage below init/; it keeps nothing. PID 1
// lives as long as its container and there are many of them, so this is a hundred lines instead of a library: measured
// at rest after two lines, logrus takes 130 kB more of private memory, a fifth of what the Go runtime itself takes, and
// 400 kB more of resident memory.
//
//	line   = [ "<" digit ">" ] "firn-init: " [ level ": " ] text { " " key "=" value } LF
//	level  = "error" | "warning" | "debug"       none for info
//	value  = word | quoted                       quoted as in Go where it has blanks, quotes or control characters
//
// The number is the priority of syslog(3), written for the kernel's log and wherever a reader parses it (sd-daemon(3)).
package log

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Level is a priority of syslog(3); smaller is graver.
type Level int32

// Levels in use.
const (
	Error   Level = 3
	Warning Level = 4
	Info    Level = 6
	Debug   Level = 7
)

// ErrLevel is the error for a level's name that is none.
var ErrLevel = errors.New("unknown log level")

// ParseLevel reads a level by the names or numbers of syslog(3), as systemd's log_level= takes them.
func ParseLevel(name string) (Level, error) {
	switch strings.ToLower(name) {
	case "emerg", "alert", "crit", "err", "error", "0", "1", "2", "3":
		return Error, nil
	case "warning", "warn", "4":
		return Warning, nil
	case "notice", "info", "5", "6":
		return Info, nil
	case "debug", "7":
		return Debug, nil
	}
	return 0, fmt.Errorf("%w %q", ErrLevel, name)
}

// Target is where lines go.
type Target struct {
	// Write takes a whole line. Its error is nobody's to handle: there is no other place to complain.
	Write func(line []byte)
	// Priority puts <N> before each line.
	Priority bool
}

// Logger writes lines from any goroutine.
type Logger struct {
	level atomic.Int32

	mu     sync.Mutex
	target Target
	line   []byte
}

// New makes a logger that drops what is less grave than level.
func New(target Target, level Level) *Logger {
	l := &Logger{target: target}
	l.level.Store(int32(level))
	return l
}

// SetLevel changes the level.
func (l *Logger) SetLevel(level Level) { l.level.Store(int32(level)) }

// Level gives the level.
func (l *Logger) Level() Level { return Level(l.level.Load()) }

// SetTarget changes where lines go.
func (l *Logger) SetTarget(target Target) {
	l.mu.Lock()
	l.target = target
	l.mu.Unlock()
}

// Error, Warn, Info and Debug write text with fields, given as key, value, key, value.
func (l *Logger) Error(text string, fields ...string) { l.write(Error, text, fields) }

// Warn writes a warning: something is not as asked, and work goes on.
func (l *Logger) Warn(text string, fields ...string) { l.write(Warning, text, fields) }

// Info writes what an operator wants to see.
func (l *Logger) Info(text string, fields ...string) { l.write(Info, text, fields) }

// Debug writes what a developer wants to see.
func (l *Logger) Debug(text string, fields ...string) { l.write(Debug, text, fields) }

func (l *Logger) write(level Level, text string, fields []string) {
	if level > l.Level() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = format(l.line[:0], l.target.Priority, level, text, fields)
	l.target.Write(l.line)
}

var prefix = map[Level]string{Error: "error: ", Warning: "warning: ", Debug: "debug: "}

func format(b []byte, priority bool, level Level, text string, fields []string) []byte {
	if priority {
		b = append(b, '<', '0'+byte(level), '>')
	}
	b = append(b, "firn-init: "...)
	b = append(b, prefix[level]...)
	// A line end in what others gave would forge a line.
	b = append(b, strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "; ")...)
	for i := 0; i+1 < len(fields); i += 2 {
		b = append(b, ' ')
		b = append(b, fields[i]...)
		b = append(b, '=')
		b = appendValue(b, fields[i+1])
	}
	return append(b, '\n')
}

func appendValue(b []byte, value string) []byte {
	plain := value != ""
	for _, r := range value {
		if r <= ' ' || r == '"' || r == '=' || r >= 0x7f {
			plain = false
		}
	}
	if plain {
		return append(b, value...)
	}
	return strconv.AppendQuote(b, value)
}

// Took formats a duration since a moment, in milliseconds.
func Took(since time.Time) string {
	return strconv.FormatFloat(float64(time.Since(since).Microseconds())/1000, 'f', 3, 64) + "ms"
}
