package cgroups

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSystemRemoveWaits(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		path := parent + "/x.nspawn/system/init.scope"
		pid, ended := spawn(t, nil, "sleep", "1000")
		join(t, h, path, pid)

		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		err := h.Remove(ctx, parent)
		var busy *BusyError
		if !errors.As(err, &busy) || len(busy.Holders) != 1 || busy.Holders[0] != (Holder{PID: pid, Comm: "sleep"}) {
			t.Fatalf("Remove of a busy cgroup: %v, want a BusyError that names sleep (%d)", err, pid)
		}
		go func() {
			time.Sleep(50 * time.Millisecond)
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}()
		if err := h.Remove(context.Background(), parent); err != nil {
			t.Fatal(err)
		}
		<-ended
		if h.Exists(parent) {
			t.Error("left over")
		}
		if err := h.Remove(context.Background(), parent); err != nil {
			t.Errorf("Remove of nothing: %v", err)
		}
	})
}

// A payload may nest cgroups deeper than a path can tell.
func TestSystemRemoveDeeperThanPathMax(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		if err := h.Create(parent); err != nil {
			t.Fatal(err)
		}
		name := strings.Repeat("d", 200)
		fd, err := unix.Open(h.Hierarchies[0].Dir(parent), unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 30 {
			if err := unix.Mkdirat(fd, name, 0o755); err != nil {
				t.Fatal(err)
			}
			next, err := unix.Openat(fd, name, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			unix.Close(fd)
			if err != nil {
				t.Fatal(err)
			}
			fd = next
		}
		unix.Close(fd)
		if err := h.Remove(context.Background(), parent); err != nil {
			t.Error(err)
		}
	})
}

func TestSystemPrune(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		if err := h.Create(parent + "/a.nspawn"); err != nil {
			t.Fatal(err)
		}
		if err := h.Prune(parent); err != nil || !h.Exists(parent) {
			t.Errorf("Prune of an occupied parent: %v, there: %v", err, h.Exists(parent))
		}
		if err := h.Remove(context.Background(), parent+"/a.nspawn"); err != nil {
			t.Fatal(err)
		}
		if err := h.Prune(parent); err != nil || h.Exists(parent) {
			t.Errorf("Prune: %v, there: %v", err, h.Exists(parent))
		}
	})
}

// Containers start and end at once; the parent comes and goes.
func TestSystemPruneWhileCreating(t *testing.T) {
	eachView(t, func(t *testing.T, h *Host, parent string) {
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				l := Layout{Parent: parent, Name: strconv.Itoa(i)}
				for range 50 {
					err := errors.Join(h.Create(l.Payload()), h.Remove(context.Background(), l.Container()), h.Prune(parent))
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
	})
}
