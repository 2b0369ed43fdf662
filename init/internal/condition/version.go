package condition

import (
	"cmp"
	"path"
	"strings"
)

// operators by length, so that the longer ones are found first.
var operators = []string{"!$=", "<=", ">=", "!=", "==", "$=", "<", ">", "="}

func splitOperator(s string) (op, rest string) {
	for _, op := range operators {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, strings.TrimLeft(rest, " \t")
		}
	}
	return "", s
}

func satisfies(order int, op string) (bool, error) {
	switch op {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case "=", "==":
		return order == 0, nil
	case "!=":
		return order != 0, nil
	case ">=":
		return order >= 0, nil
	case ">":
		return order > 0, nil
	}
	return false, ErrParam
}

// compareRelease compares a field of os-release(5): "=" and "!=" as text, "$=" and "!$=" as patterns, others as versions.
func compareRelease(is, op, want string) (bool, error) {
	switch op {
	case "=":
		return is == want, nil
	case "!=":
		return is != want, nil
	case "$=":
		return path.Match(want, is)
	case "!$=":
		ok, err := path.Match(want, is)
		return !ok, err
	}
	return satisfies(compareVersions(is, want), op)
}

func compareNumbers(a, b uint64) int { return cmp.Compare(a, b) }

// compareVersions follows the Version Format Specification of the UAPI group: runs of digits compare as numbers, runs
// of letters as text; "~" sorts before the end, and the end before "-", "^" and ".", in this order.
func compareVersions(a, b string) int {
	for {
		a, b = skipForeign(a), skipForeign(b)
		for _, mark := range []byte("~-^.") {
			left, right := startsWith(a, mark), startsWith(b, mark)
			if mark == '-' && (a == "" || b == "") {
				return ended(a, b)
			}
			if left != right {
				if left {
					return -1
				}
				return 1
			}
			if left {
				a, b = a[1:], b[1:]
			}
		}
		if a == "" || b == "" {
			return ended(a, b)
		}
		var order int
		if isDigit(a[0]) || isDigit(b[0]) {
			order, a, b = compareRuns(a, b, isDigit, true)
		} else {
			order, a, b = compareRuns(a, b, isLetter, false)
		}
		if order != 0 {
			return order
		}
	}
}

func ended(a, b string) int { return cmp.Compare(min(len(a), 1), min(len(b), 1)) }

func startsWith(s string, c byte) bool { return s != "" && s[0] == c }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func skipForeign(s string) string {
	for s != "" && !isDigit(s[0]) && !isLetter(s[0]) && strings.IndexByte("~-^.", s[0]) < 0 {
		s = s[1:]
	}
	return s
}

func compareRuns(a, b string, of func(byte) bool, numbers bool) (int, string, string) {
	run := func(s string) (string, string) {
		i := 0
		for i < len(s) && of(s[i]) {
			i++
		}
		return s[:i], s[i:]
	}
	left, restA := run(a)
	right, restB := run(b)
	if numbers {
		left, right = strings.TrimLeft(left, "0"), strings.TrimLeft(right, "0")
		if order := cmp.Compare(len(left), len(right)); order != 0 {
			return order, restA, restB
		}
	}
	return cmp.Compare(left, right), restA, restB
}
