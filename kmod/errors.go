package kmod

import (
	"errors"
	"strconv"
)

var (
	// ErrNotFound: no module, alias, built-in or command has this name.
	ErrNotFound = errors.New("no such module")
	// ErrCorrupt: an index or module file contradicts its own format.
	ErrCorrupt = errors.New("corrupt file")
	// ErrBlacklisted: the configuration forbids loading the module by this name.
	ErrBlacklisted = errors.New("blacklisted")
	// ErrDenied: this process may not load modules at all, whatever the module.
	ErrDenied = errors.New("not permitted to load modules")
	// ErrNoDevice: the module found no hardware that it drives.
	ErrNoDevice = errors.New("no such device")
	// ErrAlreadyLoaded: the module is in the kernel (only with FirstTime).
	ErrAlreadyLoaded = errors.New("module already in kernel")
	// ErrNotLoaded: there is no such module in the kernel to remove.
	ErrNotLoaded = errors.New("module is not loaded")
	// ErrBuiltin: the code is part of the kernel image and cannot be removed.
	ErrBuiltin = errors.New("module is built in")
	// ErrInUse: other modules or open files hold the module.
	ErrInUse = errors.New("module is in use")
	// ErrNoSection: an ELF file lacks the section that was asked for.
	ErrNoSection = errors.New("no such section")
)

// A LineError is a defect at one line of a configuration file.
type LineError struct {
	File string
	Line int
	Msg  string
}

func (e *LineError) Error() string {
	return e.File + ":" + strconv.Itoa(e.Line) + ": " + e.Msg
}

func isNotFound(err error) bool { return errors.Is(err, ErrNotFound) }
