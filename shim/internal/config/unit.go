package config

import (
	"errors"
	"fmt"
	"strings"
)

// parseSlice checks a slice's unit name and adds the suffix where it is missing.
func parseSlice(s string) (string, error) {
	name := strings.TrimSuffix(s, ".slice")
	if name != "-" && (name == "" || name[0] == '-' || name[len(name)-1] == '-' || strings.Contains(name, "--")) {
		return "", errors.New("not a slice name")
	}
	for _, c := range []byte(name) {
		if !isNameByte(c) && !strings.ContainsRune(`_:.\`, rune(c)) {
			return "", fmt.Errorf("not a slice name: character %q", printable(string(rune(c))))
		}
	}
	if len(name) > 249 {
		return "", errors.New("unit name longer than 255 characters")
	}
	return name + ".slice", nil
}

// setProperty takes NAME=VALUE as systemctl(1) set-property does. The service
// manager knows the names.
func setProperty(b *build, value string, from Origin) error {
	name, v, ok := strings.Cut(value, "=")
	if !ok || name == "" || strings.IndexFunc(name, func(r rune) bool { return r > 0x7f || !isLetter(byte(r)) && (r < '0' || r > '9') }) >= 0 {
		return errors.New("not of the form NAME=VALUE")
	}
	if !isText(v) {
		return errControl
	}
	b.c.Unit.Properties = append(b.c.Unit.Properties, Property{Name: name, Value: v, From: from})
	return nil
}
