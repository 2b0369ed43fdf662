package vm

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// image is a bzImage of two sectors of real-mode code and the given payload.
func image(payload string, length uint32) []byte {
	b := make([]byte, 2*512+16)
	b[0x1f1] = 1
	copy(b[0x202:], "HdrS")
	binary.LittleEndian.PutUint32(b[0x248:], 16)
	binary.LittleEndian.PutUint32(b[0x24c:], length)
	return append(b, payload...)
}

func TestPayload(t *testing.T) {
	t.Parallel()
	got, program, err := payload(image("\xfd7zXZ\x00more1234rest", 14))
	if err != nil || program != "xz" || !bytes.Equal(got, []byte("\xfd7zXZ\x00more")) {
		t.Errorf("%q, %q, %v", got, program, err)
	}
	for name, bad := range map[string][]byte{
		"no bzImage":          []byte("MZ"),
		"is beyond the image": image("\x28\xb5\x2f\xfd", 99),
		"unknown compression": image("\x02\x21\x4c\x18........", 12),
	} {
		if _, _, err := payload(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
