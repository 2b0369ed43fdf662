package unitfile

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"firn/tests/require"
)

// TestOracleTimespans compares 2,000 generated time spans with systemd's own reading.
func TestOracleTimespans(t *testing.T) {
	t.Parallel()
	analyze := require.Program(t, "systemd-analyze")
	g := rand.New(rand.NewPCG(3, 2013))
	var texts []string
	for range 2000 {
		texts = append(texts, randomSpan(g))
	}
	valid := 0
	for rest := texts; len(rest) > 0; {
		batch := rest[:min(100, len(rest))]
		answers := askSpans(analyze, batch)
		for i, want := range answers {
			got, err := ParseTimespan(batch[i], Second)
			if err != nil || strconv.FormatUint(got, 10) != want {
				t.Errorf("%q: got %d, %v; systemd says %s", batch[i], got, err, want)
			}
			valid++
		}
		rest = rest[len(answers):]
		if len(answers) < len(batch) { // it gives up at the first that it cannot read
			if got, err := ParseTimespan(rest[0], Second); err == nil {
				t.Errorf("%q: got %d; systemd refuses it", rest[0], got)
			}
			rest = rest[1:]
		}
	}
	t.Logf("%d of %d are valid", valid, len(texts))
	if valid < len(texts)/2 || valid == len(texts) {
		t.Error("the generator makes too few or too many valid spans")
	}
}

// askSpans returns microseconds for each span up to the first that is refused.
func askSpans(analyze string, texts []string) []string {
	out, _ := exec.Command(analyze, append([]string{"timespan", "--"}, texts...)...).Output() // the output tells
	var list []string
	for line := range strings.Lines(string(out)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "s: "); ok && (key == "\u03bc" || key == "u") {
			list = append(list, value)
		}
	}
	return list
}

// randomSpan makes a span; one in ten is broken on purpose.
func randomSpan(g *rand.Rand) string {
	units := []string{"", "", "us", "usec", "µs", "ms", "msec", "s", "sec", "second", "seconds", "m", "min", "minute", "minutes",
		"h", "hr", "hour", "hours", "d", "day", "days", "w", "week", "weeks", "M", "month", "months", "y", "year", "years"}
	var out strings.Builder
	for i := range 1 + g.IntN(4) {
		if i > 0 && g.IntN(2) == 0 {
			out.WriteByte(' ')
		}
		fmt.Fprint(&out, g.IntN([]int{3, 60, 1000, 100000}[g.IntN(4)]))
		if g.IntN(4) == 0 {
			fmt.Fprintf(&out, ".%0*d", 1+g.IntN(7), g.IntN(10))
		}
		if g.IntN(3) == 0 {
			out.WriteByte(' ')
		}
		out.WriteString(units[g.IntN(len(units))])
	}
	text := out.String()
	if g.IntN(10) == 0 {
		i := g.IntN(len(text))
		text = text[:i] + []string{"", "x", ".", "-", " ", "fortnight", "+"}[g.IntN(7)] + text[i:]
	}
	return text
}
