package main

import (
	"fmt"
	"os"
	"strings"
)

// Severities, with syslog(3)'s numbers.
const (
	fatal     = 2
	errorl    = 3
	warning   = 4
	info      = 6
	debugging = 7
)

// A logger writes a tool's messages as kmod's tools do: "modprobe: ERROR: text".
type logger struct {
	name  string
	level int // the least severe that is shown
	sys   *syslog
}

// newLogger logs to stderr or, where nobody reads that (the kernel starts its
// helper with the descriptors 0 to 2 closed), to syslog.
func newLogger(name string) logger {
	l := logger{name: name, level: warning}
	if stderrIsGone() {
		l.useSyslog()
	}
	return l
}

func (l *logger) useSyslog() {
	if l.sys == nil {
		l.sys = openSyslog(l.name)
	}
}

func (l *logger) print(severity int, format string, args ...any) {
	if severity > l.level {
		return
	}
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	word := [...]string{fatal: "FATAL", errorl: "ERROR", warning: "WARNING", 5: "NOTICE", info: "INFO", debugging: "DEBUG"}[severity]
	if l.sys != nil {
		l.sys.send(word + ": " + text)
		return
	}
	_, _ = os.Stderr.WriteString(l.name + ": " + word + ": " + strings.TrimSuffix(text, "\n") + "\n")
}

func (l *logger) fatal(format string, args ...any)   { l.print(fatal, format, args...) }
func (l *logger) error(format string, args ...any)   { l.print(errorl, format, args...) }
func (l *logger) warning(format string, args ...any) { l.print(warning, format, args...) }
func (l *logger) info(format string, args ...any)    { l.print(info, format, args...) }

// buffered writes errors that were kept until their turn.
func (l *logger) buffered(errors []string) {
	for _, text := range errors {
		l.print(errorl, "%s", text)
	}
}

// raw writes a line as it is: getopt's complaints have no severity.
func (l *logger) raw(text string) {
	_, _ = os.Stderr.WriteString(l.name + ": " + text + "\n")
}

// A writer buffers stdout.
type writer struct {
	fd     int
	hold   bool // never writes: somebody else takes buf
	buf    []byte
	failed bool
}

func (w *writer) puts(parts ...string) {
	for _, part := range parts {
		w.buf = append(w.buf, part...)
	}
	if len(w.buf) > 32<<10 && !w.hold {
		w.flush()
	}
}

func (w *writer) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	if len(w.buf) > 32<<10 && !w.flush() {
		return 0, os.ErrClosed
	}
	return len(b), nil
}

// flush reports whether everything has been written so far.
func (w *writer) flush() bool {
	if len(w.buf) > 0 && !w.failed {
		w.failed = writeAll(w.fd, w.buf) != nil
	}
	w.buf = w.buf[:0]
	return !w.failed
}
