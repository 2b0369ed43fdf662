package kmod

// Match reports whether name matches the pattern as fnmatch(3) does without
// flags: '*', '?', '[...]' with ranges, '!' or '^' and classes, '\' quotes, and
// '/' and a leading '.' are ordinary. A '[' without its ']' is literal.
// Time is at most len(pattern)*len(name): only the last '*' is ever retried.
func Match(pattern, name string) bool {
	p, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if p < len(pattern) {
			if pattern[p] == '*' {
				star, mark = p, n
				p++
				continue
			}
			if width, ok := matchOne(pattern[p:], name[n]); ok {
				p += width
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// hasGlob says whether a pattern can match anything but itself.
func hasGlob(pattern string) bool {
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '*', '?', '[', '\\':
			return true
		}
	}
	return false
}

// matchOne matches c against the first element of the pattern and returns how
// many bytes of the pattern that element takes.
func matchOne(pattern string, c byte) (width int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		if width, ok := matchBracket(pattern, c); width > 0 {
			return width, ok
		}
	case '\\':
		if len(pattern) == 1 {
			return 0, false
		}
		return 2, pattern[1] == c
	}
	return 1, pattern[0] == c
}

// matchBracket matches c against a bracket expression; width 0: it has no end.
func matchBracket(pattern string, c byte) (width int, ok bool) {
	i := 1
	negate := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negate {
		i++
	}
	for first := true; ; first = false {
		if i >= len(pattern) {
			return 0, false
		}
		if pattern[i] == ']' && !first {
			return i + 1, ok != negate
		}
		if class, end := bracketClass(pattern, i); end > 0 {
			ok = ok || inClass(class, c)
			i = end
			continue
		}
		lo, next := bracketByte(pattern, i)
		if next == 0 {
			return 0, false
		}
		hi := lo
		if next+1 < len(pattern) && pattern[next] == '-' && pattern[next+1] != ']' {
			if hi, next = bracketByte(pattern, next+1); next == 0 {
				return 0, false
			}
		}
		ok = ok || lo <= c && c <= hi
		i = next
	}
}

func bracketByte(pattern string, i int) (c byte, next int) {
	if pattern[i] == '\\' {
		i++
		if i >= len(pattern) {
			return 0, 0
		}
	}
	return pattern[i], i + 1
}

// bracketClass reads "[:name:]" at i.
func bracketClass(pattern string, i int) (name string, end int) {
	if i+1 >= len(pattern) || pattern[i] != '[' || pattern[i+1] != ':' {
		return "", 0
	}
	for j := i + 2; j+1 < len(pattern); j++ {
		if pattern[j] == ':' && pattern[j+1] == ']' {
			return pattern[i+2 : j], j + 2
		}
	}
	return "", 0
}

func inClass(name string, c byte) bool {
	lower, upper, digit := 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9'
	switch name {
	case "lower":
		return lower
	case "upper":
		return upper
	case "alpha":
		return lower || upper
	case "digit":
		return digit
	case "alnum":
		return lower || upper || digit
	case "xdigit":
		return digit || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
	case "space":
		return c == ' ' || '\t' <= c && c <= '\r'
	case "blank":
		return c == ' ' || c == '\t'
	case "punct":
		return c > ' ' && c < 0x7f && !lower && !upper && !digit
	case "print":
		return c >= ' ' && c < 0x7f
	case "graph":
		return c > ' ' && c < 0x7f
	case "cntrl":
		return c < ' ' || c == 0x7f
	}
	return false
}
