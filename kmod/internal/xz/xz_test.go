package xz

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand"
	"os/exec"
	"testing"

	"firn/tests/require"
)

// samples are inputs that exercise different symbols of the coder.
func samples() map[string][]byte {
	random := rand.New(rand.NewSource(1))
	noise := make([]byte, 70_000)
	random.Read(noise)
	text := []byte{}
	for i := range 5_000 {
		text = fmt.Appendf(text, "line %d of %d with value %x\n", i, i*7%13, random.Int31n(1000))
	}
	mixed := append(append(append([]byte{}, text...), noise...), text...)
	return map[string][]byte{
		"empty": nil, "byte": {42}, "zeros": make([]byte, 1_000_000), "noise": noise, "text": text, "mixed": mixed,
		"short period": bytes.Repeat([]byte("abc"), 100_000),
	}
}

// pack runs the reference implementation.
func pack(t testing.TB, data []byte, options ...string) []byte {
	t.Helper()
	cmd := exec.Command(require.Program(t, "xz"), append([]string{"-c", "--format=xz"}, options...)...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDecode(t *testing.T) {
	t.Parallel()
	options := [][]string{
		{"--check=crc32", "--lzma2=dict=1MiB"}, {"-0"}, {"-9e", "--check=crc64"}, {"--check=none"}, {"--check=sha256"}, {"--lzma2=lc=0,lp=4,pb=0"},
		{"--lzma2=lc=4,lp=0,pb=4"}, {"--lzma2=lc=1,lp=2,pb=1"}, {"--block-size=50000"}, {"-T2", "--block-size=100000"}, {"--lzma2=mode=fast,mf=hc3,dict=64KiB"},
	}
	for name, data := range samples() {
		for _, o := range options {
			got, err := Decode(pack(t, data, o...), nil, len(data))
			if err != nil {
				t.Errorf("%s, %v: %v", name, o, err)
			} else if !bytes.Equal(got, data) {
				t.Errorf("%s, %v: %d bytes differ from the %d packed", name, o, len(got), len(data))
			}
		}
	}
}

func TestDecodeStreams(t *testing.T) {
	t.Parallel()
	packed := pack(t, []byte("one "))
	packed = append(packed, 0, 0, 0, 0)
	packed = append(packed, pack(t, []byte("two"))...)
	got, err := Decode(packed, nil, 100)
	if err != nil || string(got) != "one two" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDecodeLimit(t *testing.T) {
	t.Parallel()
	packed := pack(t, make([]byte, 1<<20))
	if _, err := Decode(packed, nil, 1<<20-1); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a limit of one byte less gives %v", err)
	}
	if _, err := Decode(pack(t, []byte("x"), "--x86", "--lzma2"), nil, 10); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a BCJ filter gives %v", err)
	}
}

// Each cut and each flipped bit is an error, or unpacks to the very same bytes
// (padding that no check covers).
func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	data := samples()["text"][:3000]
	packed := pack(t, data, "--check=crc32")
	for n := range packed {
		if _, err := Decode(packed[:n], nil, 1<<20); err == nil {
			t.Errorf("cut to %d bytes of %d: no error", n, len(packed))
		}
		for b := range 8 {
			damaged := bytes.Clone(packed)
			damaged[n] ^= 1 << b
			if got, err := Decode(damaged, nil, 1<<20); err == nil && !bytes.Equal(got, data) {
				t.Errorf("bit %d of byte %d: wrong bytes, no error", b, n)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		if out, err := Decode(data, nil, 1<<20); err == nil && len(out) > 1<<20 {
			t.Errorf("%d bytes past the limit", len(out))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := samples()["text"]
	packed := pack(b, data, "--check=crc32", "--lzma2=dict=1MiB")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(packed, nil, len(data)); err != nil {
			b.Fatal(err)
		}
	}
}
