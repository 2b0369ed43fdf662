package config

import (
	"fmt"
	"strings"
	"testing"
)

// line writes a Mount down in one line.
func (m Mount) line() string {
	var out []string
	for _, s := range m.Sources {
		out = append(out, string(s.Base)+":"+s.Path)
	}
	out = append(out, "->", m.Target)
	if m.ReadOnly {
		out = append(out, "ro")
	}
	if m.Flat {
		out = append(out, "flat")
	}
	if m.IDMap != IDMapNone {
		out = append(out, string(m.IDMap))
	}
	if m.Options != "" {
		out = append(out, "options="+m.Options)
	}
	return string(m.Kind) + " " + strings.Join(out, " ")
}

func TestMountArguments(t *testing.T) {
	t.Parallel()
	tests := []struct{ arg, want string }{
		{"--bind=/a", "bind host:/a -> /a"},
		{"--bind=/a/../b//c/", `target: target holds ".."`},
		{"--bind=/a//c/", "bind host:/a/c -> /a/c"},
		{"--bind-ro=/a:/b", "bind host:/a -> /b ro"},
		{"--bind=a/../b:/c", "bind host:/home/u/b -> /c"},
		{"--bind=.:/c", "bind host:/home/u -> /c"},
		{"--bind=a", "target: not an absolute path"},
		{"--bind=/a:b", "target: not an absolute path"},
		{"--bind=+/a", "bind root:/a -> /a"},
		{"--bind=+/a:/b", "bind root:/a -> /b"},
		{"--bind=+a:/b", "source: not an absolute path"},
		{"--bind=+:/b", "source: empty value"},
		{"--bind=/a:+/b", "target: not an absolute path"},
		{"--bind=:/b", "bind temp: -> /b"},
		{"--bind=", "target: empty value"},
		{"--bind=/a:", "target: empty value"},
		{"--bind=/a::rbind", "target: empty value"},
		{`--bind=/a\:b`, "bind host:/a:b -> /a:b"},
		{`--bind=/a\:b:/c\:d`, "bind host:/a:b -> /c:d"},
		{`--bind=/a\\:/c`, `bind host:/a\ -> /c`},
		{`--bind=/a\`, "backslash at the end"},
		{`--bind=/a:/b\`, "backslash at the end"},
		{`--bind="/a":/b`, `bind host:/home/u/"/a" -> /b`},
		{"--bind=/a:/b:", "bind host:/a -> /b"},
		{"--bind=/a:/b:norbind", "bind host:/a -> /b flat"},
		{"--bind=/a:/b:norbind,rbind", "bind host:/a -> /b"},
		{"--bind=/a:/b:idmap", "bind host:/a -> /b idmap"},
		{"--bind=/a:/b:rootidmap,norbind,", "bind host:/a -> /b flat rootidmap"},
		{"--bind=/a:/b:owneridmap", "bind host:/a -> /b owneridmap"},
		{"--bind=/a:/b:idmap,noidmap", "bind host:/a -> /b"},
		{"--bind=/a:/b:ro", `unknown bind option "ro"`},
		{"--bind=/a:/b:idmpa", `unknown bind option "idmpa" (did you mean idmap?)`},
		{"--bind=/a:/b:rbind:x", `unknown bind option "rbind:x" (did you mean rbind?)`},
		{"--bind=/a:/", "target: target is the container's root, use --volatile= or --read-only for that"},
		{"--bind=/a\x01:/b", "source: holds control characters or is not UTF-8"},
		{"--bind=/a:/b\xff", "target: holds control characters or is not UTF-8"},
		{"--bind=/" + strings.Repeat("a", 4096) + ":/b", "source: path longer than 4095 bytes"},

		{"--tmpfs=/a", "tmpfs -> /a"},
		{"--tmpfs=/a:", "tmpfs -> /a"},
		{"--tmpfs=/a:mode=755,size=10%", "tmpfs -> /a options=mode=755,size=10%"},
		{"--tmpfs=/a:b:c", "tmpfs -> /a options=b:c"},
		{`--tmpfs=/a\:b:mode=1`, "tmpfs -> /a:b options=mode=1"},
		{"--tmpfs=a", "not an absolute path"},
		{"--tmpfs=", "empty value"},
		{"--tmpfs=/", "target is the container's root, use --volatile= or --read-only for that"},
		{"--tmpfs=/a:size=\n", "holds control characters or is not UTF-8"},

		{"--overlay=/a:/b", "overlay host:/a host:/b -> /b"},
		{"--overlay=a:b", "overlay host:/home/u/a host:/home/u/b -> /home/u/b"},
		{"--overlay=/a:+/b", "overlay host:/a root:/b -> /b"},
		{"--overlay-ro=/a:/b:/c", "overlay host:/a host:/b -> /c ro"},
		{"--overlay=/a:/b:/c:/d", "overlay host:/a host:/b host:/c -> /d"},
		{"--overlay=+/var::/var", "overlay root:/var temp: -> /var"},
		{"--overlay=/a:+/b::/c", "overlay host:/a root:/b temp: -> /c"},
		{`--overlay=/a\:x:/b:/c`, "overlay host:/a:x host:/b -> /c"},
		{"--overlay=/a", "an overlay needs at least two paths"},
		{"--overlay=", "an overlay needs at least two paths"},
		{"--overlay=/a:", "target: empty value"},
		{"--overlay=:/a", "only the uppermost directory may be left empty"},
		{"--overlay=:/b:/c", "only the uppermost directory may be left empty"},
		{"--overlay=/a::/b:/c", "only the uppermost directory may be left empty"},
		{"--overlay=/a:/b:c", "target: not an absolute path"},
		{"--overlay=/a:/b:/", "target: target is the container's root, use --volatile= or --read-only for that"},
		{"--overlay=+a:/b:/c", "source +a: not an absolute path"},
		{`--overlay=/a:/b\`, "backslash at the end"},

		{"--inaccessible=/a", "inaccessible -> /a"},
		{`--inaccessible=/a\:b`, `inaccessible -> /a\:b`},
		{"--inaccessible=a", "not an absolute path"},
		{"--inaccessible=", "empty value"},
	}
	for _, tt := range tests {
		c, err := ParseArgv([]string{tt.arg}, caller)
		got := ""
		switch {
		case err != nil:
			_, got, _ = strings.Cut(err.Error(), ": ")
		case len(c.Mounts) != 1:
			got = fmt.Sprint(len(c.Mounts), " mounts")
		default:
			got = c.Mounts[0].line()
		}
		if got != tt.want {
			t.Errorf("%.60q:\n got %s\nwant %s", tt.arg, got, tt.want)
		}
	}
}

// TestMountEscapesInFiles: settings files have the same grammar.
func TestMountEscapesInFiles(t *testing.T) {
	t.Parallel()
	c := settings(t, "[Files]\nBind=/a\\:b:/c:norbind,idmap\nOverlay=+/var::/var\nTemporaryFileSystem=/t:mode=700\n", true)
	want := []string{"bind host:/a:b -> /c flat idmap", "overlay root:/var temp: -> /var", "tmpfs -> /t options=mode=700"}
	for i, m := range c.Mounts {
		if m.line() != want[i] {
			t.Errorf("got %s, want %s", m.line(), want[i])
		}
	}
}
