package handoff

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Reader takes messages from a stream, one a line.
type Reader struct {
	r    *bufio.Reader
	line []byte
}

// NewReader reads from r. Its buffer starts small, since PID 1 keeps one for as long as the container lives, and
// grows to MaxLine at most.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 512)}
}

// Read gives the next message. The error is io.EOF between messages, io.ErrUnexpectedEOF within one, else
// ErrTooLong, ErrGarbage or ErrVersion, after which the stream is of no more use, or ErrMember, after which the
// next message may be read; the message is then what was understood of it, so that its ID can be answered.
// An unknown type is no error.
func (r *Reader) Read() (Message, error) {
	line, err := r.next()
	if err != nil {
		return Message{}, err
	}
	return Parse(line)
}

// next gives a line without its end, valid until the next call. Empty lines are passed over.
func (r *Reader) next() ([]byte, error) {
	for {
		r.line = r.line[:0]
		for {
			part, err := r.r.ReadSlice('\n')
			if len(r.line)+len(part) > MaxLine {
				return nil, ErrTooLong
			}
			r.line = append(r.line, part...)
			if err == nil {
				break
			}
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if errors.Is(err, io.EOF) && len(r.line) > 0 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, err
		}
		if line := bytes.TrimSpace(r.line); len(line) > 0 {
			return line, nil
		}
	}
}

// Parse reads one message from a line. Errors are as those of Reader.Read.
func Parse(line []byte) (Message, error) {
	var m Message
	if len(line) == 0 || line[0] != '{' {
		return m, ErrGarbage
	}
	// Another major version may give members another shape, so the version is judged alone, first.
	var head struct {
		V *int `json:"v"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return m, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	if head.V == nil {
		return m, fmt.Errorf("%w: no version", ErrGarbage)
	}
	if *head.V != Major {
		return m, fmt.Errorf("%w: %d", ErrVersion, *head.V)
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	}
	if m.Type == "" {
		return m, fmt.Errorf("%w: no type", ErrGarbage)
	}
	m.Text, m.Action, m.Code = plain(m.Text), plain(m.Action), Code(plain(string(m.Code)))
	return m, m.Check()
}

// Write sends one message as one line in one write, with the version filled in. The error is ErrMember or
// ErrTooLong, with nothing written, or what w gave.
func Write(w io.Writer, m Message) error {
	line, err := encode(m)
	if err != nil {
		return err
	}
	if _, err := w.Write(line); err != nil {
		return fmt.Errorf("send %s: %w", m.Type, err)
	}
	return nil
}

func encode(m Message) ([]byte, error) {
	m.V = Major
	m.Text = plain(m.Text)
	if err := m.Check(); err != nil {
		return nil, err
	}
	line, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", m.Type, err)
	}
	if len(line)+1 > MaxLine {
		return nil, fmt.Errorf("encode %s: %w", m.Type, ErrTooLong)
	}
	return append(line, '\n'), nil
}
