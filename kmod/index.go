package kmod

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"
)

// An Index is one of a tree's lookup tables: modules.dep, alias, symbols,
// builtin or builtin.alias. It is opened on first use, from the binary file
// that depmod writes or, where only that is missing, from its text sibling.
// A tree without either has an empty Index.
type Index struct {
	base string // path without ".bin"
	text func(line string, add func(key, value string))

	once sync.Once
	file *mapping
	trie *trie
	err  error
}

func (x *Index) open() error {
	x.once.Do(func() {
		x.file, x.err = mapFile(x.base + ".bin")
		if errors.Is(x.err, fs.ErrNotExist) {
			x.trie, x.err = x.openText()
			return
		}
		if x.err == nil && len(x.file.data) > 0 { // empty: depmod had nothing to write
			x.err = x.file.guard(func(data []byte) (err error) {
				x.trie, err = parseTrie(data)
				return err
			})
		}
		if x.err != nil {
			x.err = fmt.Errorf("read index %s.bin: %w", x.base, x.err)
		}
	})
	return x.err
}

// openText builds in memory what depmod would have written for the text file.
func (x *Index) openText() (*trie, error) {
	if x.text == nil {
		return nil, nil
	}
	file, err := mapFile(x.base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read index %s: %w", x.base, err)
	}
	defer file.Close()
	var b trieBuilder
	err = file.guard(func(data []byte) error {
		return eachLine(data, func(n int, line string) error {
			x.text(line, func(key, value string) { b.insert(key, value, uint32(n)) })
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read index %s: %w", x.base, err)
	}
	return parseTrie(b.bytes())
}

// use runs read on the trie, if there is one, and survives a file that is cut
// off meanwhile.
func (x *Index) use(read func(*trie) error) error {
	if err := x.open(); err != nil || x.trie == nil {
		return err
	}
	var err error
	if x.file == nil {
		err = read(x.trie)
	} else {
		err = x.file.guard(func([]byte) error { return read(x.trie) })
	}
	if err != nil {
		return fmt.Errorf("read index %s.bin: %w", x.base, err)
	}
	return nil
}

// Lookup returns the first value under exactly this key.
func (x *Index) Lookup(key string) (value string, found bool, err error) {
	err = x.use(func(t *trie) error {
		return t.search(key, func(v Value) bool {
			value, found = v.Text, true
			return false
		})
	})
	return value, found, err
}

// Glob returns the values of all keys that match name as globs. Lower priority
// comes first; among equals the one found later, as libkmod has it.
func (x *Index) Glob(name string) (values []Value, err error) {
	err = x.use(func(t *trie) error {
		return t.searchGlob(name, func(v Value) bool {
			values = insertValue(values, v)
			return true
		})
	})
	return values, err
}

// Walk visits every entry in key order until yield returns false.
func (x *Index) Walk(yield func(key string, v Value) bool) error {
	return x.use(func(t *trie) error { return t.walk(yield) })
}

// Close unmaps the file. The Index must not be in use.
func (x *Index) Close() {
	if x.file != nil {
		x.file.Close()
	}
}

// insertValue keeps values sorted by priority, a new one before its equals.
func insertValue(values []Value, v Value) []Value {
	i := 0
	for i < len(values) && values[i].Priority < v.Priority {
		i++
	}
	values = append(values, Value{})
	copy(values[i+1:], values[i:])
	values[i] = v
	return values
}

// eachLine calls yield for each line, numbered from 1, without its end (LF or
// CRLF). A last line without LF counts.
func eachLine(data []byte, yield func(n int, line string) error) error {
	for n := 1; len(data) > 0; n++ {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		if err := yield(n, string(bytes.TrimSuffix(line, []byte{'\r'}))); err != nil {
			return err
		}
	}
	return nil
}
