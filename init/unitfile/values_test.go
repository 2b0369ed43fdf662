package unitfile

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"firn/tests/require"
)

func TestParseBool(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"1", "yes", "Y", "TRUE", "t", "on"} {
		if v, err := ParseBool(s); !v || err != nil {
			t.Errorf("%q: %v %v", s, v, err)
		}
	}
	for _, s := range []string{"0", "no", "N", "False", "f", "OFF"} {
		if v, err := ParseBool(s); v || err != nil {
			t.Errorf("%q: %v %v", s, v, err)
		}
	}
	for _, s := range []string{"", "2", "ye", " yes", "enabled"} {
		if _, err := ParseBool(s); !errors.Is(err, ErrBool) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

var timespans = []struct {
	text string
	want uint64 // microseconds
	bad  bool
}{
	{"50", 50e6, false},
	{"2min 200ms", 120200e3, false},
	{"1.5s", 1500e3, false},
	{".5", 500e3, false},
	{"1h30", 3630e6, false},
	{"1h 30m 5 us", 5400e6 + 5, false},
	{"1y 12month", Year + 12*Month, false},
	{"1M", Month, false},
	{"1w2d", 9 * Day, false},
	{"  7 days  ", 7 * Day, false},
	{"5µs", 5, false},
	{"0", 0, false},
	{"1.0000001s", 1e6, false},
	{"infinity", Infinity, false},
	{"", 0, true},
	{"5.", 0, true},
	{"x", 0, true},
	{"-1", 0, true},
	{"1 fortnight", 0, true},
	{"1..5s", 0, true},
	{"18446744073709551615", 0, true},
	{"99999999999999999999999", 0, true},
	{"584542y 584542y", 0, true},
}

func TestParseTimespan(t *testing.T) {
	t.Parallel()
	for _, tt := range timespans {
		got, err := ParseTimespan(tt.text, Second)
		if tt.bad != (err != nil) || got != tt.want {
			t.Errorf("%q: got %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
	if got, err := ParseTimespan("7", Microsecond); got != 7 || err != nil {
		t.Errorf("another default unit: %d %v", got, err)
	}
}

// TestOracleTimespan compares with systemd's own reading.
func TestOracleTimespan(t *testing.T) {
	t.Parallel()
	analyze := require.Program(t, "systemd-analyze")
	for _, tt := range timespans {
		out, err := exec.Command(analyze, "timespan", "--", tt.text).Output()
		if tt.bad != (err != nil) {
			t.Errorf("%q: systemd-analyze %v, table says bad=%v", tt.text, err, tt.bad)
		}
		if tt.bad || tt.want == Infinity {
			continue
		}
		want := ""
		for line := range strings.Lines(string(out)) {
			if _, value, ok := strings.Cut(line, "s: "); ok && strings.Contains(line, "\u03bcs") || ok && strings.Contains(line, "us:") {
				want = strings.TrimSpace(value)
			}
		}
		if want != strconv.FormatUint(tt.want, 10) {
			t.Errorf("%q: systemd-analyze says %q µs, table %d", tt.text, want, tt.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want uint64
		bad  bool
	}{
		{"0", 0, false},
		{"4096", 4096, false},
		{"1B", 1, false},
		{"1K", 1 << 10, false},
		{"1.5G", 3 << 29, false},
		{" 1 M ", 1 << 20, false},
		{"1G512M", 3 << 29, false},
		{"1G 512M 7", 3<<29 + 7, false},
		{"15E", 15 << 60, false},
		{"16E", 0, true},
		{"512M1G", 0, true},
		{"1K1K", 0, true},
		{"", 0, true},
		{"K", 0, true},
		{".5G", 0, true},
		{"1.G", 0, true},
		{"1k", 0, true},
		{"1GB", 0, true},
		{"-1", 0, true},
		{"1 1", 0, true},
	}
	for _, tt := range tests {
		got, err := ParseSize(tt.text)
		if got != tt.want || tt.bad != errors.Is(err, ErrSize) {
			t.Errorf("%q: got %d, %v; want %d", tt.text, got, err, tt.want)
		}
	}
}
