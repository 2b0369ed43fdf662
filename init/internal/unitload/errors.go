package unitload

import "errors"

var (
	// ErrNotFound is why a unit without any file is not loaded.
	ErrNotFound = errors.New("unit not found")
	// ErrLoop is returned for links and aliases that lead in circles.
	ErrLoop = errors.New("too many levels of links")
	// ErrAlias is the problem of a link whose name cannot be another name of its target.
	ErrAlias = errors.New("not an alias of its target: types and templates must match")
)
