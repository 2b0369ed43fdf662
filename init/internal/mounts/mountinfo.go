package mounts

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// Points reads the mount points from the text of /proc/PID/mountinfo (proc(5)): the fifth field of each line, with
// blanks, line ends and backslashes written as \ooo. Lines that have no fifth field are passed over.
func Points(r io.Reader) ([]string, error) {
	var points []string
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20) // overlay's options name a directory per layer
	for s.Scan() {
		if fields := strings.Fields(s.Text()); len(fields) > 4 {
			points = append(points, unescape(fields[4]))
		}
	}
	return points, s.Err()
}

func unescape(field string) string {
	if !strings.Contains(field, `\`) {
		return field
	}
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		if field[i] == '\\' && i+3 < len(field) {
			if n, err := strconv.ParseUint(field[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(field[i])
	}
	return b.String()
}

// below reports whether one of the points is below dir.
func below(points []string, dir string) bool {
	for _, p := range points {
		if strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}
