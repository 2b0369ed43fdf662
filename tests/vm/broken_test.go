//go:build vm

package vm

import (
	"strings"
	"testing"
)

// Files that are no modules for this kernel: each is refused with a sentence that
// says why, where kmod has the errno's words alone.
func TestBrokenModules(t *testing.T) {
	eachLoader(t, func(t *testing.T, label Label, l loader) {
		other := Linux61
		if label == Linux61 {
			other = Linux612
		}
		plain := string(plainModule(t, label, "dummy"))
		packed := string(filter(t, []byte(plain), "xz", "-c", "--check=crc32"))
		header := "\x7fELF" + strings.Repeat("\x00", 60)
		version := openKernel(t, label).version
		tests := []struct {
			name, content string
			sentence      []string // of firn-kmod
		}{
			{"wrong-vermagic.ko", string(plainModule(t, other, "dummy")), []string{"built for", openKernel(t, other).version, version}},
			{"corrupted.ko", header + plain[64:], []string{"signature does not fit the file"}},
			{"cut.ko", plain[:len(plain)/2], []string{"damaged"}},
			{"cut.ko.xz", packed[:len(packed)/2], []string{"corrupt"}},
			{"empty.ko", "", []string{"empty"}},
			{"text.ko", "#!/bin/sh\n", []string{"no module"}},
		}
		files := l.files(t)
		for _, tt := range tests {
			files = append(files, File{Path: "/vm/" + tt.name, Text: tt.content})
		}
		g := Start(t, Machine{Kernel: label, Files: files})
		for _, tt := range tests {
			out := g.Run("insmod", "/vm/"+tt.name)
			if out.Status != 1 || !strings.HasPrefix(out.Stderr, "insmod: ERROR: could not ") || strings.Count(out.Stderr, "\n") != 1 {
				t.Errorf("%s: %v", tt.name, out)
			}
			for _, part := range tt.sentence {
				if l.name != "kmod" && !strings.Contains(out.Stderr, part) {
					t.Errorf("%s: no word of %q in: %s", tt.name, part, out.Stderr)
				}
			}
		}
		if modules := g.Modules(); len(modules) != 0 {
			t.Errorf("loaded all the same: %v", modules)
		}
	})
}
