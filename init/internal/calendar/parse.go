package calendar

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var shorthands = map[string]string{
	"minutely": "*:*", "hourly": "*:0", "daily": "0:0", "monthly": "*-*-1", "weekly": "Mon", "yearly": "*-1-1",
	"annually": "*-1-1", "anually": "*-1-1", "quarterly": "*-1,4,7,10-1", "semiannually": "*-1,7-1",
	"semi-annually": "*-1,7-1", "biannually": "*-1,7-1", "bi-annually": "*-1,7-1",
}

// maxText bounds an expression in bytes. One that lists every minute of a day is shorter.
const maxText = 16 << 10

// Parse reads an event. The local time zone is the process's own.
func Parse(text string) (*Spec, error) {
	if text == "" || len(text) > maxText {
		return nil, ErrSyntax
	}
	s := &Spec{location: time.Local}
	text = s.takeZone(text)
	if seconds, ok := strings.CutPrefix(text, "@"); ok {
		if err := s.parseStamp(seconds); err != nil {
			return nil, err
		}
		return s, nil
	}
	if long, ok := shorthands[strings.ToLower(text)]; ok {
		text = long
	}
	rest, err := s.takeWeekdays(text)
	if err == nil {
		err = s.parseDateAndTime(rest)
	}
	if err != nil {
		return nil, err
	}
	if text == "" { // a zone alone
		return nil, ErrSyntax
	}
	for part := range s.parts {
		normalize(s.parts[part])
		s.parts[part] = slices.Compact(s.parts[part])
		if !s.valid(part) {
			return nil, ErrSyntax
		}
	}
	return s, nil
}

// parseStamp reads seconds since 1970: an event that elapses once.
func (s *Spec) parseStamp(text string) error {
	seconds, ok := parseDigits(text)
	t := time.Unix(int64(seconds), 0).UTC()
	if !ok || t.Year() > bounds[year].high {
		return ErrSyntax
	}
	s.zone, s.location = "UTC", time.UTC
	for part, n := range []int{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second() * microseconds} {
		s.parts[part] = []item{{n, -1, 0}}
	}
	return nil
}

// takeZone takes a time zone off the end of the text, if there is one.
func (s *Spec) takeZone(text string) string {
	i := strings.LastIndexByte(text, ' ')
	if i < 0 {
		return text
	}
	rest, name := text[:i], text[i+1:]
	if strings.EqualFold(name, "UTC") {
		s.zone, s.location = "UTC", time.UTC
		return rest
	}
	if name == "" || name == "Local" || strings.Trim(name[:1], "0123456789*") == "" {
		return text
	}
	location := localAbbreviation(name)
	if location == nil {
		var err error
		if location, err = time.LoadLocation(name); err != nil {
			return text
		}
	}
	s.zone, s.location = name, location
	return rest
}

// localAbbreviation gives the zone that the local one's abbreviation stands for, such as CEST: a fixed offset.
func localAbbreviation(name string) *time.Location {
	now := time.Now()
	for _, m := range []time.Month{time.January, time.July} {
		abbreviation, offset := time.Date(now.Year(), m, 1, 0, 0, 0, 0, time.Local).Zone()
		if abbreviation == name {
			return time.FixedZone(name, offset)
		}
	}
	return nil
}

func (s *Spec) takeWeekdays(text string) (string, error) {
	rest := text
	open := -1 // the first day of a range that is not ended yet
	for first := true; ; first = false {
		i, n := weekdayAt(rest)
		if n == 0 {
			if first {
				return text, nil
			}
			return "", ErrSyntax
		}
		if open > i {
			return "", ErrSyntax
		}
		for d := max(open, 0); open >= 0 && d < i; d++ {
			s.weekdays |= 1 << d
		}
		s.weekdays |= 1 << i
		rest = rest[n:]
		inRange := open >= 0
		open = -1
		switch {
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		case strings.HasPrefix(rest, "..") && !inRange:
			open, rest = i, rest[2:]
		case strings.HasPrefix(rest, "-") && !inRange:
			open, rest = i, rest[1:]
		case rest != "" && rest[0] != ' ':
			return "", ErrSyntax
		}
		if rest == "" || rest[0] == ' ' {
			if open >= 0 {
				return "", ErrSyntax
			}
			if s.weekdays == allWeekdays {
				s.weekdays = 0
			}
			return strings.TrimLeft(rest, " "), nil
		}
	}
}

// weekdayAt returns the day that a text begins with, and the length of its name: 0 if it begins with none.
func weekdayAt(text string) (weekday, length int) {
	for i, name := range dayNames {
		for _, n := range []int{len(name), 3} {
			if len(text) >= n && strings.EqualFold(text[:n], name[:n]) && (len(text) == n || strings.IndexByte(".,- ", text[n]) >= 0) {
				return i, n
			}
		}
	}
	return 0, 0
}

func (s *Spec) parseDateAndTime(text string) error {
	s.parts[hour], s.parts[minute], s.parts[second] = []item{{0, -1, 0}}, []item{{0, -1, 0}}, []item{{0, -1, 0}}
	if text == "" {
		return nil
	}
	date, clock, both := strings.Cut(text, " ")
	switch {
	case both:
		clock = strings.TrimLeft(clock, " ")
		if !strings.ContainsAny(date, "-~") {
			return ErrSyntax
		}
	case strings.Contains(text, ":"):
		date, clock = "", text
	}
	if date != "" {
		if err := s.parseDate(date); err != nil {
			return err
		}
	}
	if clock != "" {
		return s.parseTime(clock)
	}
	return nil
}

func (s *Spec) parseDate(text string) error {
	i := strings.LastIndexAny(text, "-~")
	if i < 0 {
		return ErrSyntax
	}
	s.fromEnd = text[i] == '~'
	fields := append(strings.Split(text[:i], "-"), text[i+1:])
	if len(fields) > 3 {
		return ErrSyntax
	}
	for j, field := range fields {
		part := j + 3 - len(fields)
		items, err := parseItems(field, part)
		if err != nil {
			return err
		}
		s.parts[part] = items
	}
	if s.parts[day] == nil {
		s.fromEnd = false
	}
	return nil
}

func (s *Spec) parseTime(text string) error {
	fields := strings.Split(text, ":")
	if len(fields) < 2 || len(fields) > 3 {
		return ErrSyntax
	}
	for j, field := range fields {
		items, err := parseItems(field, hour+j)
		if err != nil {
			return err
		}
		if items == nil && hour+j == second {
			items = []item{{0, -1, microseconds}}
		}
		s.parts[hour+j] = items
	}
	return nil
}

// parseItems reads one part; nil stands for any value.
func parseItems(text string, part int) ([]item, error) {
	if text == "*" {
		return nil, nil
	}
	var items []item
	for field := range strings.SplitSeq(text, ",") {
		it, ok := parseItem(field, part)
		if !ok {
			return nil, ErrSyntax
		}
		items = append(items, it)
	}
	return items, nil
}

func parseItem(text string, part int) (item, bool) {
	it := item{stop: -1}
	number := parseDigits
	one := 1
	if part == second {
		number, one = parseDecimal, microseconds
	}
	var ok bool
	text, step, hasStep := strings.Cut(text, "/")
	if hasStep {
		if it.step, ok = number(step); !ok || it.step == 0 {
			return item{}, false
		}
	}
	start, stop, hasStop := strings.Cut(text, "..")
	if it.start, ok = number(start); !ok {
		return item{}, false
	}
	if part == year {
		it.start = fullYear(it.start)
	}
	if !hasStop {
		return it, true
	}
	if it.stop, ok = number(stop); !ok {
		return item{}, false
	}
	if part == year {
		it.stop = fullYear(it.stop)
	}
	if it.stop < it.start {
		return item{}, false
	}
	if !hasStep {
		it.step = one
		// systemd wants a range of seconds to hold more than its start.
		if part == second && it.stop-it.start < one {
			return item{}, false
		}
	}
	return it, true
}

// fullYear gives years of two digits their century.
func fullYear(y int) int {
	switch {
	case y < 70:
		return y + 2000
	case y < 100:
		return y + 1900
	}
	return y
}

// parseDigits reads a number without a sign.
func parseDigits(text string) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 48)
	return int(n), err == nil
}

// parseDecimal reads seconds into microseconds.
func parseDecimal(text string) (int, bool) {
	whole, fraction, dot := strings.Cut(text, ".")
	n, ok := parseDigits(whole)
	if !ok || n > 1<<20 {
		return 0, false
	}
	n *= microseconds
	if !dot {
		return n, true
	}
	if fraction == "" || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	scale := microseconds / 10
	for _, c := range []byte(fraction) {
		if scale == 0 { // the seventh digit decides, whatever follows
			if c >= '5' {
				n++
			}
			break
		}
		n += int(c-'0') * scale
		scale /= 10
	}
	return n, true
}

// normalize lets each range end at a value that it can take, and sorts.
func normalize(items []item) {
	for i := range items {
		it := &items[i]
		if it.stop < 0 {
			continue
		}
		it.stop -= (it.stop - it.start) % it.step
		if it.stop == it.start {
			it.stop, it.step = -1, 0
		}
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.stop, b.stop), cmp.Compare(a.step, b.step))
	})
}

func (s *Spec) valid(part int) bool {
	low, high := bounds[part].low, bounds[part].high
	if part == day && s.fromEnd {
		high = 28 // what every month has
	}
	for _, it := range s.parts[part] {
		switch {
		case it.start < low || it.start > high || it.stop > high:
			return false
		case part == day && s.fromEnd && it.stop < 0 && it.start-it.step < low:
			return false // steps go towards the end
		case !(part == day && s.fromEnd) && it.step > high-it.start:
			return false
		}
	}
	return true
}
