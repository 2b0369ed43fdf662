package kmod

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// BuiltinModinfo returns what a module in the kernel image says about itself,
// from modules.builtin.modinfo (Linux 5.2): a run of "MODULE.KEY=VALUE" strings.
func (c *Context) BuiltinModinfo(name string) (*Modinfo, error) {
	for _, t := range c.trees {
		file, err := mapFile(t.Dir + "/modules.builtin.modinfo")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read built-in modules: %w", err)
		}
		info := &Modinfo{}
		err = file.guard(func(data []byte) error {
			return eachBuiltin(data, func(module string, f Field) {
				if module == name {
					info.Fields = append(info.Fields, f)
				}
			})
		})
		file.Close()
		if err != nil || len(info.Fields) > 0 {
			return info, err
		}
	}
	return nil, fmt.Errorf("%w: nothing known of built-in %s", ErrNotFound, name)
}

// eachBuiltin calls yield for each entry of modules.builtin.modinfo.
func eachBuiltin(data []byte, yield func(module string, f Field)) error {
	eachModinfo(string(data), func(key, value string) {
		if module, key, ok := strings.Cut(key, "."); ok {
			yield(Normalize(module), Field{key, value})
		}
	})
	return nil
}
