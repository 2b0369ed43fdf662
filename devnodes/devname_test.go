package devnodes

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadModulesDevname(t *testing.T) {
	t.Parallel()
	entry := func(module, name string, typ Type, major, minor uint32) Node {
		return Node{Module: module, Name: name, Type: typ, Major: major, Minor: minor, Mode: 0o600}
	}
	tests := []struct {
		name, text string
		want       []Node
		wantErr    string // a part of the error; empty for none
	}{
		{name: "empty"},
		{name: "only the comment", text: "# Device nodes to trigger on-demand module loading.\n"},
		{name: "char and block", text: "fuse fuse c10:229\nx mapper/x b253:7\n", want: []Node{
			entry("fuse", "fuse", Char, 10, 229), entry("x", "mapper/x", Block, 253, 7)}},
		{name: "no end of line", text: "snd_seq snd/seq c116:1", want: []Node{entry("snd_seq", "snd/seq", Char, 116, 1)}},
		{name: "CRLF", text: "fuse fuse c10:229\r\n\r\n", want: []Node{entry("fuse", "fuse", Char, 10, 229)}},
		{name: "more after the entry", text: "fuse fuse c10:229 later\n", want: []Node{entry("fuse", "fuse", Char, 10, 229)}},
		{name: "largest number", text: "m n c4095:1048575\n", want: []Node{entry("m", "n", Char, 4095, 1048575)}},
		{name: "no colon", text: "fuse fuse c10\n", wantErr: "f:1: not an entry"},
		{name: "two fields", text: "# c\nfuse c10:229\n", wantErr: "f:2: not an entry"},
		{name: "other type", text: "fuse fuse p10:229\n", wantErr: "f:1: not an entry"},
		{name: "junk in the minor", text: "fuse fuse c10:229x\n", wantErr: `f:1: minor number "229x": invalid syntax`},
		{name: "negative major", text: "fuse fuse c-1:229\n", wantErr: `f:1: major number "-1": invalid syntax`},
		{name: "major of 13 bits", text: "fuse fuse c4096:229\n", wantErr: "major number 4096 is above 4095"},
		{name: "minor of 21 bits", text: "fuse fuse c10:1048576\n", wantErr: "minor number 1048576 is above 1048575"},
		{name: "number beyond 32 bits", text: "fuse fuse c10:4294967297\n", wantErr: "value out of range"},
		{name: "name that leaves /dev", text: "m ../etc/passwd c1:3\n", wantErr: "leads out of /dev"},
		{name: "name inside, then out", text: "m a/../../b c1:3\n", wantErr: "no path below /dev"},
		{name: "absolute name", text: "m /etc/passwd c1:3\n", wantErr: "no path below /dev"},
		{name: "name with a NUL", text: "m a\x00b c1:3\n", wantErr: "control character"},
		{name: "name as long as a page", text: "m " + strings.Repeat("n", 300) + " c1:3\n", wantErr: "300 bytes, above 255"},
		{name: "the rest goes on", text: "bad\nfuse fuse c10:229\n" + strings.Repeat("x", 1<<20) + "\nkvm kvm c10:232\n",
			want:    []Node{entry("fuse", "fuse", Char, 10, 229), entry("kvm", "kvm", Char, 10, 232)},
			wantErr: "f:3: line longer than 4096 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadModulesDevname(strings.NewReader(tt.text), "f")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("error %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestReadModulesDevnameMalformed(t *testing.T) {
	t.Parallel()
	_, err := ReadModulesDevname(strings.NewReader("one two\n"), "f")
	if !errors.Is(err, ErrMalformed) {
		t.Errorf("%v is not ErrMalformed", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestReadModulesDevnameReadError(t *testing.T) {
	t.Parallel()
	_, err := ReadModulesDevname(brokenReader{}, "f")
	if err == nil || err.Error() != "read f: disk on fire" {
		t.Errorf("error %v", err)
	}
}

// Whatever the text, the nodes that come back can be listed and read again.
func FuzzReadModulesDevname(f *testing.F) {
	debian, err := os.ReadFile("testdata/debian-6.1.devname")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(debian)
	f.Fuzz(func(t *testing.T, text []byte) {
		nodes, _ := ReadModulesDevname(strings.NewReader(string(text)), "f")
		var listed strings.Builder
		if err := WriteDevname(&listed, nodes); err != nil {
			t.Fatal(err)
		}
		again, err := ReadModulesDevname(strings.NewReader(listed.String()), "f")
		// A module named "#..." behind white space is the one entry that its
		// own listing turns into a comment.
		if err != nil || !strings.Contains(listed.String(), "#") && !cmp.Equal(nodes, again) {
			t.Errorf("%q: %v\n%s", text, err, cmp.Diff(nodes, again))
		}
		if _, err := Plan(nodes); err != nil && !errors.Is(err, ErrConflict) {
			t.Errorf("parsed nodes do not make a plan: %v", err)
		}
	})
}
