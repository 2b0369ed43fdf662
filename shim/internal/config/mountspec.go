package config

import (
	"errors"
	"fmt"
	"strings"

	"firn/init/unitfile"
)

// Grammar of mount arguments (systemd-nspawn(1), Mount Options). A backslash
// protects the character after it, so "\:" is a colon within a path:
//
//	bind         = source [ ":" target [ ":" options ] ]
//	tmpfs        = target [ ":" mount options, raw ]
//	overlay      = source { ":" source } ":" target      two paths: the second is
//	                                                     upper directory and target
//	inaccessible = target, no escapes
//	source       = "" (temporary) | "+" absolute path in the root | path of the host

// splitPaths takes a mount argument apart at colons that are not protected.
const splitPaths = unitfile.KeepEmpty

func (b *build) source(s string) (Source, error) {
	if s == "" {
		return Source{Base: FromTemp}, nil
	}
	if inRoot, ok := strings.CutPrefix(s, "+"); ok {
		p, err := containerPath(inRoot)
		return Source{Base: FromRoot, Path: p}, err
	}
	p, err := b.hostPath(s)
	return Source{Base: FromHost, Path: p}, err
}

// bind makes the setter of --bind= and --bind-ro=.
func bind(readOnly bool) setter {
	return func(b *build, value string, from Origin) error {
		words := unitfile.NewWords(value, ":", splitPaths)
		source, _, err := words.Next()
		if err != nil {
			return err
		}
		target, given, err := words.Next()
		if err != nil {
			return err
		}
		if !given {
			target = strings.TrimPrefix(source, "+")
		}
		m := Mount{Kind: MountBind, ReadOnly: readOnly, From: from}
		src, err := b.source(source)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		m.Sources = []Source{src}
		if m.Target, err = mountTarget(target); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		if options, more := words.Rest(); more {
			if err := m.bindOptions(options); err != nil {
				return err
			}
		}
		b.c.Mounts = append(b.c.Mounts, m)
		return nil
	}
}

var bindOptionNames = []string{"rbind", "norbind", "idmap", "noidmap", "rootidmap", "owneridmap"}

// bindOptions reads the comma-separated options; the last of a kind counts.
func (m *Mount) bindOptions(s string) error {
	for o := range strings.SplitSeq(s, ",") {
		switch o {
		case "":
		case "rbind":
			m.Flat = false
		case "norbind":
			m.Flat = true
		case "noidmap":
			m.IDMap = IDMapNone
		case string(IDMapFull), string(IDMapRoot), string(IDMapOwner):
			m.IDMap = IDMapMode(o)
		default:
			return fmt.Errorf("unknown bind option %q%s", printable(o), didYouMean(o, bindOptionNames))
		}
	}
	return nil
}

func setTmpfs(b *build, value string, from Origin) error {
	words := unitfile.NewWords(value, ":", splitPaths)
	target, _, err := words.Next()
	if err != nil {
		return err
	}
	m := Mount{Kind: MountTmpfs, From: from}
	if m.Target, err = mountTarget(target); err != nil {
		return err
	}
	m.Options, _ = words.Rest()
	if !isText(m.Options) {
		return errControl
	}
	b.c.Mounts = append(b.c.Mounts, m)
	return nil
}

// overlay makes the setter of --overlay= and --overlay-ro=.
func overlay(readOnly bool) setter {
	return func(b *build, value string, from Origin) error {
		paths, err := unitfile.ExtractWords(value, ":", splitPaths)
		if err != nil {
			return err
		}
		if len(paths) < 2 {
			return errors.New("an overlay needs at least two paths")
		}
		target := paths[len(paths)-1]
		sources := paths[:len(paths)-1]
		if len(paths) == 2 {
			sources = paths
		}
		m := Mount{Kind: MountOverlay, ReadOnly: readOnly, From: from}
		for i, s := range sources {
			if s == "" && i < len(sources)-1 {
				return errors.New("only the uppermost directory may be left empty")
			}
			src, err := b.source(s)
			if err != nil {
				return fmt.Errorf("source %s: %w", printable(s), err)
			}
			m.Sources = append(m.Sources, src)
		}
		if len(paths) == 2 {
			target = m.Sources[1].Path // the upper directory, made absolute
		}
		if m.Target, err = mountTarget(target); err != nil {
			return fmt.Errorf("target: %w", err)
		}
		b.c.Mounts = append(b.c.Mounts, m)
		return nil
	}
}

func setInaccessible(b *build, value string, from Origin) error {
	target, err := mountTarget(value)
	if err != nil {
		return err
	}
	b.c.Mounts = append(b.c.Mounts, Mount{Kind: MountInaccessible, Target: target, From: from})
	return nil
}
