package handoff

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// This file speaks to sockets by system calls: package net would cost PID 1 its start-up and memory.

// errPeer marks a peer that was gone, or could not be known, before it was accepted.
var errPeer = errors.New("peer went away")

// maxPath is the longest path that sockaddr_un holds with its NUL (unix(7)).
const maxPath = 107

// reach gives a name for path that is short enough for sockaddr_un: where the path is too long, through the
// descriptor of its directory. The function it returns lets go of that.
func reach(path string) (string, func(), error) {
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	const oPath = 0x200000 // O_PATH, which package syscall does not name
	dir, err := syscall.Open(filepath.Dir(path), oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return "", nil, fmt.Errorf("open directory of socket: %w", err)
	}
	short := fmt.Sprintf("/proc/self/fd/%d/%s", dir, filepath.Base(path))
	return short, func() { syscall.Close(dir) }, nil
}

func newSocket() (int, error) {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("make unix socket: %w", err)
	}
	return fd, nil
}

// listen binds a socket beside path and renames it there.
func listen(path string) (*os.File, uint64, error) {
	fd, err := newSocket()
	if err != nil {
		return nil, 0, err
	}
	inode, err := bind(fd, path)
	if err != nil {
		syscall.Close(fd)
		return nil, 0, err
	}
	return os.NewFile(uintptr(fd), path), inode, nil
}

func bind(fd int, path string) (uint64, error) {
	// The pid makes the name free of other supervisors; one left by a killed process with this pid is removed.
	temp := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("remove old socket: %w", err)
	}
	name, done, err := reach(temp)
	if err != nil {
		return 0, err
	}
	defer done()
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		return 0, fmt.Errorf("bind socket: %w", err)
	}
	inode, err := publish(fd, temp, path)
	if err != nil {
		os.Remove(temp)
	}
	return inode, err
}

// publish sets the mode, listens and only then gives the socket its name: whoever finds it can connect.
func publish(fd int, temp, path string) (uint64, error) {
	if err := os.Chmod(temp, 0o666); err != nil {
		return 0, fmt.Errorf("set mode of socket: %w", err)
	}
	if err := syscall.Listen(fd, 16); err != nil {
		return 0, fmt.Errorf("listen: %w", err)
	}
	var st syscall.Stat_t
	if err := syscall.Lstat(temp, &st); err != nil {
		return 0, fmt.Errorf("stat socket: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return 0, fmt.Errorf("name socket: %w", err)
	}
	return st.Ino, nil
}

func unlinkOwn(path string, inode uint64) error {
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil || st.Ino != inode {
		return nil // gone, or another server's
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove socket: %w", err)
	}
	return nil
}

// accept takes the next connection and asks the kernel who made it.
func accept(listener *os.File) (*os.File, Peer, error) {
	raw, err := listener.SyscallConn()
	if err != nil {
		return nil, Peer{}, err
	}
	fd, fault := -1, error(nil)
	err = raw.Read(func(l uintptr) bool {
		fd, _, fault = syscall.Accept4(int(l), syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
		return !errors.Is(fault, syscall.EAGAIN) && !errors.Is(fault, syscall.EINTR)
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, Peer{}, err
	case err != nil:
		return nil, Peer{}, os.ErrClosed // package os has an error of its own for it here
	case errors.Is(fault, syscall.ECONNABORTED):
		return nil, Peer{}, errPeer
	case fault != nil:
		return nil, Peer{}, fault
	}
	cred, err := syscall.GetsockoptUcred(fd, syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		syscall.Close(fd)
		return nil, Peer{}, fmt.Errorf("%w: read its credentials: %w", errPeer, err)
	}
	return os.NewFile(uintptr(fd), "handoff"), Peer{PID: int(cred.Pid), UID: cred.Uid}, nil
}

// connect reaches the socket at path. A unix socket connects at once or not at all: EAGAIN says that the
// listener's queue is full.
func connect(path string) (*os.File, error) {
	name, done, err := reach(path)
	if err != nil {
		return nil, err
	}
	defer done()
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("connect to %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), "handoff"), nil
}
