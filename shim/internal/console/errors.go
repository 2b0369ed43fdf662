package console

import "errors"

// ErrMode: a word that is no mode of a console with a pty.
var ErrMode = errors.New("not interactive, read-only or passive")
