package handoff

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// writeTimeout bounds a send: neither PID 1 nor a supervisor may hang on a peer that has stopped reading.
	writeTimeout = 2 * time.Second
	// helloTimeout bounds the wait for the first message, and for its answer.
	helloTimeout = 5 * time.Second
)

// Handler gets each message that is no answer, in order, on the goroutine of Serve, so it must not wait for the
// other end. What it returns is sent back; the zero Message sends nothing, for a message that awaits no answer or
// whose answer follows by Conn.Send.
type Handler func(m Message) Message

// Conn is one end of an open conversation. Its methods may be called from any goroutine.
type Conn struct {
	// Hello is what the init at the other end said first; only Server's connections have it.
	Hello Message
	// Peer is the process at the other end, as the kernel knew it when it connected; only Server's have it.
	Peer Peer

	file *os.File
	in   *Reader

	writing sync.Mutex // one line at a time

	mu      sync.Mutex
	last    uint64 // newest id that was given to a request
	waiting map[uint64]chan Message
	ended   bool
}

// Peer is a process by its credentials. PID is seen from the reader's PID namespace, 0 if it is not in there.
type Peer struct {
	PID int
	UID uint32
}

func newConn(file *os.File) *Conn {
	return &Conn{file: file, in: NewReader(file)}
}

// Send writes one message. The connection is closed if the other end does not take it within two seconds.
func (c *Conn) Send(m Message) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	// Every socket here is non-blocking and known to the runtime's poller, so the deadline can be set.
	_ = c.file.SetWriteDeadline(time.Now().Add(writeTimeout))
	err := Write(c.file, m)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		// Part of a line may be out; nothing sent after it could be understood. After other errors the other end is
		// gone, and what it has said before can still be read.
		c.Close()
	}
	return err
}

// Request sends a message under a new id and waits for its answer, which may be a refusal. Serve must be running
// on another goroutine. The error is ErrClosed if the connection ends first.
func (c *Conn) Request(ctx context.Context, m Message) (Message, error) {
	answer := make(chan Message, 1)
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		return Message{}, ErrClosed
	}
	if c.waiting == nil {
		c.waiting = make(map[uint64]chan Message)
	}
	c.last++
	m.ID = c.last
	c.waiting[m.ID] = answer
	c.mu.Unlock()

	defer c.forget(m.ID)
	if err := c.Send(m); err != nil {
		return Message{}, err
	}
	select {
	case got, ok := <-answer:
		if !ok {
			return Message{}, ErrClosed
		}
		return got, nil
	case <-ctx.Done():
		return Message{}, ctx.Err()
	}
}

func (c *Conn) forget(id uint64) {
	c.mu.Lock()
	delete(c.waiting, id)
	c.mu.Unlock()
}

// Serve reads until the connection ends, gives answers to their requests and everything else to handle. It
// returns nil at the other end's orderly close, and has closed the connection then.
func (c *Conn) Serve(handle Handler) error {
	defer c.end()
	for {
		m, err := c.in.Read()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET): // the latter if it has not read all of ours
			return nil
		case errors.Is(err, ErrMember):
			if !m.Type.Answer() {
				_ = c.Send(Refuse(m, Invalid, err.Error()))
			}
			continue
		case err != nil:
			c.sendLast(err)
			return err
		}
		if m.Type.Answer() {
			c.deliver(m)
			continue
		}
		reply := Unknown(m)
		if m.Type.Known() {
			reply = handle(m)
		}
		if reply.Type != "" {
			_ = c.Send(reply) // what fails here is seen at the next read
		}
	}
}

// sendLast tells the other end why the conversation is over, as far as it can still be told.
func (c *Conn) sendLast(err error) {
	switch {
	case errors.Is(err, ErrVersion):
		_ = c.Send(Message{Type: Error, Code: Mismatch, Text: err.Error()})
	case errors.Is(err, ErrGarbage), errors.Is(err, ErrTooLong), errors.Is(err, ErrSequence):
		_ = c.Send(Message{Type: Error, Code: Invalid, Text: err.Error()})
	}
}

// deliver hands an answer to its request. One whose request has given up, or never was, is dropped.
func (c *Conn) deliver(m Message) {
	c.mu.Lock()
	answer := c.waiting[m.ID]
	delete(c.waiting, m.ID)
	c.mu.Unlock()
	if answer != nil {
		answer <- m
	}
}

// end closes the connection and wakes every waiting request.
func (c *Conn) end() {
	c.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for id, answer := range c.waiting {
		close(answer)
		delete(c.waiting, id)
	}
}

// Close ends the conversation; Serve returns at the other end, and here.
func (c *Conn) Close() error {
	return c.file.Close()
}
