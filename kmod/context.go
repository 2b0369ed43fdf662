package kmod

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// Options say where a Context finds things. The zero value is the running system.
type Options struct {
	// Root is put before every default path: the configuration's directories,
	// /lib/modules, /sys and /proc. "" is "/".
	Root string
	// Release names the tree below Root/lib/modules; "" is the running kernel's.
	Release string
	// Trees are module directories, used instead of Root/lib/modules/Release.
	// Several are resolved as if merged, see Context.find for what wins.
	Trees []string
	// ConfigPaths are files or directories, used instead of ModprobeDirs, not
	// below Root.
	ConfigPaths []string
	// CommandLine is the kernel's, see KernelCommandLine.
	CommandLine string
}

// A Context answers questions about modules from trees and configuration, each
// opened when first needed. It may be used from several goroutines.
type Context struct {
	opts  Options
	trees []*Tree

	configOnce sync.Once
	config     *Config
}

// New makes a Context. It opens nothing, so it cannot fail.
func New(opts Options) *Context {
	c := &Context{opts: opts}
	dirs := opts.Trees
	if len(dirs) == 0 {
		release := opts.Release
		if release == "" {
			release = KernelRelease()
		}
		dirs = []string{strings.TrimSuffix(opts.Root, "/") + "/lib/modules/" + release}
	}
	for _, dir := range dirs {
		c.trees = append(c.trees, OpenTree(dir))
	}
	return c
}

// Close unmaps all indexes.
func (c *Context) Close() {
	for _, t := range c.trees {
		t.Close()
	}
}

// Trees returns the trees in order of precedence.
func (c *Context) Trees() []*Tree { return c.trees }

// Config returns the configuration: modprobe.d, each tree's modules.softdep and
// modules.weakdep (ordered among the files by their names, as kmod has it), then
// the kernel command line. A file that cannot be read becomes a Problem.
func (c *Context) Config() *Config {
	c.configOnce.Do(func() { c.config = c.readConfig() })
	return c.config
}

func (c *Context) readConfig() *Config {
	config := &Config{}
	root, paths := c.opts.Root, ModprobeDirs
	if len(c.opts.ConfigPaths) > 0 {
		root, paths = "", c.opts.ConfigPaths
	}
	files, err := ListConfFiles(root, paths)
	if err != nil {
		config.Problems = append(config.Problems, &LineError{File: strings.Join(paths, ":"), Msg: err.Error()})
	}
	inTree := map[string]bool{}
	for _, t := range c.trees {
		for _, name := range []string{"modules.softdep", "modules.weakdep"} {
			file := ConfFile{Name: name, Path: t.Dir + "/" + name}
			inTree[file.Path] = true
			// Stable: the first tree's file stays before the second's.
			i := len(files)
			for i > 0 && files[i-1].Name > name {
				i--
			}
			files = slices.Insert(files, i, file)
		}
	}
	for _, file := range files {
		under := root
		if inTree[file.Path] {
			under = ""
		}
		data, err := readIn(under, file.Path)
		switch {
		case err == nil:
			config.Parse(data, file.Path)
		case inTree[file.Path] && errors.Is(err, fs.ErrNotExist):
		default:
			config.Problems = append(config.Problems, &LineError{File: file.Path, Msg: errors.Unwrap(err).Error()})
		}
	}
	config.ParseCommandLine(c.opts.CommandLine)
	return config
}
