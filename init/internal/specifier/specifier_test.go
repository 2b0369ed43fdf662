package specifier

import (
	"errors"
	"strings"
	"testing"

	"firn/init/internal/unit"
)

var facts = Facts{MachineID: "0123456789abcdef0123456789abcdef", BootID: "fedcba9876543210fedcba9876543210",
	Hostname: "web.example.org", Kernel: "6.1.0", Architecture: "x86-64", ID: "nixos", VersionID: "24.05"}

func TestExpand(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       unit.Name
		text, want string
		err        error
	}{
		{"a.service", "plain", "plain", nil},
		{"a.service", "100%% of %n, %N, %p", "100% of a.service, a, a", nil},
		{"a.service", "100% %", "100% %", nil},
		{"a.service", "%z %Z %0", "%z %Z %0", nil},
		{"a.service", "%i|%I|", "||", nil},
		{"getty@tty1.service", "%i %I %p %N %n", "tty1 tty1 getty getty@tty1 getty@tty1.service", nil},
		{"a-b-c@x-y\\x2dz.service", "%i %I %j %J %P", `x-y\x2dz x/y-z c c a/b/c`, nil},
		{"fsck@dev-sda1.service", "%f", "/dev/sda1", nil},
		{"srv-data.mount", "%f", "/srv/data", nil},
		{"a@\\xzz.service", "%I", "", unit.ErrEscape},
		{"a.service", "%S %C %L %E %t %T %V %h %u %U %g %G %s %d", "/var/lib /var/cache /var/log /etc /run /tmp /var/tmp /root root 0 root 0 /bin/sh /run/credentials/a.service", nil},
		{"a.service", "%H %l %q %m %b %v %a", "web.example.org web web " + facts.MachineID + " " + facts.BootID + " 6.1.0 x86-64", nil},
		{"a.service", "%o %w <%W%B%M%A>", "nixos 24.05 <>", nil},
		{"a.service", "%y %Y", "/etc/systemd/system/a.service /etc/systemd/system", nil},
		{"a.service", strings.Repeat("%m", 1<<16), "", ErrTooLong},
	}
	for _, tt := range tests {
		c := Context{Name: tt.name, Fragment: "/etc/systemd/system/" + string(tt.name), Facts: &facts}
		got, err := c.Expand(tt.text)
		if got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %.40q: got %q, %v; want %q, %v", tt.name, tt.text, got, err, tt.want, tt.err)
		}
	}
	bare := Context{Name: "a.service", Facts: &Facts{}}
	for _, letter := range "amvbHlqyY" {
		if got, err := bare.Expand("x%" + string(letter)); !errors.Is(err, ErrUnknown) || got != "" {
			t.Errorf("%%%c where nothing is known: %q, %v", letter, got, err)
		}
	}
}

func FuzzExpand(f *testing.F) {
	f.Add("a-b@c\\x2d.service", "%n%%%I%f%j%z%")
	f.Fuzz(func(t *testing.T, name, text string) {
		n, err := unit.ParseName(name)
		if err != nil {
			return
		}
		c := Context{Name: n, Facts: &facts}
		got, err := c.Expand(text)
		if err != nil && got != "" {
			t.Errorf("%q beside %v", got, err)
		}
		if !strings.Contains(text, "%") && got != text {
			t.Errorf("%q became %q", text, got)
		}
		if again, _ := c.Expand(strings.ReplaceAll(text, "%", "%%")); len(text) < maxText/2 && again != text {
			t.Errorf("%q with its percent signs doubled became %q", text, again)
		}
	})
}
