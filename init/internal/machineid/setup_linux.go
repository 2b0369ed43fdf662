package machineid

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Result is what Setup did.
type Result struct {
	ID string
	// Bound is the file over which one of /run was mounted; empty if none.
	Bound string
}

// Setup makes sure that file holds an id. One that is there stays, whatever the manager says. A new one is uuid, or
// random. Where file cannot be written but exists, the new id is in transient, bound read-only over it: for this boot
// only. Where it does not exist either, ID is given with the error.
func Setup(file, transient, uuid string) (Result, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		if id, err := Parse(string(text)); err == nil {
			return Result{ID: id}, nil
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return Result{}, fmt.Errorf("read machine id: %w", err)
	}
	id, err := Parse(uuid)
	if err != nil {
		var random [16]byte
		_, _ = unix.Getrandom(random[:], 0) // gives as much at once (getrandom(2))
		id = FromRandom(random)
	}
	res := Result{ID: id}
	err = write(file, id)
	if err == nil {
		return res, nil
	}
	if _, missing := os.Stat(file); missing != nil {
		return res, err
	}
	if err := bind(file, transient, id); err != nil {
		return res, err
	}
	res.Bound = file
	return res, nil
}

// write fills the file in place, through a link if it is one: some systems keep their id elsewhere.
func write(file, id string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o444)
	if err != nil {
		return fmt.Errorf("write machine id: %w", err)
	}
	_, err = f.WriteString(id + "\n")
	err = errors.Join(err, f.Truncate(33), f.Chmod(0o444), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write machine id: %w", err)
	}
	return nil
}

func bind(file, transient, id string) error {
	if err := write(transient, id); err != nil {
		return err
	}
	if err := unix.Mount(transient, file, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s to %s: %w", transient, file, err)
	}
	const flags = unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := unix.Mount("", file, "", flags, ""); err != nil {
		return fmt.Errorf("remount %s read-only: %w", file, err)
	}
	return nil
}
