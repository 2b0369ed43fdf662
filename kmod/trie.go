package kmod

// The binary index, modules.NAME.bin. Integers are 32 bits, big endian.
//
//	file     = magic version root NODE...
//	magic    = b0 07 f4 57
//	version  = major minor            16 bits each; major 2 is read, any minor
//	root     = REF of the first node
//	REF      = flags:4 offset:28      flags say which parts the node has
//	NODE     = [prefix] [children] [values]
//	prefix   = bytes 00               if flag 8: what all keys below share
//	children = first last REF{last-first+1}
//	                                  if flag 2: one for each byte from first to
//	                                  last, both < 80; 0 where no key goes on
//	values   = count { priority bytes 00 }*count
//	                                  if flag 4: the key ends here; sorted by
//	                                  priority, lower first
//
// The key of a value is what the prefixes and the child bytes spell on the way
// from the root. Children are written before their parent, so a reference that
// does not point backwards is corrupt, and a lookup always ends. A node has one
// parent: more visits than the file has room for nodes is corruption too.
// Keys may themselves be globs (modules.alias.bin), see searchGlob.
//
// Version 1 (module-init-tools, 2008) had no priorities. It is not read.

import (
	"encoding/binary"
	"fmt"
)

const (
	trieMagic  = 0xb007f457
	trieMajor  = 2
	trieMinor  = 1
	trieHeader = 12

	refPrefix   = 8 << 28
	refValues   = 4 << 28
	refChildren = 2 << 28
	refOffset   = 1<<28 - 1

	trieFanout = 0x80
	// A key longer than this is no alias: PATH_MAX bounds them in depmod.
	trieMaxKey = 4096
)

// A Value is one entry under a key. Among several, the lower priority is first.
type Value struct {
	Text     string
	Priority uint32
}

// A trie reads the binary index in place. It may be used from several goroutines.
type trie struct {
	data []byte
	root uint32
}

func parseTrie(data []byte) (*trie, error) {
	if len(data) < trieHeader {
		return nil, fmt.Errorf("%w: %d bytes are no index", ErrCorrupt, len(data))
	}
	if magic := binary.BigEndian.Uint32(data); magic != trieMagic {
		return nil, fmt.Errorf("%w: magic number %#x, not %#x", ErrCorrupt, magic, uint32(trieMagic))
	}
	if major := binary.BigEndian.Uint16(data[4:]); major != trieMajor {
		return nil, fmt.Errorf("%w: index version %d, not %d", ErrCorrupt, major, trieMajor)
	}
	return &trie{data: data, root: binary.BigEndian.Uint32(data[8:])}, nil
}

// A node is one decoded reference; its parts still lie in the file.
type node struct {
	offset      uint32
	prefix      []byte
	first, last byte
	children    []byte // 4 bytes each, nil if none
	values      []byte // from the count on, nil if none
}

// node decodes the node at ref, which must lie before limit.
func (t *trie) node(ref, limit uint32) (n node, err error) {
	n.offset = ref & refOffset
	if ref&^refOffset == 0 {
		return n, nil // the root of an empty index: a node without parts
	}
	if n.offset < trieHeader || n.offset >= limit || int(n.offset) >= len(t.data) {
		return n, fmt.Errorf("%w: node at %d", ErrCorrupt, n.offset)
	}
	rest := t.data[n.offset:]
	if ref&refPrefix != 0 {
		end := indexByteMax(rest, trieMaxKey)
		if end < 0 {
			return n, fmt.Errorf("%w: endless prefix at %d", ErrCorrupt, n.offset)
		}
		n.prefix, rest = rest[:end], rest[end+1:]
	}
	if ref&refChildren != 0 {
		if len(rest) < 2 || rest[0] > rest[1] || rest[1] >= trieFanout {
			return n, fmt.Errorf("%w: children at %d", ErrCorrupt, n.offset)
		}
		n.first, n.last = rest[0], rest[1]
		size := 4 * (int(n.last-n.first) + 1)
		if len(rest) < 2+size {
			return n, fmt.Errorf("%w: children at %d", ErrCorrupt, n.offset)
		}
		n.children, rest = rest[2:2+size], rest[2+size:]
	}
	if ref&refValues != 0 {
		n.values = rest
	}
	return n, nil
}

// child returns the reference under byte c, 0 if there is none.
func (n *node) child(c byte) uint32 {
	if n.children == nil || c < n.first || c > n.last {
		return 0
	}
	return binary.BigEndian.Uint32(n.children[4*int(c-n.first):])
}

// eachValue calls yield for the node's values in order until it returns false.
func (n *node) eachValue(yield func(Value) bool) error {
	if n.values == nil {
		return nil
	}
	rest := n.values
	if len(rest) < 4 {
		return fmt.Errorf("%w: values at %d", ErrCorrupt, n.offset)
	}
	count := binary.BigEndian.Uint32(rest)
	rest = rest[4:]
	for ; count > 0; count-- {
		if len(rest) < 5 {
			return fmt.Errorf("%w: values at %d", ErrCorrupt, n.offset)
		}
		priority := binary.BigEndian.Uint32(rest)
		end := indexByteMax(rest[4:], len(rest))
		if end < 0 {
			return fmt.Errorf("%w: endless value at %d", ErrCorrupt, n.offset)
		}
		if !yield(Value{Text: string(rest[4 : 4+end]), Priority: priority}) {
			return nil
		}
		rest = rest[4+end+1:]
	}
	return nil
}

func indexByteMax(b []byte, limit int) int {
	for i := 0; i < len(b) && i < limit; i++ {
		if b[i] == 0 {
			return i
		}
	}
	return -1
}

// search calls yield for the values of exactly this key.
func (t *trie) search(key string, yield func(Value) bool) error {
	ref, limit := t.root, uint32(len(t.data))
	for ref != 0 {
		n, err := t.node(ref, limit)
		if err != nil {
			return err
		}
		if len(key) < len(n.prefix) || key[:len(n.prefix)] != string(n.prefix) {
			return nil
		}
		key = key[len(n.prefix):]
		if key == "" {
			return n.eachValue(yield)
		}
		ref, key, limit = n.child(key[0]), key[1:], n.offset
	}
	return nil
}
