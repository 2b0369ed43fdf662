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

// trees are the module directories, first the most important. Each -d names a
// root, as kmod has it, below which /lib/modules/RELEASE lies; or, where that
// does not exist, a module directory itself. KMOD_TREES holds more of them.
func (w *where) trees() []string {
	release := w.release
	if release == "" {
		release = kmod.KernelRelease()
	}
	names := w.dirnames
	if len(names) == 0 {
		names = []string{""}
		if trees := os.Getenv("KMOD_TREES"); trees != "" {
			names = strings.Split(trees, ":")
		}
	}
	var dirs []string
	for _, name := range names {
		dir := kmod.AbsPath(name) + "/lib/modules/" + release
		if len(names) > 1 && !kmod.IsDir(dir) || name != "" && !kmod.IsDir(dir) && kmod.IsTree(name) {
			dir = kmod.AbsPath(name)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

func (w *where) dirs() string { return strings.Join(w.trees(), ":") }

func (w *where) open() (*kmod.Context, error) {
	return kmod.New(kmod.Options{
		Trees:       w.trees(),
		ConfigPaths: w.configs,
		CommandLine: kmod.KernelCommandLine(""),
	}), nil
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
