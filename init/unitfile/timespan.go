package unitfile

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ErrTimespan is returned for a value that is no time span of systemd.time(7).
var ErrTimespan = errors.New("not a time span")

// Infinity is what ParseTimespan returns for "infinity".
const Infinity = math.MaxUint64

// Units of time in microseconds. A month is 30.44 days and a year 365.25 days,
// as systemd.time(7) counts them.
const (
	Microsecond uint64 = 1
	Millisecond        = 1000 * Microsecond
	Second             = 1000 * Millisecond
	Minute             = 60 * Second
	Hour               = 60 * Minute
	Day                = 24 * Hour
	Week               = 7 * Day
	Month              = 2629800 * Second
	Year               = 31557600 * Second
)

var timeUnits = map[string]uint64{
	"us": Microsecond, "usec": Microsecond, "µs": Microsecond, "μs": Microsecond,
	"ms": Millisecond, "msec": Millisecond,
	"s": Second, "sec": Second, "second": Second, "seconds": Second,
	"m": Minute, "min": Minute, "minute": Minute, "minutes": Minute,
	"h": Hour, "hr": Hour, "hour": Hour, "hours": Hour,
	"d": Day, "day": Day, "days": Day,
	"w": Week, "week": Week, "weeks": Week,
	"M": Month, "month": Month, "months": Month,
	"y": Year, "year": Year, "years": Year,
}

// ParseTimespan reads a time span in microseconds: numbers, with a fraction if
// need be, each with a unit or else in defaultUnit, added up ("2min 200ms"), or
// "infinity".
func ParseTimespan(s string, defaultUnit uint64) (uint64, error) {
	s = strings.Trim(s, blanks)
	if s == "infinity" {
		return Infinity, nil
	}
	var sum uint64
	for first := true; s != "" || first; first = false {
		n, rest, err := scanNumber(strings.TrimPrefix(s, "+"))
		if err != nil || rest != "" && (rest[0] == '.' || rest[0] == '+') { // a number must end
			return 0, ErrTimespan
		}
		rest = strings.TrimLeft(rest, blanks)
		name := rest[:unitLength(rest)]
		unit, ok := timeUnits[name]
		if name == "" {
			unit, ok = defaultUnit, true
		}
		part, fits := n.ofTime(unit)
		if !ok || !fits || sum+part < sum {
			return 0, ErrTimespan
		}
		sum += part
		s = strings.TrimLeft(rest[len(name):], blanks)
	}
	return sum, nil
}

func unitLength(s string) int {
	if n := strings.IndexAny(s, blanks+"0123456789+-."); n >= 0 {
		return n
	}
	return len(s)
}

// number is a decimal number without sign: whole + fraction / scale.
type number struct {
	whole, fraction, scale uint64
	digits                 string // the fraction's, as written
}

// scanNumber reads digits, or digits with a fraction, from the start of s.
func scanNumber(s string) (number, string, error) {
	n := number{scale: 1}
	digits := leadingDigits(s)
	rest := s[len(digits):]
	if digits != "" {
		whole, err := strconv.ParseUint(digits, 10, 64)
		if err != nil {
			return number{}, "", err
		}
		n.whole = whole
	}
	if !strings.HasPrefix(rest, ".") {
		if digits == "" {
			return number{}, "", strconv.ErrSyntax
		}
		return n, rest, nil
	}
	fraction := leadingDigits(rest[1:])
	if fraction == "" {
		return number{}, "", strconv.ErrSyntax
	}
	n.digits = fraction
	rest = rest[1+len(fraction):]
	for _, c := range []byte(fraction) {
		if n.scale >= 1e9 {
			break // finer than any unit here can tell
		}
		n.fraction = n.fraction*10 + uint64(c-'0')
		n.scale *= 10
	}
	return n, rest, nil
}

func leadingDigits(s string) string {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// ofTime multiplies by a unit of time, each digit of the fraction by itself and rounded down, as systemd does; false if
// that leaves no room below Infinity.
func (n number) ofTime(unit uint64) (uint64, bool) {
	sum, fits := number{whole: n.whole, scale: 1}.times(unit)
	for _, c := range []byte(n.digits) {
		unit /= 10
		sum += uint64(c-'0') * unit
	}
	return sum, fits && sum != Infinity && sum >= n.whole
}

// times multiplies by a unit and rounds down; false if that leaves no room
// below Infinity.
func (n number) times(unit uint64) (uint64, bool) {
	if n.whole != 0 && unit > (Infinity-1)/n.whole {
		return 0, false
	}
	whole := n.whole * unit
	// unit/scale first would lose the fraction of small units.
	part := uint64(float64(n.fraction) / float64(n.scale) * float64(unit))
	if whole+part < whole {
		return 0, false
	}
	return whole + part, true
}
