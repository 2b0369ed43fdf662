package handoff

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Server is the shim's end: a listening socket that talks only to those whom Allow admits.
type Server struct {
	path   string
	file   *os.File
	inode  uint64
	allow  func(pid int, uid uint32) bool
	onDrop func(Peer, error)
}

// Listen makes a socket at path and listens there. It takes the place of one that an earlier supervisor left, by
// rename, so that a waiting init sees one event and there is no moment without a socket. The socket's mode is
// 0666, since root of the container may be anybody outside: allow decides, with the peer's pid as seen from the
// caller's PID namespace and its uid as seen from the caller's user namespace (unix(7), SO_PEERCRED).
func Listen(path string, allow func(pid int, uid uint32) bool) (*Server, error) {
	file, inode, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", path, err)
	}
	return &Server{path: path, file: file, inode: inode, allow: allow}, nil
}

// OnDrop sets what is told of a peer that was turned away, and why. It must be set before Accept.
func (s *Server) OnDrop(tell func(Peer, error)) { s.onDrop = tell }

// Accept waits for the next init that is admitted and has said hello, answers that, and gives the connection, on
// which the caller runs Serve. Peers that are turned away cost no return. The error is os.ErrClosed after Close.
func (s *Server) Accept() (*Conn, error) {
	for {
		file, peer, err := accept(s.file)
		if errors.Is(err, errPeer) {
			s.drop(peer, err)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("accept at %s: %w", s.path, err)
		}
		if !s.allow(peer.PID, peer.UID) {
			s.drop(peer, os.ErrPermission)
			file.Close()
			continue
		}
		conn := newConn(file)
		conn.Peer = peer
		if err := conn.greet(); err != nil {
			s.drop(peer, err)
			conn.sendLast(err)
			conn.Close()
			continue
		}
		return conn, nil
	}
}

func (s *Server) drop(peer Peer, err error) {
	if s.onDrop != nil {
		s.onDrop(peer, err)
	}
}

// greet reads the hello and acknowledges it.
func (c *Conn) greet() error {
	_ = c.file.SetReadDeadline(time.Now().Add(helloTimeout))
	m, err := c.in.Read()
	if err != nil {
		return fmt.Errorf("read hello: %w", err)
	}
	if m.Type != Hello {
		return fmt.Errorf("read hello: %w: %.40q", ErrSequence, string(m.Type))
	}
	_ = c.file.SetReadDeadline(time.Time{})
	c.Hello = m
	answer := Acknowledge(m, "")
	answer.Minor = Minor
	// An init that has ended meanwhile cannot be told, but what it said before it did can still be read.
	_ = c.Send(answer)
	return nil
}

// Close stops listening and removes the socket, unless another server has taken its place since.
func (s *Server) Close() error {
	// In this order: while the socket is open, nobody else's can have its inode's number.
	return errors.Join(unlinkOwn(s.path, s.inode), s.file.Close())
}
