package handoff

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"
)

// The client's way from one connection to the next:
//
//	state    | event                                   | next
//	---------+-----------------------------------------+--------------------------------------------
//	start    | no socket                               | Run returns ErrAbsent: not under firn
//	start    | connected                               | greet
//	greet    | ack                                     | talk: status and ready are said again
//	greet    | refused, ended, nothing within 5 s      | wait with a delay that doubles
//	talk     | connection ends: the supervisor is gone | wait
//	wait     | new entry in the directory, or delay    | connect
//	connect  | no socket, or nobody listens at it      | wait without a delay: a new supervisor renames its
//	         |                                         | socket into the directory, which is an event
//	connect  | other error (its queue is full)         | wait with a delay that doubles
//	any      | context ends                            | Run returns nil
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 30 * time.Second
)

// Client is init's end. It lives through restarts of the supervisor: what was said of readiness and status is said
// again to the next. All its methods may be called from any goroutine; while nobody is connected they cost nothing.
type Client struct {
	// Path of the socket; DefaultPath if empty.
	Path string
	// Hello is the first message; its Boot and Mode must be set.
	Hello Message
	// Handle gets the shim's requests; see Handler. Without it all are refused as unsupported.
	Handle Handler

	mu     sync.Mutex
	conn   *Conn
	ready  bool
	status string

	first *Conn // from Open, for Run to go on with
}

// Open makes the first connection and says hello on it, without waiting for an answer: what is told from then on
// reaches the shim even if this process ends at once. Run must follow. The error is ErrAbsent if there is no socket;
// anything else that goes wrong is for Run to try again.
func (c *Client) Open() error {
	if c.Path == "" {
		c.Path = DefaultPath
	}
	if _, err := os.Lstat(c.Path); errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return ErrAbsent
	}
	c.first, _ = c.open()
	return nil
}

// Run talks to one supervisor after another until ctx ends, then returns nil. Without Open before it, it returns
// ErrAbsent at once if there is no socket: whoever starts firn-init under firn listens before.
func (c *Client) Run(ctx context.Context) error {
	if c.Handle == nil {
		c.Handle = Unknown
	}
	if c.first == nil {
		if err := c.Open(); err != nil {
			return err
		}
	}
	var watching *watch
	defer func() { watching.close() }()
	backoff := minBackoff
	for ctx.Err() == nil {
		began := time.Now()
		err := c.session(ctx)
		if ctx.Err() != nil {
			break
		}
		if watching == nil {
			// Watch first, then try once more: what came up in between is not missed.
			if w, werr := watchFor(c.Path); werr == nil {
				watching = w
				continue
			}
		}
		var delay time.Duration
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
			if watching == nil {
				delay = backoff
			}
		default:
			delay = backoff
		}
		if time.Since(began) > maxBackoff {
			backoff, delay = minBackoff, minBackoff // a long talk was no failure
		}
		watching.wait(ctx, delay)
		backoff = min(2*backoff, maxBackoff)
	}
	return nil
}

// open connects, says hello and lets the others speak.
func (c *Client) open() (*Conn, error) {
	file, err := connect(c.Path)
	if err != nil {
		return nil, err
	}
	conn := newConn(file)
	hello := c.Hello
	hello.Type, hello.ID, hello.Minor = Hello, 1, Minor
	conn.last = hello.ID
	if err := conn.Send(hello); err != nil {
		conn.Close()
		return nil, err
	}
	c.attach(conn)
	return conn, nil
}

// session holds one conversation to its end.
func (c *Client) session(ctx context.Context) (err error) {
	conn := c.first
	c.first = nil
	if conn == nil {
		if conn, err = c.open(); err != nil {
			return err
		}
	}
	defer conn.end()
	defer c.attach(nil)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := conn.awaitAck(); err != nil {
		return err
	}
	return conn.Serve(c.Handle)
}

// awaitAck reads the answer to hello.
func (c *Conn) awaitAck() error {
	_ = c.file.SetReadDeadline(time.Now().Add(helloTimeout))
	m, err := c.in.Read()
	if err != nil {
		return fmt.Errorf("read answer to hello: %w", err)
	}
	if m.Type != Ack {
		return fmt.Errorf("hello refused: %s", m.Text)
	}
	return c.file.SetReadDeadline(time.Time{})
}

// attach makes conn the one to send on, and tells it what its predecessors were told.
func (c *Client) attach(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	if conn == nil {
		return
	}
	// An error here ends the connection, which Serve then sees.
	if c.status != "" {
		_ = conn.Send(Message{Type: Status, Text: c.status})
	}
	if c.ready {
		_ = conn.Send(Message{Type: Ready})
	}
}

// Connected reports whether a supervisor is listening now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn != nil
}

// Ready tells this supervisor, and each one after it, that boot is done.
func (c *Client) Ready() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ready = true
	c.tell(Message{Type: Ready})
}

// Status tells what init does just now.
func (c *Client) Status(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = text
	c.tell(Message{Type: Status, Text: text})
}

// Exit tells how the main command ended and what follows: "halt", "poweroff", "reboot" or "exit".
func (c *Client) Exit(status ExitStatus, action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell(Message{Type: Exit, Exit: &status, Action: action})
}

// tell sends while c.mu is held, so that the order of what is said again and what is new stays right. An error
// ends the connection; the next one is told by attach.
func (c *Client) tell(m Message) {
	if c.conn != nil {
		_ = c.conn.Send(m)
	}
}

// LoadModule asks the host to load a module and waits for its word. The error is ErrClosed if nobody is connected,
// *DeniedError if the host refuses.
func (c *Client) LoadModule(ctx context.Context, module string) error {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return ErrClosed
	}
	m, err := conn.Request(ctx, Message{Type: LoadModule, Module: module})
	if err != nil {
		return err
	}
	if m.Type != Loaded {
		return &DeniedError{Module: module, Reason: m.Text}
	}
	return nil
}

// Answer sends what Handle put off. If the supervisor that asked is gone, so is its question.
func (c *Client) Answer(m Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tell(m)
}
