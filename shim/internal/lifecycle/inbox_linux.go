package lifecycle

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"unicode"

	"golang.org/x/sys/unix"

	"firn/init/handoff"
	"firn/shim/internal/rundir"
)

// Note is something that PID 1 has said of itself, by sd_notify(3) or over
// the handoff socket.
type Note struct {
	Ready    bool
	Stopping bool
	Status   string // what it is doing, for people; printable
}

// Inbox listens to one container's PID 1, and to nobody else in it.
type Inbox struct {
	Notes  chan Note
	leader atomic.Int64
	notify *net.UnixConn
	server *handoff.Server
	closed chan struct{}
}

// maxNote bounds a message of sd_notify(3), as systemd does.
const maxNote = 4096

// Listen makes the two sockets. What comes before Accept names PID 1 waits in
// the sockets' queues.
func Listen(dir rundir.Dir) (*Inbox, error) {
	notify, err := listenNotify(dir.Notify())
	if err != nil {
		return nil, fmt.Errorf("listen for notifications: %w", err)
	}
	in := &Inbox{Notes: make(chan Note, 16), notify: notify, closed: make(chan struct{})}
	socket := filepath.Join(dir.Handoff(), filepath.Base(handoff.DefaultPath))
	in.server, err = handoff.Listen(socket, func(pid int, _ uint32) bool {
		return int64(pid) == in.leader.Load()
	})
	if err != nil {
		notify.Close()
		return nil, fmt.Errorf("listen for firn-init: %w", err)
	}
	return in, nil
}

// listenNotify binds a datagram socket that any user may write to: PID 1 need
// not be root, and the kernel's credentials say who wrote.
func listenNotify(path string) (*net.UnixConn, error) {
	_ = os.Remove(path)
	conn, err := listenShort(path)
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	var set error
	err = raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PASSCRED, 1)
	})
	if err = errors.Join(err, set); err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// listenShort binds through a descriptor of the directory: a socket's path may
// have 107 bytes only, which a long name in a long directory exceeds.
func listenShort(path string) (*net.UnixConn, error) {
	dir, err := os.OpenFile(filepath.Dir(path), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	short := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	return net.ListenUnixgram("unixgram", &net.UnixAddr{Name: short, Net: "unixgram"})
}

// Accept begins to read, from the process leader only.
func (in *Inbox) Accept(leader int) {
	in.leader.Store(int64(leader))
	go in.readNotes()
	go in.serve()
}

// Close ends both sockets. Files go with the container's directory.
func (in *Inbox) Close() {
	close(in.closed)
	in.notify.Close()
	in.server.Close()
}

func (in *Inbox) deliver(n Note) {
	select {
	case in.Notes <- n:
	case <-in.closed:
	}
}

func (in *Inbox) readNotes() {
	buf, oob := make([]byte, maxNote), make([]byte, unix.CmsgSpace(unix.SizeofUcred))
	for {
		n, oobn, _, _, err := in.notify.ReadMsgUnix(buf, oob)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if sender(oob[:oobn]) != in.leader.Load() {
			continue
		}
		if note, ok := parseNote(string(buf[:n])); ok {
			in.deliver(note)
		}
	}
}

// sender is the PID in a message's credentials, in this process's numbers.
func sender(oob []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return -1
	}
	for _, m := range messages {
		if cred, err := unix.ParseUnixCredentials(&m); err == nil {
			return int64(cred.Pid)
		}
	}
	return -1
}

// parseNote reads sd_notify(3): lines of NAME=value. ok is false if nothing in
// it concerns the supervisor.
func parseNote(text string) (note Note, ok bool) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "READY":
			note.Ready = value == "1"
		case "STOPPING":
			note.Stopping = value == "1"
		case "STATUS":
			note.Status = printable(value)
		default:
			continue
		}
		ok = true
	}
	return note, ok
}

// printable keeps a container's words from steering the terminal that shows
// them.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// serve answers firn-init. One connection at a time is enough: there is one
// PID 1, and a reconnect comes after the loss of the one before.
func (in *Inbox) serve() {
	for {
		conn, err := in.server.Accept()
		if err != nil {
			return
		}
		_ = conn.Serve(in.handle) // ends with the connection
		conn.Close()
	}
}

// handle answers one message; see the sequence table of package handoff.
func (in *Inbox) handle(m handoff.Message) handoff.Message {
	switch m.Type {
	case handoff.Ready:
		in.deliver(Note{Ready: true})
	case handoff.Status:
		in.deliver(Note{Status: m.Text})
	case handoff.Exit:
		in.deliver(Note{Stopping: true})
	case handoff.LoadModule:
		return handoff.Message{Type: handoff.Denied, ID: m.ID, Text: "this host allows the container no modules"}
	case handoff.Ack, handoff.Error:
	default:
		return handoff.Unknown(m)
	}
	return handoff.Message{}
}
