package calendar

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"firn/tests/require"
)

// TestOracleCalendar compares 2,000 generated expressions with systemd's own reading: the normal form and the next five
// times, or that it is none.
func TestOracleCalendar(t *testing.T) {
	t.Parallel()
	analyze := require.Program(t, "systemd-analyze")
	const total, batch = 2000, 100
	g := generator{rand.New(rand.NewPCG(7, 2013))}
	seen, valid, elapsing := map[string]bool{}, 0, 0
	for len(seen) < total {
		var texts []string
		for len(texts) < batch {
			if text := g.event(); !seen[text] {
				seen[text] = true
				texts = append(texts, text)
			}
		}
		base := time.Unix(1_600_000_000+g.Int64N(300_000_000), 0).UTC()
		want := ask(t, analyze, base, texts)
		for _, text := range texts {
			got := answer(text, base)
			if !slices.Equal(got, want[text]) {
				t.Errorf("%q after %s:\n got %q\nwant %q", text, base.Format(time.DateTime), got, want[text])
			}
			if got != nil {
				valid++
			}
			if len(got) > 1 {
				elapsing++
			}
		}
	}
	t.Logf("%d expressions, %d valid, %d elapse", len(seen), valid, elapsing)
	if valid < total/2 || elapsing < total/3 || valid == total {
		t.Errorf("the generator makes too few or too many valid expressions")
	}
}

const iterations = 5

// answer gives the normal form followed by the next times, nil for an error.
func answer(text string, after time.Time) []string {
	s, err := Parse(text)
	if err != nil {
		return nil
	}
	list := []string{s.String()}
	for range iterations {
		next, ok := s.Next(after)
		if !ok {
			break
		}
		list = append(list, next.UTC().Format(time.DateTime))
		after = next
	}
	return list
}

// ask gives systemd's answers in the form of answer.
func ask(t *testing.T, analyze string, base time.Time, texts []string) map[string][]string {
	t.Helper()
	args := []string{"calendar", fmt.Sprintf("--iterations=%d", iterations), "--base-time=" + base.Format(time.DateTime), "--"}
	cmd := exec.Command(analyze, append(args, texts...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8", "SYSTEMD_COLORS=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, _ := cmd.Output() // it fails where one expression does
	answers := map[string][]string{}
	blocks := strings.SplitAfter(string(out), "Normalized form")[1:]
	for _, text := range texts {
		if strings.Contains(stderr.String(), "parse calendar specification '"+text+"'") {
			continue
		}
		if len(blocks) == 0 {
			t.Fatalf("no answer for %q\n%s\n%s", text, out, &stderr)
		}
		answers[text] = readBlock(blocks[0])
		blocks = blocks[1:]
	}
	if len(blocks) != 0 {
		t.Fatalf("%d answers more than expressions: %q\n%s", len(blocks), blocks, &stderr)
	}
	return answers
}

// readBlock reads what stands between two expressions' "Normalized form".
func readBlock(block string) []string {
	var list []string
	for line := range strings.Lines(block) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case len(list) == 0: // ": " and the form
			list = append(list, value)
		case (key == "Next elapse" || strings.HasPrefix(key, "Iter. #")) && value != "never":
			_, stamp, _ := strings.Cut(value, " ") // the weekday
			list = append(list, strings.TrimSuffix(stamp, " UTC"))
		}
	}
	return list
}

// generator makes expressions; one in eight is broken on purpose.
type generator struct{ *rand.Rand }

func (g generator) event() string {
	if g.IntN(20) == 0 {
		return g.pick("minutely", "hourly", "Daily", "MONTHLY", "weekly", "yearly", "quarterly", "semiannually", "anually") + g.zone()
	}
	var words []string
	if g.IntN(3) == 0 {
		words = append(words, g.weekdays())
	}
	if g.IntN(3) != 0 {
		words = append(words, g.date())
	}
	if g.IntN(3) != 0 || len(words) == 0 {
		words = append(words, g.clock())
	}
	text := strings.Join(words, " ") + g.zone()
	if g.IntN(8) == 0 {
		i := g.IntN(len(text))
		text = text[:i] + g.pick("", " ", "~", "-", "..", "/", "0", "9", "x", ",", "*", ":") + text[i+1:]
	}
	return text
}

func (g generator) pick(list ...string) string { return list[g.IntN(len(list))] }

func (g generator) weekdays() string {
	var list []string
	for range 1 + g.IntN(3) {
		word := g.pick("Mon", "tue", "Wednesday", "Thu", "FRI", "Saturday", "Sun")
		if g.IntN(3) == 0 {
			word += g.pick("..", "..", "-") + g.pick("Wed", "Fri", "sunday")
		}
		list = append(list, word)
	}
	return strings.Join(list, ",") + g.pick("", "", "", ",")
}

func (g generator) date() string {
	days := "-" + g.items(1, 31, false)
	if g.IntN(4) == 0 {
		// systemd 252 lowers the bound of 28 by three for each further item, by mistake.
		days = "~" + g.items(1, 19, false)
	}
	switch g.IntN(4) {
	case 0:
		return g.items(2015, 2040, false) + "-" + g.items(1, 12, false) + days
	case 1:
		return g.pick("24-", "1999..2030-", "*-", "*-") + g.items(1, 12, false) + days
	}
	return g.items(1, 12, false) + days
}

func (g generator) clock() string {
	text := g.items(0, 23, false) + ":" + g.items(0, 59, false)
	if g.IntN(2) == 0 {
		text += ":" + g.items(0, 59, true)
	}
	return text
}

func (g generator) items(low, high int, fraction bool) string {
	if g.IntN(4) == 0 {
		return "*"
	}
	number := func(low int) string {
		n := fmt.Sprint(low + g.IntN(high-low+1))
		if fraction && g.IntN(4) == 0 {
			n += "." + g.pick("5", "25", "0000004", "1234567", "75")
		}
		if g.IntN(3) == 0 && len(n) == 1 {
			n = "0" + n
		}
		return n
	}
	var list []string
	for range 1 + g.IntN(3)*g.IntN(2) {
		start := low + g.IntN(high-low+1)
		word := fmt.Sprint(start)
		if g.IntN(3) == 0 {
			word += ".." + number(start)
		}
		if g.IntN(3) == 0 {
			word += "/" + fmt.Sprint(1+g.IntN(12))
		}
		list = append(list, word)
	}
	if len(list) == 1 && g.IntN(2) == 0 {
		return number(low)
	}
	return strings.Join(list, ",")
}

func (g generator) zone() string {
	if g.IntN(4) != 0 {
		return ""
	}
	return " " + g.pick("UTC", "utc", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Australia/Lord_Howe", "Nowhere/Land")
}
