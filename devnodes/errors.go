package devnodes

import "errors"

var (
	// ErrMalformed marks a line of modules.devname that is no entry.
	ErrMalformed = errors.New("not an entry of the form MODULE NAME [cb]MAJOR:MINOR")
	// ErrConflict marks two nodes of one name and different content.
	ErrConflict = errors.New("defined twice")
	// ErrForeign marks a file in a node's place that is not ours to remove: a
	// regular file, a directory, a socket, somebody's link.
	ErrForeign = errors.New("another file is in the way")
)

// NodeError is what kept Apply from making one node. The other nodes of the
// plan are made all the same.
type NodeError struct {
	Node Node
	Op   string // "make", "correct", "bind"
	Err  error
}

func (e *NodeError) Error() string {
	return e.Op + " node \"" + e.Node.Name + "\": " + e.Err.Error()
}

func (e *NodeError) Unwrap() error { return e.Err }
