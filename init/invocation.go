package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"firn/init/internal/command"
	"firn/init/internal/log"
)

// The command line:
//
//	line    = { option } [ "--" ] [ CMD { ARG } ]
//	option  = "--boot" | "--system" PATH | "--grace" DURATION | "--log-level" LEVEL | "--help" | "-h" | "--version"
//
// An option's value may also follow "=". Options end at the first word that is none, so CMD's own are CMD's.
//
// When argv[0] is named init, the line is another: whoever calls that is a kernel, or a manager that was told to boot
// (as by systemd-nspawn --boot), and hands over words meant for any init, such as "single" or "quiet". Boot mode is
// then chosen already, the command comes only after "--", and words that are not known are reported and passed over:
// an init that refuses to start leaves a machine with a panic.

type mode int

const (
	commandMode mode = iota
	bootMode
	showHelp
	showVersion
)

// invocation is what a command line asks for.
type invocation struct {
	mode    mode
	system  string   // --system
	argv    []string // CMD and its arguments
	grace   time.Duration
	level   log.Level
	ignored []string // words that an init passes over
}

// errUsage marks errors that --help would have prevented.
var errUsage = errors.New("see firn-init --help")

// parseLine reads a command line. It is pure: whether it fits this process is for main to say.
func parseLine(argv []string) (invocation, error) {
	p := lineParser{inv: invocation{grace: command.DefaultGrace, level: log.Info}}
	if len(argv) > 0 {
		p.rest = argv[1:]
		p.byName = filepath.Base(argv[0]) == "init"
	}
	if p.byName {
		p.inv.mode = bootMode
	}
	if err := p.run(); err != nil {
		return invocation{}, err
	}
	inv := p.inv
	switch {
	case inv.mode == commandMode && inv.system != "":
		return invocation{}, fmt.Errorf("--system is for boot mode: give --boot too; %w", errUsage)
	case inv.mode == commandMode && len(inv.argv) == 0:
		return invocation{}, fmt.Errorf("no command given, nor --boot; %w", errUsage)
	}
	return inv, nil
}

type lineParser struct {
	inv    invocation
	rest   []string
	byName bool
}

func (p *lineParser) run() error {
	for len(p.rest) > 0 {
		word := p.rest[0]
		if word == "--" {
			p.inv.argv = p.rest[1:]
			return nil
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			if !p.byName {
				p.inv.argv = p.rest
				return nil
			}
			p.inv.ignored = append(p.inv.ignored, word)
			p.rest = p.rest[1:]
			continue
		}
		p.rest = p.rest[1:]
		if err := p.option(word); err != nil {
			if !p.byName {
				return fmt.Errorf("%w; %w", err, errUsage)
			}
			p.inv.ignored = append(p.inv.ignored, word)
		}
		if p.inv.mode == showHelp || p.inv.mode == showVersion {
			return nil
		}
	}
	return nil
}

func (p *lineParser) option(word string) error {
	name, value, given := strings.Cut(word, "=")
	take := func() (string, error) {
		if given {
			return value, nil
		}
		if len(p.rest) == 0 {
			return "", fmt.Errorf("option %s needs a value", name)
		}
		value, p.rest = p.rest[0], p.rest[1:]
		return value, nil
	}
	switch name {
	case "--system", "--grace", "--log-level":
		v, err := take()
		if err != nil {
			return err
		}
		return p.set(name, v)
	}
	if given {
		return fmt.Errorf("option %s takes no value, or is not known", name)
	}
	switch name {
	case "--boot":
		p.inv.mode = bootMode
	case "--help", "-h":
		p.inv.mode = showHelp
	case "--version":
		p.inv.mode = showVersion
	default:
		return fmt.Errorf("unknown option %s", word)
	}
	return nil
}

// maxGrace bounds --grace: whoever stops a container gives up after three minutes (DESIGN.md, contract 5).
const maxGrace = 90 * time.Second

func (p *lineParser) set(name, value string) (err error) {
	switch name {
	case "--system":
		if !filepath.IsAbs(value) {
			return fmt.Errorf("--system %q: no absolute path", value)
		}
		p.inv.system = value
	case "--grace":
		var grace time.Duration
		if grace, err = time.ParseDuration(value); err != nil || grace < 0 || grace > maxGrace {
			return fmt.Errorf("--grace %q: no duration from 0s to %s", value, maxGrace)
		}
		p.inv.grace = grace
	case "--log-level":
		level, err := log.ParseLevel(value)
		if err != nil {
			return fmt.Errorf("--log-level: %w", err)
		}
		p.inv.level = level
	}
	return nil
}
