package unitload

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"firn/init/internal/unit"
)

// Presets are a list of rules in files (systemd.preset(5)):
//
//	line = [ ( "enable" | "disable" ) pattern { instance } ] | ( "#" | ";" ) comment
//
// Files are taken in the order of their base names, of two with one name the first directory's; the first pattern that
// matches a unit decides, and a unit that none matches is enabled.

// Presets are the rules of a system.
type Presets []presetRule

type presetRule struct {
	enable    bool
	pattern   string
	instances []string
}

// ReadPresets reads the rules. Lines that are none are warnings.
func ReadPresets(fsys fs.FS) (Presets, []unit.Warning, error) {
	chosen := map[string]string{}
	for _, dir := range presetPath {
		entries, err := fs.ReadDir(fsys, dir[1:])
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("read presets: %w", err)
		}
		for _, e := range entries {
			if _, taken := chosen[e.Name()]; !taken && strings.HasSuffix(e.Name(), ".preset") {
				chosen[e.Name()] = path.Join(dir, e.Name())
			}
		}
	}
	var rules Presets
	var warnings []unit.Warning
	for _, base := range slices.Sorted(maps.Keys(chosen)) {
		if isNull(fsys, chosen[base]) {
			continue
		}
		list, problems, err := readPreset(fsys, chosen[base])
		if err != nil {
			return nil, nil, fmt.Errorf("read presets: %w", err)
		}
		rules, warnings = append(rules, list...), append(warnings, problems...)
	}
	return rules, warnings, nil
}

func readPreset(fsys fs.FS, name string) (rules Presets, warnings []unit.Warning, err error) {
	f, err := fsys.Open(name[1:])
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for number := 1; lines.Scan(); number++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0][0] == '#' || words[0][0] == ';' {
			continue
		}
		_, bad := path.Match(words[min(1, len(words)-1)], "")
		if len(words) < 2 || words[0] != "enable" && words[0] != "disable" || bad != nil {
			warnings = append(warnings, unit.Warning{File: name, Line: number, Text: "not a rule: enable or disable, and a pattern"})
			continue
		}
		rules = append(rules, presetRule{words[0] == "enable", words[1], words[2:]})
	}
	return rules, warnings, lines.Err()
}

// Enabled tells what the rules say of a unit, and for a template which instances.
func (p Presets) Enabled(name unit.Name) (enable bool, instances []string) {
	for _, rule := range p {
		if ok, _ := path.Match(rule.pattern, string(name)); ok {
			return rule.enable, rule.instances
		}
		if template := name.Template(); template != "" {
			if ok, _ := path.Match(rule.pattern, string(template)); ok && slices.Contains(rule.instances, name.Instance()) {
				return rule.enable, nil
			}
		}
	}
	return true, nil
}

// Preset plans what the rules say of units: links made, or removed.
func (l *Loader) Preset(rules Presets, names ...unit.Name) ([]Change, error) {
	var all []Change
	for _, n := range names {
		enable, instances := rules.Enabled(n)
		list := []unit.Name{n}
		if enable && n.IsTemplate() && len(instances) > 0 {
			list = nil
			for _, i := range instances {
				list = append(list, n.WithInstance(i))
			}
		}
		do := l.Disable
		if enable {
			do = l.Enable
		}
		changes, err := do(list...)
		if err != nil {
			return all, err
		}
		all = append(all, changes...)
	}
	return all, nil
}
