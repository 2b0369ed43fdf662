package kmod

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// A kernel's configuration (.config, /proc/config.gz):
//
//	CONFIG_NAME=y | m | "text" | number
//	# CONFIG_NAME is not set
//
// and a list of what must hold, one requirement a line, '#' starts a comment:
//
//	(isYes | isNo | isModule | isEnabled | isDisabled) NAME [NOTE...]
//
// isEnabled is yes or module, isDisabled is no or not mentioned at all, which is
// how options look whose own conditions are not met. isNo wants it mentioned.

// A KernelConfig maps NAME, without CONFIG_, to its value; "n" if not set.
type KernelConfig map[string]string

// ParseKernelConfig reads a configuration.
func ParseKernelConfig(data []byte) KernelConfig {
	config := KernelConfig{}
	_ = eachLine(data, func(_ int, line string) error {
		if name, ok := strings.CutPrefix(line, "# CONFIG_"); ok {
			if name, ok = strings.CutSuffix(name, " is not set"); ok {
				config[name] = "n"
			}
			return nil
		}
		if name, value, ok := strings.Cut(line, "="); ok {
			if name, ok = strings.CutPrefix(name, "CONFIG_"); ok {
				config[name] = value
			}
		}
		return nil
	})
	return config
}

// FindKernelConfig reads the configuration of a kernel: the running one's own
// account if release is "" or it, else the file beside its image or its tree.
func FindKernelConfig(root, release string) (KernelConfig, string, error) {
	paths := []string{}
	if running := KernelRelease(); release == "" || release == running {
		release = running
		paths = append(paths, "/proc/config.gz")
	}
	paths = append(paths, "/boot/config-"+release, "/lib/modules/"+release+"/config", "/lib/modules/"+release+"/build/.config",
		"/run/booted-system/kernel-modules/config")
	for _, path := range paths {
		data, err := readIn(root, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", err
		}
		config, err := unpackKernelConfig(data, path)
		return config, path, err
	}
	return nil, "", fmt.Errorf("find the configuration of kernel %s: none of %s is there", release, strings.Join(paths, ", "))
}

// ReadKernelConfig reads one file, packed or not.
func ReadKernelConfig(path string) (KernelConfig, error) {
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return unpackKernelConfig(data, path)
}

func unpackKernelConfig(data []byte, path string) (KernelConfig, error) {
	if c := compressionOf(data); c != plain {
		var err error
		if data, err = decompress(c, data, nil); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", path, err)
		}
	}
	return ParseKernelConfig(data), nil
}

// A Requirement is one line of a list.
type Requirement struct {
	Kind   string // "isYes" ...
	Name   string
	Note   string
	Origin Origin
}

// requirementKinds say what each wants and when it holds; the value is "" if the
// option is not mentioned.
var requirementKinds = map[string]struct {
	wants string
	holds func(value string) bool
}{
	"isYes":      {"y", func(v string) bool { return v == "y" }},
	"isNo":       {"n", func(v string) bool { return v == "n" }},
	"isModule":   {"m", func(v string) bool { return v == "m" }},
	"isEnabled":  {"y or m", func(v string) bool { return v == "y" || v == "m" }},
	"isDisabled": {"n or nothing", func(v string) bool { return v == "n" || v == "" }},
}

// ParseRequirements reads a list. What it cannot read is an error with its line;
// a requirement that is skipped would be one that seems to hold.
func ParseRequirements(data []byte, file string) ([]Requirement, error) {
	var list []Requirement
	var errs []error
	_ = eachLine(data, func(n int, line string) error {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			return nil
		}
		if _, ok := requirementKinds[words[0]]; !ok {
			errs = append(errs, &LineError{file, n, "unknown requirement \"" + words[0] + "\" (isYes, isNo, isModule, isEnabled or isDisabled)"})
			return nil
		}
		if len(words) < 2 {
			errs = append(errs, &LineError{file, n, words[0] + " without an option"})
			return nil
		}
		list = append(list, Requirement{words[0], strings.TrimPrefix(words[1], "CONFIG_"), strings.Join(words[2:], " "), Origin{file, n}})
		return nil
	})
	return list, errors.Join(errs...)
}

// Wants is what a requirement asks for, in words.
func (r Requirement) Wants() string { return requirementKinds[r.Kind].wants }

// Holds compares with a configuration and returns what that has.
func (r Requirement) Holds(config KernelConfig) (holds bool, has string) {
	value, ok := config[r.Name]
	if !ok {
		return requirementKinds[r.Kind].holds(""), "nothing"
	}
	return requirementKinds[r.Kind].holds(value), value
}
