package zstd

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
	cmd := exec.Command(require.Program(t, "zstd"), append([]string{"-c", "-q"}, options...)...)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDecode(t *testing.T) {
	t.Parallel()
	options := [][]string{{"-1"}, {"-3"}, {"-19"}, {"--ultra", "-22"}, {"--no-check"}, {"--fast=5"}, {"-9", "--long"}, {"--no-content-size"}}
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
	packed = append(packed, "\x5a\x2a\x4d\x18\x02\x00\x00\x00xx"...)
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
}

// Each cut and each flipped bit is an error, or unpacks to the very same bytes
// (padding that no check covers).
func TestDecodeDamage(t *testing.T) {
	t.Parallel()
	data := samples()["text"][:3000]
	packed := pack(t, data)
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
	f.Add([]byte("\x28\xb5\x2f\xfd\x04\x00\x09\x00\x00x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if out, err := Decode(data, nil, 1<<20); err == nil && len(out) > 1<<20 {
			t.Errorf("%d bytes past the limit", len(out))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	data := samples()["text"]
	packed := pack(b, data, "-3")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(packed, nil, len(data)); err != nil {
			b.Fatal(err)
		}
	}
}
