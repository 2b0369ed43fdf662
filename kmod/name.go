package kmod

import "strings"

// Normalize writes '-' as '_', as the kernel does with module names, but leaves
// the inside of a [...] glob alone: "usb:v0[0-9]-x" becomes "usb:v0[0-9]_x".
func Normalize(alias string) string {
	i := strings.IndexByte(alias, '-')
	if i < 0 {
		return alias
	}
	b := []byte(alias)
	inBrackets := false
	for i, c := range b {
		switch {
		case c == '[':
			inBrackets = true
		case c == ']':
			inBrackets = false
		case c == '-' && !inBrackets:
			b[i] = '_'
		}
	}
	return string(b)
}

// NameOfPath is the module's name as the kernel will know it: the file's base
// name up to its first dot, normalized. "kernel/net/nf-x.ko.xz" is "nf_x".
func NameOfPath(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	if i := strings.IndexByte(base, '.'); i >= 0 {
		base = base[:i]
	}
	return strings.ReplaceAll(base, "-", "_")
}

// moduleSuffixes are the file name endings that a module can have. Only depmod
// goes by them; a file's compression is read from its first bytes.
var moduleSuffixes = []string{".ko", ".ko.gz", ".ko.xz", ".ko.zst"}

// isModuleFile says whether depmod takes a file of this name for a module.
func isModuleFile(name string) bool {
	i := strings.LastIndex(name, ".ko")
	if i <= 0 {
		return false
	}
	for _, suffix := range moduleSuffixes {
		if name[i:] == suffix {
			return true
		}
	}
	return false
}
