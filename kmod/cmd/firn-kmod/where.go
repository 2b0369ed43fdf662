package main

import (
	"io/fs"
	"os"
	"strings"

	"firn/kmod"
)

// where says which trees and which configuration a tool works on.
type where struct {
	dirnames []string // -d
	release  string   // -S, -k
	configs  []string // -C
}

var errNoFile = fs.ErrNotExist

// option takes the options that tools share.
func (w *where) option(o parsed) error {
	switch o.key {
	case "d", "b":
		w.dirnames = append(w.dirnames, o.value)
	case "S", "k":
		w.release = o.value
	case "C":
		w.configs = append(w.configs, o.value)
	}
	return nil
}

// treesFile lists module trees for all tools: one directory a line, '#' starts a
// comment, %r stands for the kernel's release.
const treesFile = "/etc/kmod-trees"

// trees are the module directories, first the most important: those of -d, of
// KMOD_TREES=DIR:DIR, or of treesFile. Each names a root, as kmod has it, below
// which lib/modules/RELEASE lies, or a module directory itself.
func (w *where) trees() []string {
	release := w.release
	if release == "" {
		release = kmod.KernelRelease()
	}
	names := w.dirnames
	if trees := os.Getenv("KMOD_TREES"); len(names) == 0 && trees != "" {
		names = strings.Split(trees, ":")
	}
	if len(names) == 0 {
		names = configuredTrees(release)
	}
	if len(names) == 0 {
		names = []string{""}
	}
	var dirs []string
	for _, name := range names {
		dir := kmod.AbsPath(name) + moduleDir + "/" + release
		if name != "" && !kmod.IsDir(dir) && kmod.IsTree(name) {
			dir = kmod.AbsPath(name)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

func configuredTrees(release string) (names []string) {
	data, err := kmod.ReadFile(treesFile)
	if err != nil {
		return nil
	}
	for _, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			names = append(names, strings.ReplaceAll(line, "%r", release))
		}
	}
	return names
}

func (w *where) dirs() string { return strings.Join(w.trees(), ":") }

func (w *where) open() *kmod.Context {
	return kmod.New(kmod.Options{
		Trees:       w.trees(),
		ConfigPaths: w.configs,
		CommandLine: kmod.KernelCommandLine(""),
	})
}

// environmentOptions reads MODPROBE_OPTIONS: words, quoted where need be, which
// go before the command line's own.
func environmentOptions() []string {
	var words []string
	var word []byte
	var quote byte
	inWord := false
	for _, c := range []byte(os.Getenv("MODPROBE_OPTIONS")) {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				words, word, inWord = append(words, string(word)), nil, false
			}
		default:
			word, inWord = append(word, c), true
		}
	}
	if inWord {
		words = append(words, string(word))
	}
	return words
}

// passOn leaves -C, -q, -s and -v in MODPROBE_OPTIONS for the modprobes that
// install and remove commands start.
func (m *modprobe) passOn(found []parsed) {
	var words []string
	for _, o := range found {
		switch o.key {
		case "C":
			words = append(words, "-C", "'"+strings.ReplaceAll(kmod.AbsPath(o.value), "'", `'"'"'`)+"'")
		case "q", "s", "v":
			words = append(words, "-"+o.key)
		}
	}
	if len(words) > 0 {
		_ = os.Setenv("MODPROBE_OPTIONS", strings.Join(words, " "))
	}
}
