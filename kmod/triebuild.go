package kmod

import (
	"encoding/binary"
	"slices"
)

// A trieBuilder collects keys and writes them as trie.go's grammar has it,
// byte for byte as kmod's depmod does: values of equal priority in reverse order
// of insertion, children before parents, a node's parts in the grammar's order.
type trieBuilder struct {
	root *buildNode
}

// A buildNode holds its children in a dense slice sorted by byte: most nodes have
// one or two, and a full table of 128 would cost a megabyte per thousand keys.
type buildNode struct {
	prefix   string
	bytes    []byte
	children []*buildNode
	values   []Value
}

// insert adds a value and reports whether the key was there before.
// Bytes of 0x80 and above cannot be children: such keys are left out.
func (b *trieBuilder) insert(key, value string, priority uint32) (duplicate bool) {
	for i := 0; i < len(key); i++ {
		if key[i] >= trieFanout || key[i] == 0 {
			return false
		}
	}
	n := b.start()
	for {
		common := commonPrefix(n.prefix, key)
		if common < len(n.prefix) {
			n.split(common)
		}
		key = key[common:]
		if key == "" {
			duplicate = len(n.values) > 0
			n.values = insertValue(n.values, Value{value, priority})
			return duplicate
		}
		i, found := slices.BinarySearch(n.bytes, key[0])
		if !found {
			n.bytes = slices.Insert(n.bytes, i, key[0])
			n.children = slices.Insert(n.children, i, &buildNode{prefix: key[1:]})
		}
		n, key = n.children[i], key[1:]
	}
}

// start is the root. It never has a prefix, even if all keys share one: depmod
// starts from an empty node.
func (b *trieBuilder) start() *buildNode {
	if b.root == nil {
		b.root = &buildNode{}
	}
	return b.root
}

// split cuts the node's prefix after at bytes; what follows becomes its child.
func (n *buildNode) split(at int) {
	child := &buildNode{prefix: n.prefix[at+1:], bytes: n.bytes, children: n.children, values: n.values}
	c := n.prefix[at]
	*n = buildNode{prefix: n.prefix[:at], bytes: []byte{c}, children: []*buildNode{child}}
}

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := 0; i < n; i++ {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// bytes returns the finished file.
func (b *trieBuilder) bytes() []byte {
	out := make([]byte, trieHeader, 1<<16)
	binary.BigEndian.PutUint32(out, trieMagic)
	binary.BigEndian.PutUint16(out[4:], trieMajor)
	binary.BigEndian.PutUint16(out[6:], trieMinor)
	out, ref := b.start().write(out)
	binary.BigEndian.PutUint32(out[8:], ref)
	return out
}

func (n *buildNode) write(out []byte) ([]byte, uint32) {
	var first, last byte
	var refs []uint32
	if len(n.children) > 0 {
		first, last = n.bytes[0], n.bytes[len(n.bytes)-1]
		refs = make([]uint32, int(last-first)+1)
		for i, child := range n.children {
			out, refs[n.bytes[i]-first] = child.write(out)
		}
	}
	ref := uint32(len(out))
	if n.prefix != "" {
		out = append(append(out, n.prefix...), 0)
		ref |= refPrefix
	}
	if refs != nil {
		out = append(out, first, last)
		for _, child := range refs {
			out = binary.BigEndian.AppendUint32(out, child)
		}
		ref |= refChildren
	}
	if n.values != nil {
		out = binary.BigEndian.AppendUint32(out, uint32(len(n.values)))
		for _, v := range n.values {
			out = binary.BigEndian.AppendUint32(out, v.Priority)
			out = append(append(out, v.Text...), 0)
		}
		ref |= refValues
	}
	return out, ref
}
