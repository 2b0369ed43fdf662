package calendar

import "time"

// clock is a time of the wall clock by its parts.
type clock [parts]int

// Next returns the first time after the given one at which the event elapses, and false if there is none.
func (s *Spec) Next(after time.Time) (time.Time, bool) {
	after = after.Truncate(time.Microsecond)
	wall := clockOf(after.Add(time.Microsecond).In(s.location))
	for {
		var ok bool
		if wall, ok = s.match(wall); !ok {
			return time.Time{}, false
		}
		t := wall.in(s.location)
		if shown := clockOf(t); shown != wall {
			wall = afterGap(t, wall, shown)
			continue
		}
		if t.After(after) {
			return t, true
		}
		// The clock was put back and shows this time again: later is the second of the two.
		if again := t.Add(offsetChange(t, after)); again.After(after) && clockOf(again) == wall {
			return again, true
		}
		wall[second]++
		wall.carry()
	}
}

// offsetChange is how far the clock was put back between t and after.
func offsetChange(t, after time.Time) time.Duration {
	_, before := t.Zone()
	_, now := after.In(t.Location()).Zone()
	return time.Duration(before-now) * time.Second
}

// afterGap is the first time that the clock shows after it was put forward over wall.
func afterGap(t time.Time, wall, shown clock) clock {
	// time.Date answers with a time on either side of the gap; the zone's bounds tell where it lies.
	start, end := t.ZoneBounds()
	edge := end
	if wall.before(shown) { // t is after the gap
		edge = start
	}
	if edge.IsZero() {
		return shown
	}
	next := clockOf(edge)
	if next.before(wall) { // not a gap that we understand: never go back
		next = wall
		next[second]++
		next.carry()
	}
	return next
}

func clockOf(t time.Time) clock {
	return clock{t.Year(), int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second()*microseconds + t.Nanosecond()/1000}
}

// in gives the time at which a location's clock shows c; of two the first.
func (c clock) in(location *time.Location) time.Time {
	t := time.Date(c[year], time.Month(c[month]), c[day], c[hour], c[minute], c[second]/microseconds,
		c[second]%microseconds*1000, location)
	if start, _ := t.ZoneBounds(); !start.IsZero() {
		// Just after a change the time before it may show the same.
		if first := t.Add(offsetChange(start.Add(-time.Nanosecond), start) * -1); first.Before(start) && clockOf(first) == c {
			return first
		}
	}
	return t
}

func (c clock) before(other clock) bool {
	for part := range c {
		if c[part] != other[part] {
			return c[part] < other[part]
		}
	}
	return false
}

// carry lets values above their bounds overflow into the next larger part.
func (c *clock) carry() {
	t := time.Date(c[year], time.Month(c[month]), c[day], c[hour], c[minute], c[second]/microseconds,
		c[second]%microseconds*1000, time.UTC)
	*c = clockOf(t)
}

// match returns the first time at or after c that fits the event.
func (s *Spec) match(c clock) (clock, bool) {
	for part := year; part < parts; {
		value, ok := s.firstAt(c, part)
		if !ok {
			// Nothing left in this part: the part before goes on by one and all behind it start anew.
			if part == year {
				return clock{}, false
			}
			part--
			c[part]++
			c.reset(part + 1)
			continue
		}
		if value != c[part] {
			c[part] = value
			c.reset(part + 1)
		}
		if part == day && !s.fitsWeekday(c) {
			c[day]++
			c.reset(hour)
			continue // the same part again
		}
		part++
	}
	return c, true
}

// reset sets all parts from the given one on to their first value.
func (c *clock) reset(from int) {
	for part := from; part < parts; part++ {
		c[part] = bounds[part].low
	}
}

func (s *Spec) fitsWeekday(c clock) bool {
	if s.weekdays == 0 {
		return true
	}
	weekday := time.Date(c[year], time.Month(c[month]), c[day], 0, 0, 0, 0, time.UTC).Weekday()
	return s.weekdays&(1<<((int(weekday)+6)%7)) != 0
}

// firstAt returns the first value of a part, at or after c's own, that fits.
func (s *Spec) firstAt(c clock, part int) (int, bool) {
	low, high := c[part], bounds[part].high
	days := 0
	if part == day {
		days = time.Date(c[year], time.Month(c[month])+1, 0, 0, 0, 0, 0, time.UTC).Day()
		high = days
	}
	if len(s.parts[part]) == 0 {
		return low, low <= high
	}
	best, found := 0, false
	for _, it := range s.parts[part] {
		if part == day && s.fromEnd {
			it = it.countedFrom(days)
		}
		if v, ok := it.firstAt(low); ok && v <= high && (!found || v < best) {
			best, found = v, true
		}
	}
	return best, found
}

// countedFrom turns days before the end of a month into days of the month.
func (it item) countedFrom(days int) item {
	it.start = days - it.start + 1
	if it.stop >= 0 {
		it.start, it.stop = days-it.stop+1, it.start
	}
	return it
}

func (it item) firstAt(low int) (int, bool) {
	if low <= it.start {
		return it.start, true
	}
	if it.step == 0 {
		return 0, false
	}
	v := it.start + (low-it.start+it.step-1)/it.step*it.step
	return v, it.stop < 0 || v <= it.stop
}
