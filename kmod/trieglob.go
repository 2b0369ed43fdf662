package kmod

import "fmt"

// walk visits every value in key order.
func (t *trie) walk(yield func(key string, v Value) bool) error {
	w := trieWalk{trie: t, budget: len(t.data)}
	w.visit = func(n *node) error {
		return n.eachValue(func(v Value) bool {
			w.stopped = w.stopped || !yield(string(w.key), v)
			return !w.stopped
		})
	}
	return w.below(t.root, uint32(len(t.data)))
}

// searchGlob calls yield for the values of all keys that, taken as globs, match
// name. It follows name byte by byte and fans out only where a key has a glob
// character: below one, every key is collected and matched whole.
//
// The order is that of the walk: globs from the current node first ('*', '?',
// '['), then the literal continuation.
func (t *trie) searchGlob(name string, yield func(Value) bool) error {
	w := trieWalk{trie: t, budget: len(t.data)}
	rest := name
	w.visit = func(n *node) error {
		if !Match(string(w.key), rest) {
			return nil
		}
		return n.eachValue(yield)
	}
	ref, limit := t.root, uint32(len(t.data))
	for ref != 0 {
		n, err := t.node(ref, limit)
		if err != nil {
			return err
		}
		for i, c := range n.prefix {
			if isGlobByte(c) {
				w.key = append(w.key[:0], n.prefix[i:]...)
				return w.children(&n)
			}
			if rest == "" || rest[0] != c {
				return nil
			}
			rest = rest[1:]
		}
		for _, c := range []byte("*?[") {
			if child := n.child(c); child != 0 {
				w.key = append(w.key[:0], c)
				if err := w.below(child, n.offset); err != nil {
					return err
				}
			}
		}
		if rest == "" {
			return n.eachValue(yield)
		}
		ref, rest, limit = n.child(rest[0]), rest[1:], n.offset
	}
	return nil
}

func isGlobByte(c byte) bool { return c == '*' || c == '?' || c == '[' }

// A trieWalk goes through a subtree depth first and keeps the key so far.
type trieWalk struct {
	*trie
	key     []byte
	visit   func(*node) error
	budget  int // visits left: a tree has fewer nodes than bytes
	stopped bool
}

func (w *trieWalk) below(ref, limit uint32) error {
	if ref == 0 {
		return nil
	}
	n, err := w.node(ref, limit)
	if err != nil {
		return err
	}
	if w.budget--; w.budget < 0 || len(w.key)+len(n.prefix) > trieMaxKey {
		return fmt.Errorf("%w: index is no tree at %d", ErrCorrupt, n.offset)
	}
	length := len(w.key)
	w.key = append(w.key, n.prefix...)
	err = w.children(&n)
	w.key = w.key[:length]
	return err
}

// children visits n, then what is below it; w.key already spells n.
func (w *trieWalk) children(n *node) error {
	if err := w.visit(n); err != nil || w.stopped {
		return err
	}
	for c := int(n.first); n.children != nil && c <= int(n.last) && !w.stopped; c++ {
		child := n.child(byte(c))
		if child == 0 {
			continue
		}
		w.key = append(w.key, byte(c))
		err := w.below(child, n.offset)
		w.key = w.key[:len(w.key)-1]
		if err != nil {
			return err
		}
	}
	return nil
}
