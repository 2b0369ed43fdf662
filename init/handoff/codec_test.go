package handoff

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

const bootID = "0123456789abcdef0123456789abcdef"

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	messages := []Message{
		{Type: Hello, ID: 1, Boot: bootID, Mode: BootMode, Minor: 3},
		{Type: Ready},
		{Type: Status, Text: "starting 3 of 7 ⏳"},
		{Type: Halt, ID: 7},
		{Type: Reload, ID: 8, System: "/nix/store/abc-nixos-system-demo"},
		{Type: LoadModule, ID: 2, Module: "pci:v00001AF4d00001000sv*"},
		{Type: Exit, Exit: &ExitStatus{Code: 7}, Action: "poweroff"},
		{Type: Exit, Exit: &ExitStatus{Signal: 9}, Action: "exit"},
		{Type: Error, ID: 8, Code: Busy, Text: "halting"},
		{Type: "later", ID: 9},
	}
	var stream bytes.Buffer
	for _, m := range messages {
		if err := Write(&stream, m); err != nil {
			t.Fatalf("Write(%s): %v", m.Type, err)
		}
	}
	if n := bytes.Count(stream.Bytes(), []byte("\n")); n != len(messages) {
		t.Fatalf("%d lines for %d messages", n, len(messages))
	}
	r := NewReader(&stream)
	for _, want := range messages {
		got, err := r.Read()
		want.V = Major
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Read: %+v, %v, want %+v", got, err, want)
		}
	}
	if _, err := r.Read(); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	long := `{"v":1,"type":"status","text":"` + strings.Repeat("x", MaxLine) + `"}` + "\n"
	tests := map[string]struct {
		in   string
		want error
		typ  Type
		id   uint64
	}{
		"newer minor, unknown member": {in: `{"v":1,"type":"ready","colour":[1,{"a":2}]}` + "\n", typ: Ready},
		"unknown type":                {in: `{"v":1,"type":"snapshot","id":4}` + "\n", typ: "snapshot", id: 4},
		"empty lines":                 {in: "\n\r\n" + `{"v":1,"type":"ready"}` + "\r\n", typ: Ready},
		"nothing":                     {in: "", want: io.EOF},
		"cut short":                   {in: `{"v":1,"type":"rea`, want: io.ErrUnexpectedEOF},
		"no line end":                 {in: `{"v":1,"type":"ready"}`, want: io.ErrUnexpectedEOF},
		"no object":                   {in: "[1]\n", want: ErrGarbage},
		"null":                        {in: "null\n", want: ErrGarbage},
		"two objects":                 {in: `{"v":1,"type":"ready"}{"v":1,"type":"ready"}` + "\n", want: ErrGarbage},
		"no version":                  {in: `{"type":"ready"}` + "\n", want: ErrGarbage},
		"no type":                     {in: `{"v":1}` + "\n", want: ErrGarbage},
		"type of another kind":        {in: `{"v":1,"type":5}` + "\n", want: ErrGarbage},
		"newer major":                 {in: `{"v":2,"type":["any","shape"]}` + "\n", want: ErrVersion},
		"negative id":                 {in: `{"v":1,"type":"halt","id":-1}` + "\n", want: ErrGarbage},
		"too long":                    {in: long, want: ErrTooLong},
		"too long, no end":            {in: strings.Repeat("{", MaxLine+1), want: ErrTooLong},
		"hello without boot id":       {in: `{"v":1,"type":"hello","id":3,"mode":"boot"}` + "\n", want: ErrMember, typ: Hello, id: 3},
		"boot id not hex":             {in: `{"v":1,"type":"hello","boot":"` + strings.Repeat("g", 32) + `","mode":"boot"}` + "\n", want: ErrMember, typ: Hello},
		"relative system":             {in: `{"v":1,"type":"reload","id":5,"system":"x"}` + "\n", want: ErrMember, typ: Reload, id: 5},
		"module as option":            {in: `{"v":1,"type":"load-module","id":6,"module":"--remove"}` + "\n", want: ErrMember, typ: LoadModule, id: 6},
		"module as path":              {in: `{"v":1,"type":"load-module","id":6,"module":"../x"}` + "\n", want: ErrMember, typ: LoadModule, id: 6},
		"two modules":                 {in: `{"v":1,"type":"load-module","id":6,"module":"a b"}` + "\n", want: ErrMember, typ: LoadModule, id: 6},
		"exit without status":         {in: `{"v":1,"type":"exit"}` + "\n", want: ErrMember, typ: Exit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := NewReader(strings.NewReader(tt.in)).Read()
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if m.Type != tt.typ || m.ID != tt.id {
				t.Errorf("got %+v, want type %q id %d", m, tt.typ, tt.id)
			}
		})
	}
}

func TestTextIsPlain(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	in := `{"v":1,"type":"status","text":"a\u001b[2Jb\nc\u202ed"}` + "\n"
	m, err := NewReader(strings.NewReader(in)).Read()
	if err != nil || strings.ContainsAny(m.Text, "\x1b\n\u202e") || !strings.HasPrefix(m.Text, "a") {
		t.Errorf("read %q, %v", m.Text, err)
	}
	if err := Write(&b, Message{Type: Status, Text: "x\ny\x00z\xff"}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.Count(got, "\n") != 1 || strings.Contains(got, `\n`) || strings.Contains(got, `\u0000`) {
		t.Errorf("wrote %q", got)
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	for want, m := range map[error]Message{
		ErrMember:  {Type: Reload, System: "relative"},
		ErrTooLong: {Type: Status, Text: strings.Repeat("x", MaxLine)},
	} {
		var b bytes.Buffer
		if err := Write(&b, m); !errors.Is(err, want) || b.Len() != 0 {
			t.Errorf("Write(%s): %v with %d bytes written, want %v", m.Type, err, b.Len(), want)
		}
	}
}

// FuzzRead: whatever comes in, no panic, and what is understood can be said again and is understood the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"v":1,"type":"hello","id":1,"boot":"` + bootID + `","mode":"boot"}` + "\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in))
		for {
			m, err := r.Read()
			if errors.Is(err, ErrMember) {
				continue
			}
			if err != nil {
				return
			}
			var b bytes.Buffer
			if err := Write(&b, m); err != nil {
				if errors.Is(err, ErrTooLong) {
					continue // escapes and U+FFFD may take more bytes than what came in
				}
				t.Fatalf("Write(%+v): %v", m, err)
			}
			again, err := NewReader(&b).Read()
			if err != nil || !reflect.DeepEqual(again, m) {
				t.Fatalf("again: %+v, %v, want %+v", again, err, m)
			}
		}
	})
}
