package config

import (
	"errors"
	"strings"
	"unicode/utf8"

	"firn/init/unitfile"
)

// setVariable takes NAME=VALUE, or NAME for the variable of the caller's own
// environment, which is empty where the caller has none.
func setVariable(b *build, value string, from Origin) error {
	name, v, ok := strings.Cut(value, "=")
	if !ok {
		if b.caller.LookupEnv != nil {
			v, _ = b.caller.LookupEnv(name)
		}
	}
	return b.assign(name, v, from)
}

// setVariables takes the quoted list of assignments that Environment= holds.
func setVariables(b *build, value string, from Origin) error {
	list, err := unitfile.ExtractWords(value, "", unitfile.Unquote|unitfile.RetainEscape)
	if err != nil {
		return err
	}
	for _, a := range list {
		name, v, ok := strings.Cut(a, "=")
		if !ok {
			return errors.New("not of the form NAME=VALUE")
		}
		if err := b.assign(name, v, from); err != nil {
			return err
		}
	}
	return nil
}

// assign sets a variable; an earlier assignment of the same name keeps its
// place in the order.
func (b *build) assign(name, value string, from Origin) error {
	if !isVariableName(name) {
		return errors.New("not the name of an environment variable")
	}
	if !isVariableValue(value) {
		return errors.New("value is not UTF-8")
	}
	v := Variable{Name: name, Value: value, From: from}
	for i := range b.c.Exec.Environment {
		if b.c.Exec.Environment[i].Name == name {
			b.c.Exec.Environment[i] = v
			return nil
		}
	}
	b.c.Exec.Environment = append(b.c.Exec.Environment, v)
	return nil
}

func isVariableName(s string) bool {
	for i, c := range []byte(s) {
		if !isLetter(c) && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// isVariableValue allows control characters: terminal sequences are common in
// variables for shells and pagers.
func isVariableValue(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}
