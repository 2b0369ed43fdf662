// Package machineid gives a system its machine id (machine-id(5)). Its input are /etc/machine-id and the manager's
// $container_uuid, its output that file, or a file in /run bound over it where /etc is read-only; a boot step.
package machineid

import (
	"encoding/hex"
	"errors"
	"strings"
)

// ErrInvalid: neither 32 hex digits nor a UUID, or all zeros.
var ErrInvalid = errors.New("not a machine id")

// Parse reads an id: 32 hex digits, or a UUID with dashes, and a line end at most.
func Parse(text string) (string, error) {
	id := strings.ToLower(strings.TrimSuffix(text, "\n"))
	if len(id) == 36 && id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-' {
		id = id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	}
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return "", ErrInvalid
	}
	return id, nil
}

// FromRandom makes an id of random bytes, in the form of a UUID of version 4, as machine-id(5) asks of new ones.
func FromRandom(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return hex.EncodeToString(b[:])
}
