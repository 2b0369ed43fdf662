package machineid

import (
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef"
	for _, text := range []string{id, id + "\n", "0123456789ABCDEF0123456789ABCDEF", "01234567-89ab-cdef-0123-456789abcdef\n"} {
		if got, err := Parse(text); err != nil || got != id {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "\n", "uninitialized\n", id[1:], id + "0", id + "\n\n", " " + id[1:], "00000000000000000000000000000000", "g" + id[1:], "0123456-789ab-cdef-0123-456789abcdef0"} {
		if got, err := Parse(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestFromRandom(t *testing.T) {
	t.Parallel()
	var all [16]byte
	for i := range all {
		all[i] = 0xff
	}
	if got := FromRandom(all); got != "ffffffffffff4fffbfffffffffffffff" {
		t.Errorf("got %s", got)
	}
	if got, err := Parse(FromRandom([16]byte{})); err != nil {
		t.Errorf("of zeros: %s, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("01234567-89ab-cdef-0123-456789abcdef\n")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := Parse(text)
		if again, e := Parse(id); err == nil && (e != nil || again != id) {
			t.Errorf("%q gives %q, which gives %q, %v", text, id, again, e)
		}
	})
}
