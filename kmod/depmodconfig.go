package kmod

import (
	"regexp"
	"strings"
)

// depmod.d(5), one command a line, '\' joins lines, '#' starts a comment line:
//
//	search DIR...                      which of two modules with one name counts:
//	                                   that in the directory named first; "built-in"
//	                                   stands for all not named, "external" for those
//	                                   of external
//	override MODULE RELEASE|* DIR      this one counts whatever search says
//	external RELEASE|* /DIR...         directories outside of the tree
//	exclude DIR                        directories not to be entered
//
// RELEASE is a POSIX extended regular expression.

// A DepmodConfig is the sum of depmod.d's files.
type DepmodConfig struct {
	Search    []string
	Overrides []DepmodOverride
	External  []DepmodExternal
	Exclude   []string
	Problems  []*LineError
}

// A DepmodOverride makes DIR's module win for some kernels.
type DepmodOverride struct {
	Name, Release, Dir string
	Origin             Origin
}

// A DepmodExternal adds a directory for some kernels.
type DepmodExternal struct {
	Release, Dir string
	Origin       Origin
}

// Parse adds one file's commands; lines that make no sense go to Problems.
func (c *DepmodConfig) Parse(data []byte, file string) {
	for n := 1; len(data) > 0; {
		line, next, lines := logicalLine(data)
		if line != "" && line[0] != '#' {
			c.command(strings.Fields(line), Origin{file, n})
		}
		data, n = next, n+lines
	}
}

func (c *DepmodConfig) command(words []string, at Origin) {
	if len(words) == 0 || words[0][0] == '#' {
		return
	}
	args := words[1:]
	switch {
	case words[0] == "search" && len(args) > 0:
		c.Search = append(c.Search, args...)
	case words[0] == "override" && len(args) == 3:
		c.Overrides = append(c.Overrides, DepmodOverride{Normalize(args[0]), args[1], args[2], at})
	case words[0] == "external" && len(args) > 1:
		for _, dir := range args[1:] {
			c.External = append(c.External, DepmodExternal{args[0], dir, at})
		}
	case words[0] == "exclude" && len(args) > 0:
		c.Exclude = append(c.Exclude, args...)
	case words[0] == "make_map_files":
		// Of module-init-tools; kmod takes and ignores it.
	case words[0] == "search", words[0] == "override", words[0] == "external", words[0] == "exclude":
		c.Problems = append(c.Problems, &LineError{at.File, at.Line, words[0] + " with the wrong number of arguments"})
	default:
		c.Problems = append(c.Problems, &LineError{at.File, at.Line, "unknown command \"" + words[0] + "\""})
	}
}

// search is the order that counts: "updates built-in" unless configured.
func (c *DepmodConfig) search() []string {
	if len(c.Search) == 0 {
		return []string{"updates", "built-in"}
	}
	return c.Search
}

// matchRelease compares a kernel's release with a pattern of depmod.d.
func matchRelease(pattern, release string) bool {
	if pattern == "*" {
		return true
	}
	re, err := regexp.CompilePOSIX(pattern)
	return err == nil && re.MatchString(release)
}

// externals are the external directories for a release.
func (c *DepmodConfig) externals(release string) (dirs []string) {
	for _, e := range c.External {
		if matchRelease(e.Release, release) {
			dirs = append(dirs, e.Dir)
		}
	}
	return dirs
}

// A priority ranks files with one module name: the lower one counts. The name
// within the tree, relPath, is absolute for an external directory.
func (c *DepmodConfig) priority(name, relPath, release string, externals []string) int {
	for _, o := range c.Overrides {
		if o.Name == name && matchRelease(o.Release, release) && inDirectory(relPath, o.Dir) && !strings.Contains(relPath[len(o.Dir)+1:], "/") {
			return -1
		}
	}
	rest := len(c.search())
	for i, dir := range c.search() {
		switch dir {
		case "built-in":
			rest = i
		case "external":
			for _, external := range externals {
				if inDirectory(relPath, external) {
					return i
				}
			}
		default:
			if inDirectory(relPath, dir) {
				return i
			}
		}
	}
	return rest
}

func inDirectory(path, dir string) bool {
	return len(path) > len(dir) && path[len(dir)] == '/' && path[:len(dir)] == dir
}
