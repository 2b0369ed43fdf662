package kmod

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A table of keys that share prefixes, contain each other, and are globs.
var trieKeys = []string{"", "a", "ab", "abc", "abd", "b*", "b?d", "bcd", "pci:v0000*d*", "pci:v00008086d00001000sv*", "pci:v[01]*", "symbol:x", "symbol:xy", "z*z", "*"}

func buildTrie(keys []string) []byte {
	var b trieBuilder
	for i, key := range keys {
		b.insert(key, fmt.Sprintf("m%d", i), uint32(len(keys)-i))
	}
	return b.bytes()
}

func TestTrieRoundTrip(t *testing.T) {
	t.Parallel()
	data := buildTrie(trieKeys)
	trie, err := parseTrie(data)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range trieKeys {
		var got []Value
		if err := trie.search(key, func(v Value) bool { got = append(got, v); return true }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Value{{fmt.Sprintf("m%d", i), uint32(len(trieKeys) - i)}}, got); diff != "" {
			t.Errorf("search %q (-want +got):\n%s", key, diff)
		}
	}
	var walked []string
	if err := trie.walk(func(key string, _ Value) bool { walked = append(walked, key); return true }); err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(trieKeys)
	slices.Sort(want)
	if diff := cmp.Diff(want, walked); diff != "" {
		t.Errorf("walk (-want +got):\n%s", diff)
	}
}

// The trie's search finds what matching every key one by one finds.
func TestTrieGlob(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewSource(7))
	keys := slices.Clone(trieKeys)
	for range 300 {
		keys = append(keys, randomText(random, "ab*?c", 6))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	trie, err := parseTrie(buildTrie(keys))
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		name := randomText(random, "abcd", 6)
		var want, got []string
		for i, key := range keys {
			if Match(key, name) {
				want = append(want, fmt.Sprintf("m%d", i))
			}
		}
		if err := trie.searchGlob(name, func(v Value) bool { got = append(got, v.Text); return true }); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Fatalf("%q: found %v, matching one by one %v", name, got, want)
		}
	}
}

func randomText(random *rand.Rand, alphabet string, most int) string {
	b := make([]byte, random.Intn(most+1))
	for i := range b {
		b[i] = alphabet[random.Intn(len(alphabet))]
	}
	return string(b)
}

// Every cut and every flipped bit gives an error or an answer, soon.
func TestTrieDamage(t *testing.T) {
	t.Parallel()
	data := buildTrie(trieKeys)
	use := func(data []byte) {
		trie, err := parseTrie(data)
		if err != nil {
			return
		}
		visits := 0
		count := func(Value) bool { visits++; return true }
		_ = trie.search("abc", count)
		_ = trie.searchGlob("pci:v00008086d00001000svx", count)
		_ = trie.walk(func(string, Value) bool { visits++; return true })
		if visits > 100*len(data) {
			t.Errorf("%d visits of %d bytes", visits, len(data))
		}
	}
	for n := range data {
		use(data[:n])
		for bit := range 8 {
			damaged := slices.Clone(data)
			damaged[n] ^= 1 << bit
			use(damaged)
		}
	}
}

func TestTrieForeign(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"empty": "", "short": "\xb0\x07\xf4\x57", "magic": "\xb0\x07\xf4\x58\x00\x02\x00\x01\x00\x00\x00\x0c",
		"version 1": "\xb0\x07\xf4\x57\x00\x01\x00\x01\x00\x00\x00\x0c", "version 3": "\xb0\x07\xf4\x57\x00\x03\x00\x01\x00\x00\x00\x0c",
	} {
		if _, err := parseTrie([]byte(data)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What depmod writes for no entries at all.
	trie, err := parseTrie([]byte("\xb0\x07\xf4\x57\x00\x02\x00\x01\x00\x00\x00\x0c"))
	if err != nil {
		t.Fatal(err)
	}
	if err := trie.searchGlob("x", func(Value) bool { t.Error("found something in nothing"); return true }); err != nil {
		t.Error(err)
	}
}

// An index that somebody truncates while it is mapped is an error, not a SIGBUS.
func TestIndexShrinks(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 5000 {
		keys = append(keys, fmt.Sprintf("key%d", i))
	}
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"modules.alias.bin": string(buildTrie(keys))})
	tree := OpenTree(dir)
	defer tree.Close()
	if _, found, err := tree.alias.Lookup("key17"); err != nil || !found {
		t.Fatal(found, err)
	}
	if err := os.Truncate(dir+"/modules.alias.bin", 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tree.alias.Lookup("key17"); !errors.Is(err, ErrCorrupt) {
		t.Errorf("after the truncation: %v", err)
	}
}

// Without the binary files the text ones serve.
func TestIndexFromText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"modules.dep":     "kernel/a-b.ko.xz: kernel/c.ko.xz\r\nno colon here\n: \nkernel/c.ko.xz:\n",
		"modules.alias":   "# comment\nalias x:* a_b\nalias broken\n",
		"modules.builtin": "kernel/in-side.ko\n",
	})
	tree := OpenTree(dir)
	e, found, err := tree.entry("a_b")
	if err != nil || !found || e.path != "kernel/a-b.ko.xz" || !slices.Equal(e.deps, []string{"kernel/c.ko.xz"}) {
		t.Errorf("entry %v %v %v", e, found, err)
	}
	if values, err := tree.alias.Glob("x:1"); err != nil || len(values) != 1 || values[0].Text != "a_b" {
		t.Errorf("alias %v %v", values, err)
	}
	if builtin, err := tree.Builtin("in_side"); err != nil || !builtin {
		t.Errorf("builtin %v %v", builtin, err)
	}
}

func FuzzTrie(f *testing.F) {
	f.Add(buildTrie(trieKeys), "pci:v00008086d00001000svx")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		trie, err := parseTrie(data)
		if err != nil {
			return
		}
		_ = trie.search(name, func(Value) bool { return true })
		_ = trie.searchGlob(name, func(Value) bool { return true })
		_ = trie.walk(func(string, Value) bool { return true })
	})
}
