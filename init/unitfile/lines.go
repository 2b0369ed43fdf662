package unitfile

import (
	"bufio"
	"io"
	"strings"
)

// MaxLine bounds a line with its continuations, in bytes; systemd's own bound.
const MaxLine = 1 << 20

const byteOrderMark = "\xef\xbb\xbf"

// logicalLine is a line with its continuations joined, and the number of the
// first of them. It holds at least one byte that is no blank.
type logicalLine struct {
	text   string
	number int
}

// lineReader joins physical lines to logical ones and drops blank lines and
// comments.
type lineReader struct {
	in     *bufio.Reader
	number int // of the physical line read last
}

func newLineReader(r io.Reader) *lineReader { return &lineReader{in: bufio.NewReader(r)} }

// next returns io.EOF after the last line. With any other error the returned
// line carries the number of the line at fault.
func (r *lineReader) next() (logicalLine, error) {
	var joined strings.Builder
	first := 0
	for {
		text, err := r.physical()
		if err == io.EOF && first > 0 {
			// The file ends within a continuation: what stands there counts.
			if joined.Len() == 0 || isBlank(joined.String()) {
				return logicalLine{}, io.EOF
			}
			return logicalLine{joined.String(), first}, nil
		}
		if err != nil {
			return logicalLine{number: r.number}, err
		}
		if isComment(text) {
			continue
		}
		if first == 0 {
			first = r.number
		}
		if joined.Len()+len(text) > MaxLine {
			return logicalLine{number: first}, ErrLineTooLong
		}
		if continues(text) {
			joined.WriteString(text[:len(text)-1])
			joined.WriteByte(' ')
			continue
		}
		joined.WriteString(text)
		if !isBlank(joined.String()) {
			return logicalLine{joined.String(), first}, nil
		}
		joined.Reset()
		first = 0
	}
}

// physical reads up to the next line end, which it removes.
func (r *lineReader) physical() (string, error) {
	var text []byte
	r.number++
	for {
		c, err := r.in.ReadByte()
		switch {
		case err == io.EOF && len(text) == 0:
			return "", io.EOF
		case err == io.EOF || err == nil && c == '\n':
			return r.withoutMark(text), nil
		case err != nil:
			return "", err
		case c == '\r':
			if follow, err := r.in.Peek(1); err == nil && follow[0] == '\n' {
				r.in.Discard(1)
			}
			return r.withoutMark(text), nil
		case c == 0:
			return "", ErrNUL
		case len(text) >= MaxLine:
			return "", ErrLineTooLong
		}
		text = append(text, c)
	}
}

func (r *lineReader) withoutMark(text []byte) string {
	if r.number == 1 {
		return strings.TrimPrefix(string(text), byteOrderMark)
	}
	return string(text)
}

// continues tells whether the line's last backslash is not itself escaped.
func continues(text string) bool {
	n := len(text) - len(strings.TrimRight(text, `\`))
	return n%2 == 1
}

func isComment(text string) bool {
	text = strings.TrimLeft(text, blanks)
	return text != "" && (text[0] == '#' || text[0] == ';')
}

func isBlank(text string) bool { return strings.Trim(text, blanks) == "" }
