package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGetopt(t *testing.T) {
	t.Parallel()
	options := []option{{'a', "all", false, ""}, {'w', "wait", true, ""}, {0, "show-exports", false, ""}, {0, "show-modversions", false, ""}, {'n', "dry-run", false, ""}, {'n', "show", false, ""}}
	for _, tt := range []struct {
		args     []string
		found    []parsed
		operands []string
		problem  string
	}{
		{[]string{"-an", "x"}, []parsed{{"a", ""}, {"n", ""}}, []string{"x"}, ""},
		{[]string{"x", "-a", "y"}, []parsed{{"a", ""}}, []string{"x", "y"}, ""},
		{[]string{"-w5", "-aw", "6", "--wait=7", "--wait", "8"}, []parsed{{"w", "5"}, {"a", ""}, {"w", "6"}, {"w", "7"}, {"w", "8"}}, nil, ""},
		{[]string{"-a", "--", "-n", "--x"}, []parsed{{"a", ""}}, []string{"-n", "--x"}, ""},
		{[]string{"-", "--dry"}, []parsed{{"n", ""}}, []string{"-"}, ""},
		{[]string{"--show"}, []parsed{{"n", ""}}, nil, ""},
		{[]string{"--show-"}, nil, nil, "option '--show-' is ambiguous"},
		{[]string{"--show-e"}, []parsed{{"show-exports", ""}}, nil, ""},
		{[]string{"-z"}, nil, nil, "invalid option -- 'z'"},
		{[]string{"--nosuch"}, nil, nil, "unrecognized option '--nosuch'"},
		{[]string{"-w"}, nil, nil, "option requires an argument -- 'w'"},
		{[]string{"--wait"}, nil, nil, "option '--wait' requires an argument"},
		{[]string{"--all=x"}, nil, nil, "option '--all' doesn't allow an argument"},
	} {
		found, operands, problem := getopt(tt.args, options)
		if diff := cmp.Diff(tt.found, found, cmp.AllowUnexported(parsed{})); diff != "" || problem != tt.problem {
			t.Errorf("%v: %q (-want +got):\n%s", tt.args, problem, diff)
		}
		if diff := cmp.Diff(tt.operands, operands); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.args, diff)
		}
	}
}

func TestEnvironmentOptions(t *testing.T) {
	t.Setenv("MODPROBE_OPTIONS", `-C '/a b/c' -q "x y"z ''`)
	if diff := cmp.Diff([]string{"-C", "/a b/c", "-q", "x yz", ""}, environmentOptions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	m := &modprobe{program: &program{}}
	m.passOn([]parsed{{"C", "/it's"}, {"n", ""}, {"v", ""}})
	if diff := cmp.Diff([]string{"-C", "/it's", "-v"}, environmentOptions()); diff != "" {
		t.Errorf("passed on (-want +got):\n%s", diff)
	}
}

func TestJoinParameters(t *testing.T) {
	t.Parallel()
	for want, operands := range map[string][]string{
		`a=1 b="x y" c`: {"a=1", "b=x y", "c"}, `d="q r"`: {`d="q r"`}, "": nil, "b c": {"b c"},
	} {
		if got := joinParameters(operands); got != want {
			t.Errorf("%q: %s, want %s", operands, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	got := object(pair{"s", "a\"\\\n\x01é\xff"}, pair{"l", []string{"x", "y"}}, pair{"n", 1}, pair{"b", true}, pair{"r", rawJSON("[]")})
	want := `{"s": "a\"\\\n\u0001é` + "\uFFFD" + `", "l": ["x", "y"], "n": 1, "b": true, "r": []}`
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
