package kmod

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var sampleModule = fakeModule{
	info:    []string{"license=GPL", "alias=x:*", "depends=a,b-c", "vermagic=6.0 SMP ", "parm=p:text\nmore", "noequals"},
	exports: []string{"sym_one", "sym_two"},
	wants:   []string{"printk", "sym_three"},
}

// imageOf is an image in memory.
func imageOf(data []byte) *image {
	return &image{path: "test.ko", fd: -1, size: int64(len(data)), data: data}
}

func TestElfClasses(t *testing.T) {
	t.Parallel()
	for _, m := range []fakeModule{{}, {big: true}, {narrow: true}, {big: true, narrow: true}} {
		m.info, m.exports, m.wants = sampleModule.info, sampleModule.exports, sampleModule.wants
		f, err := openElf(imageOf(m.bytes()))
		if err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		section, err := f.named(".modinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		want := []Field{{"license", "GPL"}, {"alias", "x:*"}, {"depends", "a,b-c"}, {"vermagic", "6.0 SMP "}, {"parm", "p:text\nmore"}}
		if diff := cmp.Diff(want, ParseModinfo(section)); diff != "" {
			t.Errorf("modinfo (-want +got):\n%s", diff)
		}
		exports, err := f.exports()
		if diff := cmp.Diff([]Symbol{{Name: "sym_one"}, {Name: "sym_two"}}, exports); err != nil || diff != "" {
			t.Errorf("exports: %v (-want +got):\n%s", err, diff)
		}
		versions, err := f.versions()
		if diff := cmp.Diff([]Symbol{{"printk", 0x1000, 'U'}, {"sym_three", 0x1001, 'U'}}, versions); err != nil || diff != "" {
			t.Errorf("versions: %v (-want +got):\n%s", err, diff)
		}
		var r moduleReader
		wants, err := r.wanted(f)
		if diff := cmp.Diff([]Symbol{{Name: "printk", Bind: 'U'}, {Name: "sym_three", Bind: 'U'}}, wants); err != nil || diff != "" {
			t.Errorf("wants: %v (-want +got):\n%s", err, diff)
		}
	}
}

func TestElfDamage(t *testing.T) {
	t.Parallel()
	data := sampleModule.bytes()
	for n := range data {
		readAllOf(imageOf(data[:n]))
		for _, flip := range []byte{1, 0x80, 0xff} {
			damaged := slices.Clone(data)
			damaged[n] ^= flip
			readAllOf(imageOf(damaged))
		}
	}
}

// readAllOf reads whatever can be read of an image.
func readAllOf(im *image) {
	_, _ = readSignature(im)
	f, err := openElf(im)
	if err != nil {
		return
	}
	if section, err := f.named(".modinfo", nil); err == nil {
		ParseModinfo(section)
	}
	_, _ = f.exports()
	_, _ = f.versions()
	var r moduleReader
	_, _ = r.wanted(f)
}

func TestModuleShrinks(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/m.ko"
	if err := os.WriteFile(path, sampleModule.bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	im, err := openImage(path)
	if err != nil {
		t.Fatal(err)
	}
	defer im.Close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := openElf(im); !errors.Is(err, ErrCorrupt) {
		t.Errorf("after the truncation: %v", err)
	}
}

func TestForce(t *testing.T) {
	t.Parallel()
	for _, m := range []fakeModule{sampleModule, {info: sampleModule.info, wants: sampleModule.wants, narrow: true, big: true}} {
		im := imageOf(m.bytes())
		if err := stripVersions(im, Force{Vermagic: true, Modversion: true}); err != nil {
			t.Fatal(err)
		}
		f, err := openElf(im)
		if err != nil {
			t.Fatal(err)
		}
		if s := f.section("__versions"); s.flags&shfAlloc != 0 {
			t.Error("__versions is still to be loaded")
		}
		section, _ := f.named(".modinfo", nil)
		info := Modinfo{Fields: ParseModinfo(section)}
		if info.Value("vermagic") != "" || info.Value("license") != "GPL" || info.Value("parm") == "" {
			t.Errorf("fields after the strip: %v", info.Fields)
		}
	}
}

func FuzzModule(f *testing.F) {
	f.Add(sampleModule.bytes())
	f.Add(append(sampleModule.bytes(), "\x30\x03\x06\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x05"+signatureMagic...))
	f.Fuzz(func(t *testing.T, data []byte) { readAllOf(imageOf(data)) })
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c := compressionOf(data); c == gzipped {
			_, _ = decompress(c, data, nil)
		}
	})
}
