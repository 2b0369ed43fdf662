package calendar

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// events are expressions with their normal forms, those of systemd.time(7) among them; "" is an error.
var events = []struct{ text, want string }{
	{"Sat,Thu,Mon..Wed,Sat..Sun", "Mon..Thu,Sat,Sun *-*-* 00:00:00"},
	{"Mon,Sun 12-*-* 2,1:23", "Mon,Sun 2012-*-* 01,02:23:00"},
	{"Wed *-1", "Wed *-*-01 00:00:00"},
	{"Wed..Wed,Wed *-1", "Wed *-*-01 00:00:00"},
	{"Wed, 17:48", "Wed *-*-* 17:48:00"},
	{"Wed..Sat,Tue 12-10-15 1:2:3", "Tue..Sat 2012-10-15 01:02:03"},
	{"*-*-7 0:0:0", "*-*-07 00:00:00"},
	{"10-15", "*-10-15 00:00:00"},
	{"12,14,13,12:20,10,30", "*-*-* 12,13,14:10,20,30:00"},
	{"mon,fri *-1/2-1,3 *:30:45", "Mon,Fri *-01/2-01,03 *:30:45"},
	{"05:40:23.4200004/3.1700005", "*-*-* 05:40:23.420000/3.170001"},
	{"2003-02..04-05", "2003-02..04-05 00:00:00"},
	{"weekly Pacific/Auckland", "Mon *-*-* 00:00:00 Pacific/Auckland"},
	{"*:2/3", "*-*-* *:02/3:00"},
	{"semi-annually", "*-01,07-01 00:00:00"},
	{"Daily UTC", "*-*-* 00:00:00 UTC"},
	{"@1700000000", "2023-11-14 22:13:20 UTC"},
	{"*-02~03..05", "*-02~03..05 00:00:00"},
	{"*-*~*", "*-*-* 00:00:00"},
	{"Mon..Sun", "*-*-* 00:00:00"},
	{"*-*-1..10/4", "*-*-01..09/4 00:00:00"},
	{"*:30..30", "*-*-* *:30:00"},
	{"0,70-1-1", "1970,2000-01-01 00:00:00"},
	{"*:*:*", "*-*-* *:*:*"},
	{"*-*-* ", "*-*-* 00:00:00"},
	{"", ""}, {" ", ""}, {"UTC", ""}, {" UTC", ""}, {"*", ""}, {"5", ""}, {" Mon", ""}, {"5:5 ", ""}, {"daily  UTC", ""},
	{"5:5 Foo/Bar", ""}, {"5:5 Local", ""}, {"5:5 ../../../etc/passwd", ""}, {"Sun..Mon", ""}, {"Mon-Tue-Wed", ""}, {"Fri..", ""},
	{"*:*/5", ""}, {"24:0", ""}, {"5:5:60", ""}, {"*:*:59.9999996", ""}, {"*-*-1/0", ""}, {"*-*-5..3", ""}, {"*-*~29", ""},
	{"*-*~5/5", ""}, {"*:*:1..1", ""}, {"2200-1-1", ""}, {"1,*:0", ""}, {"+5:5", ""}, {"5:5:5:5", ""}, {"@1.5", ""}, {"@-1", ""},
	{strings.Repeat("1,", 1<<14) + "1:1", ""},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, e := range events {
		s, err := Parse(e.text)
		if e.want == "" {
			if s != nil || !errors.Is(err, ErrSyntax) {
				t.Errorf("%.40q: got %v, %v; want an error", e.text, s, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", e.text, err)
			continue
		}
		if s.String() != e.want {
			t.Errorf("%q: got %q, want %q", e.text, s, e.want)
		}
		if again, err := Parse(e.want); err != nil || again.String() != e.want {
			t.Errorf("normal form %q read again: %v, %v", e.want, again, err)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text, after string
		want        []string // in UTC
	}{
		"fractions":           {"*:*:0/0.5 UTC", "2024-01-01T00:00:00Z", []string{"2024-01-01T00:00:00.5Z", "2024-01-01T00:00:01Z"}},
		"never":               {"*-02-30", "2024-01-01T00:00:00Z", nil},
		"past":                {"2020-1-1", "2024-01-01T00:00:00Z", nil},
		"not the same moment": {"daily UTC", "2024-01-01T00:00:00Z", []string{"2024-01-02T00:00:00Z"}},
		"leap years":          {"*-02-29 UTC", "2096-03-01T00:00:00Z", []string{"2104-02-29T00:00:00Z"}},
		"last Monday in May":  {"Mon *-05~07/1 UTC", "2024-01-01T00:00:00Z", []string{"2024-05-27T00:00:00Z", "2025-05-26T00:00:00Z"}},
		"last of the month":   {"*-*~1 UTC", "2024-01-31T00:00:00Z", []string{"2024-02-29T00:00:00Z", "2024-03-31T00:00:00Z"}},
		"last year":           {"2199-12-31 23:59:59 UTC", "2024-01-31T00:00:00Z", []string{"2199-12-31T23:59:59Z"}},
		"clock put forward": {"02:30 Europe/Berlin", "2024-03-30T12:00:00Z",
			[]string{"2024-04-01T00:30:00Z", "2024-04-02T00:30:00Z"}},
		"forward over midnight": {"0:0 America/Sao_Paulo", "2018-11-03T12:00:00Z",
			[]string{"2018-11-05T02:00:00Z"}},
		"every 15 minutes over the gap": {"1..3:0/30 Europe/Berlin", "2024-03-31T00:15:00Z",
			[]string{"2024-03-31T00:30:00Z", "2024-03-31T01:00:00Z", "2024-03-31T01:30:00Z"}},
		"clock put back: the first of the two": {"02:30 Europe/Berlin", "2024-10-26T12:00:00Z",
			[]string{"2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"}},
		"clock put back, between the two": {"02:50 Europe/Berlin", "2024-10-27T01:45:00Z",
			[]string{"2024-10-27T01:50:00Z", "2024-10-28T01:50:00Z"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tt.after)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				next, ok := s.Next(at)
				if got := next.UTC().Format(time.RFC3339Nano); !ok || got != want {
					t.Fatalf("after %s: got %s, %v; want %s", at, got, ok, want)
				}
				at = next
			}
			if next, ok := s.Next(at); tt.want == nil && ok {
				t.Errorf("got %s, want never", next)
			}
		})
	}
}
