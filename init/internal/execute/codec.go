package execute

import (
	"encoding/binary"
	"errors"
)

// A Description on its way is a sequence of numbers, in LEB128 as encoding/binary has it, and of texts, each a number
// of bytes and the bytes. There are no names and no versions: the program that reads is the one that has written. It
// carries what JSON does not, since an environment may hold any bytes.

// maxDescription bounds a Description; Linux allows 6 MiB of arguments and environment at most (execve(2)).
const maxDescription = 8 << 20

// ErrDescription is the error of a Description that cannot be read.
var ErrDescription = errors.New("not a description of a process")

// codec reads or writes, by which one of its fields is set.
type codec struct {
	out     []byte
	in      []byte
	reading bool
	bad     bool
}

func (c *codec) number(n *uint64) {
	if !c.reading {
		c.out = binary.AppendUvarint(c.out, *n)
		return
	}
	v, size := binary.Uvarint(c.in)
	if size <= 0 {
		c.bad, c.in = true, nil
		return
	}
	*n, c.in = v, c.in[size:]
}

func (c *codec) text(s *string) {
	n := uint64(len(*s))
	c.number(&n)
	if !c.reading {
		c.out = append(c.out, *s...)
		return
	}
	if n > uint64(len(c.in)) {
		c.bad, c.in = true, nil
		return
	}
	*s, c.in = string(c.in[:n]), c.in[n:]
}

// list gives the number of elements. Each takes a byte at least, which bounds what is made for them.
func (c *codec) list(have int) int {
	n := uint64(have)
	c.number(&n)
	if c.reading && n > uint64(len(c.in)) {
		c.bad, c.in = true, nil
		return 0
	}
	return int(n)
}

func (c *codec) texts(list *[]string) {
	n := c.list(len(*list))
	if c.reading && n > 0 {
		*list = make([]string, n)
	}
	for i := range *list {
		c.text(&(*list)[i])
	}
}

func (c *codec) flag(b *bool) {
	var n uint64
	if *b {
		n = 1
	}
	c.number(&n)
	*b = n != 0
}

// integer is any type of whole numbers; negative ones go as their two's complement.
type integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func num[T integer](c *codec, v *T) {
	n := uint64(*v)
	c.number(&n)
	*v = T(n)
}

func each[T any](c *codec, list *[]T, code func(*codec, *T)) {
	n := c.list(len(*list))
	if c.reading && n > 0 {
		*list = make([]T, n)
	}
	for i := range *list {
		code(c, &(*list)[i])
	}
}
