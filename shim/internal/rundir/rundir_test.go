package rundir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"firn/shim/internal/pidfd"
)

func TestClaimIsExclusiveAndRemoveLeavesNothing(t *testing.T) {
	t.Parallel()
	root := Root{Path: filepath.Join(t.TempDir(), "firn")}
	dir := root.Dir("web")
	claim, err := dir.Claim()
	if err != nil {
		t.Fatal(err)
	}
	if !dir.Held() {
		t.Error("Held() = false under a claim")
	}
	if _, err := dir.Claim(); !errors.Is(err, ErrBusy) {
		t.Fatalf("second Claim = %v, want ErrBusy", err)
	}
	if err := claim.Write(&Record{Name: "web"}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir.Handoff(), 0o755); err != nil {
		t.Fatal(err)
	}
	if names, err := root.Names(); err != nil || len(names) != 1 || names[0] != "web" {
		t.Fatalf("Names = %q, %v", names, err)
	}
	if err := claim.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(dir.Path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("directory after Remove: %v", err)
	}
	if dir.Held() {
		t.Error("Held() = true after Remove")
	}
}

// Many processes claim and remove one name at once: never two owners.
func TestClaimRace(t *testing.T) {
	t.Parallel()
	dir := Root{Path: filepath.Join(t.TempDir(), "firn")}.Dir("web")
	var owner sync.Mutex
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 50 {
				claim, err := dir.Claim()
				if errors.Is(err, ErrBusy) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !owner.TryLock() {
					t.Error("two owners at once")
				}
				owner.Unlock()
				if err := claim.Remove(); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
}

func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	dir := Root{Path: filepath.Join(t.TempDir(), "firn")}.Dir("web")
	if _, err := dir.Read(); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Read of nothing = %v, want ErrUnknown", err)
	}
	claim, err := dir.Claim()
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	want := Record{Name: "web", Phase: Running, Leader: pidfd.Ref{PID: 7, Start: 9}}
	if err := claim.Write(&want); err != nil {
		t.Fatal(err)
	}
	got, err := dir.Read()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("Read = %+v, want %+v", *got, want)
	}
	if err := os.WriteFile(dir.record(), []byte(`{"version":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Read(); err == nil {
		t.Error("Read accepted version 99")
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	dir := Root{Path: filepath.Join(t.TempDir(), "firn")}.Dir("web")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := dir.Await(ctx, nil); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Await of nothing = %v, want ErrUnknown", err)
	}
	claim, err := dir.Claim()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for _, phase := range []Phase{Starting, Running} {
			if err := claim.Write(&Record{Name: "web", Phase: phase}); err != nil {
				t.Error(err)
			}
		}
	}()
	running := func(r *Record) bool { return r.Phase == Running }
	if rec, err := dir.Await(ctx, running); err != nil || rec.Phase != Running {
		t.Fatalf("Await = %+v, %v", rec, err)
	}
	time.AfterFunc(10*time.Millisecond, func() { _ = claim.Remove() })
	if _, err := dir.Await(ctx, func(*Record) bool { return false }); !errors.Is(err, ErrUnknown) {
		t.Fatalf("Await over Remove = %v, want ErrUnknown", err)
	}
	short, stop := context.WithTimeout(ctx, time.Millisecond)
	defer stop()
	if claim, err = dir.Claim(); err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	if _, err := dir.Await(short, func(*Record) bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Await = %v, want deadline exceeded", err)
	}
}
