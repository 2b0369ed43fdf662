package calendar

import (
	"testing"
	"time"
)

func FuzzParse(f *testing.F) {
	for _, e := range events[:len(events)-1] {
		f.Add(e.text, int64(1_700_000_000))
	}
	f.Fuzz(func(t *testing.T, text string, seconds int64) {
		s, err := Parse(text)
		if err != nil {
			if s != nil {
				t.Error("a Spec beside an error")
			}
			return
		}
		again, err := Parse(s.String())
		if err != nil || again.String() != s.String() {
			t.Fatalf("%q is %q, which is %v, %v", text, s, again, err)
		}
		at := time.Unix(seconds%8e9, 0)
		next, ok := s.Next(at)
		if ok && !next.After(at) {
			t.Errorf("%q after %s: %s", text, at, next)
		}
		if other, okay := again.Next(at); okay != ok || !other.Equal(next) {
			t.Errorf("%q after %s: %s, its normal form %s", text, at, next, other)
		}
	})
}
