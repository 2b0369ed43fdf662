package rundir

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Claim is the exclusive right to start, supervise or sweep a container: a lock
// of the open file (F_OFD_SETLK of fcntl(2), Linux 3.15), which unlike flock(2)
// can be asked for without being taken. It ends with Release, Remove or the end of the process, SIGKILL included.
type Claim struct {
	Dir  Dir
	lock *os.File
}

// Claim makes the directory and takes its lock. The error wraps ErrBusy if a
// supervisor lives.
func (d Dir) Claim() (*Claim, error) {
	for {
		// The previous owner may remove the directory, or the last one the
		// directory above, between any two of these calls; then they are done
		// again.
		err := d.make()
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("make state directory: %w", err)
		}
		claim, err := d.take(os.O_CREATE)
		if !errors.Is(err, os.ErrNotExist) {
			return claim, err
		}
	}
}

// ClaimLeft claims a directory that is there, to sweep it, and makes nothing
// anew. The error wraps ErrUnknown if there is none, and ErrBusy as Claim's.
func (d Dir) ClaimLeft() (*Claim, error) {
	claim, err := d.take(0)
	if !errors.Is(err, os.ErrNotExist) {
		return claim, err
	}
	// Its owner is removing it, or was killed before it made the lock: then the
	// directory is empty. An owner that is about to make the lock starts again.
	_ = os.Remove(d.Path)
	return nil, fmt.Errorf("container %q: %w", d.Name, ErrUnknown)
}

// take opens and locks the lock file. The error wraps os.ErrNotExist if it is
// not there, or was removed by its owner meanwhile.
func (d Dir) take(create int) (*Claim, error) {
	lock, err := os.OpenFile(d.lock(), os.O_RDWR|create, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &whole); err != nil {
		lock.Close()
		if errors.Is(err, unix.EAGAIN) {
			return nil, fmt.Errorf("container %q: %w", d.Name, ErrBusy)
		}
		return nil, fmt.Errorf("lock %s: %w", d.lock(), err)
	}
	if !stillThere(lock, d.lock()) {
		lock.Close()
		return nil, fmt.Errorf("open lock: %w", os.ErrNotExist)
	}
	return &Claim{Dir: d, lock: lock}, nil
}

// make makes the directory and the one above. os.MkdirAll will not do: it takes
// a directory that vanishes meanwhile for a file in the way.
func (d Dir) make() error {
	for _, path := range []string{d.Root().Path, d.Path} {
		if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			if path == d.Path {
				return err
			}
			if err := os.MkdirAll(path, 0o700); err != nil {
				return err
			}
		}
	}
	return nil
}

// Held tells whether a supervisor holds the container. It asks and takes
// nothing, so that looking never makes a claim fail.
func (d Dir) Held() bool {
	lock, err := os.OpenFile(d.lock(), os.O_RDWR, 0)
	if err != nil {
		return false
	}
	defer lock.Close()
	whole := unix.Flock_t{Type: unix.F_WRLCK}
	err = unix.FcntlFlock(lock.Fd(), unix.F_OFD_GETLK, &whole)
	return err == nil && whole.Type != unix.F_UNLCK
}

// Release gives the claim up and leaves the directory as it is.
func (c *Claim) Release() { c.lock.Close() }

// Remove deletes the directory and gives the claim up. The lock goes last, so
// that no other process takes a half-removed directory for its own.
func (c *Claim) Remove() error {
	defer c.lock.Close()
	entries, err := os.ReadDir(c.Dir.Path)
	if err != nil {
		return fmt.Errorf("read state directory: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if e.Name() != "lock" {
			errs = append(errs, os.RemoveAll(c.Dir.Path+"/"+e.Name()))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove state directory: %w", err)
	}
	if err := os.Remove(c.Dir.lock()); err != nil {
		return fmt.Errorf("remove lock: %w", err)
	}
	// From here on the directory may be the next owner's, or already removed by it.
	err = os.Remove(c.Dir.Path)
	if err != nil && !errors.Is(err, unix.ENOTEMPTY) && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove state directory: %w", err)
	}
	_ = os.Remove(c.Dir.Root().Path) // stays while another container has its directory there
	return nil
}

// stillThere tells whether path still names the open file.
func stillThere(f *os.File, path string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(path)
	return err == nil && os.SameFile(a, b)
}
