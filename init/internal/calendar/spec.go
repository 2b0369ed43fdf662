// Package calendar reads calendar events as OnCalendar= has them and says when they elapse (systemd.time(7)).
//
// Role: a leaf of the stage that makes units out of text. Input: an expression, and later a point in time. Output: Spec
// with its normal form, and the next point in time. The only thing it reads from the machine is the time zone database.
//
// # Grammar
//
//	event     = shorthand [ " " zone ] | "@" seconds | [ weekdays ] [ date ] [ time ] [ zone ]    separated by blanks
//	shorthand = "minutely" | "hourly" | "daily" | "monthly" | "weekly" | "yearly" | "quarterly" | "semiannually" | ...
//	weekdays  = day { "," day } [ "," ]    where day = NAME [ ( ".." | "-" ) NAME ]
//	date      = [ [ years "-" ] months "-" ] days   with at least one "-"; "~" before days counts from the month's end
//	time      = hours ":" minutes [ ":" seconds ]
//	years, ... = "*" | item { "," item }
//	item      = number [ ".." number ] [ "/" number ]
//	zone      = "UTC" | a name of the time zone database | an abbreviation of the local zone
//
// Seconds alone may have fractions, which are rounded to microseconds. Years are 1970 to 2199; two digits mean 1970 to
// 2069.
//
// # Time zones
//
// Each event is a time of the wall clock. A time that the clock skips when it is put forward is no event that day; a
// time that the clock shows twice when it is put back is the first of the two.
package calendar

import (
	"errors"
	"strings"
	"time"
)

// ErrSyntax is returned for a text that is no calendar event.
var ErrSyntax = errors.New("not a calendar event")

// Spec is a calendar event.
type Spec struct {
	weekdays uint8 // bits from Monday on; 0: any
	fromEnd  bool  // days count from the end of the month
	parts    [parts][]item
	zone     string // as it is written in the normal form; "": none was given
	location *time.Location
}

// The parts of a date and time; seconds count in microseconds.
const (
	year = iota
	month
	day
	hour
	minute
	second
	parts
)

const microseconds = 1_000_000

// An item of a part: start, or start and each step after it, up to stop. No items at all: any value.
type item struct {
	start int
	stop  int // -1: none
	step  int // 0: none
}

var bounds = [parts]struct{ low, high int }{
	year: {1970, 2199}, month: {1, 12}, day: {1, 31}, hour: {0, 23}, minute: {0, 59}, second: {0, 60*microseconds - 1},
}

var dayNames = [7]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}

const allWeekdays = 1<<7 - 1

// String gives the normal form.
func (s *Spec) String() string {
	var out strings.Builder
	if s.weekdays != 0 {
		s.writeWeekdays(&out)
		out.WriteByte(' ')
	}
	separators := [parts]string{year: "-", month: "-", day: " ", hour: ":", minute: ":", second: ""}
	if s.fromEnd {
		separators[month] = "~"
	}
	for part, items := range s.parts {
		writePart(&out, part, items)
		out.WriteString(separators[part])
	}
	if s.zone != "" {
		out.WriteString(" " + s.zone)
	}
	return out.String()
}

func (s *Spec) writeWeekdays(out *strings.Builder) {
	first := true
	for from := 0; from < 7; from++ {
		if s.weekdays&(1<<from) == 0 {
			continue
		}
		to := from
		for to < 6 && s.weekdays&(1<<(to+1)) != 0 {
			to++
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		out.WriteString(dayNames[from][:3])
		switch {
		case to > from+1:
			out.WriteString("..")
			out.WriteString(dayNames[to][:3])
		case to == from+1:
			out.WriteString("," + dayNames[to][:3])
		}
		from = to
	}
}

func writePart(out *strings.Builder, part int, items []item) {
	one := 1
	if part == second {
		one = microseconds
	}
	everySecond := part == second && len(items) == 1 && items[0] == item{0, -1, microseconds}
	if len(items) == 0 || everySecond {
		out.WriteByte('*')
		return
	}
	for i, it := range items {
		if i > 0 {
			out.WriteByte(',')
		}
		writeNumber(out, part, it.start, true)
		if it.stop >= 0 {
			out.WriteString("..")
			writeNumber(out, part, it.stop, true)
		}
		if it.step > 0 && (it.stop < 0 || it.step != one) {
			out.WriteByte('/')
			writeNumber(out, part, it.step, false)
		}
	}
}

// writeNumber writes seconds with their fraction if there is one, and pads points in time.
func writeNumber(out *strings.Builder, part, n int, pad bool) {
	fraction := 0
	if part == second {
		n, fraction = n/microseconds, n%microseconds
	}
	width := 2
	if part == year {
		width = 4
	}
	if !pad {
		width = 1
	}
	writePadded(out, n, width)
	if fraction != 0 {
		out.WriteByte('.')
		writePadded(out, fraction, 6)
	}
}

func writePadded(out *strings.Builder, n, width int) {
	var digits [20]byte
	i := len(digits)
	for n > 0 || width > 0 {
		i--
		digits[i] = byte('0' + n%10)
		n, width = n/10, width-1
	}
	out.Write(digits[i:])
}
