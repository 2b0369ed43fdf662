package notify

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	if got := Assign("READY", "1", "STATUS", "two\nlines", "odd"); got != "READY=1\nSTATUS=two lines" {
		t.Errorf("%q", got)
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	for _, address := range []string{path, "@firn-init-test-" + strings.ReplaceAll(path, "/", "-")} {
		conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		n, err := New(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Send("READY", "1"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 64)
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if k, err := conn.Read(b); err != nil || string(b[:k]) != "READY=1" {
			t.Errorf("%s: %q, %v", address, b[:k], err)
		}
	}
}

func TestNoManager(t *testing.T) {
	t.Parallel()
	n, err := New("")
	if err != nil || n.Send("READY", "1") != nil {
		t.Errorf("without an address: %v", err)
	}
	n, err = New("vsock:2:1234")
	if err == nil || n.Send("READY", "1") != nil {
		t.Errorf("an address of another kind: %v", err)
	}
	n, err = New("/nonexistent/notify")
	if err != nil || n.Send("READY", "1") == nil {
		t.Errorf("a manager that is gone: %v", err)
	}
}

// TestStuck: a manager that does not read holds nobody for long.
func TestStuck(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	n, _ := New(path)
	began := time.Now()
	for range 100_000 {
		if err = n.Send("STATUS", strings.Repeat("x", 4000)); err != nil {
			break
		}
	}
	if err == nil || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
