package container

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// uniqueName adds a random suffix to the name of an ephemeral container that
// was given none, so that many run from one root (systemd-nspawn(1), -M).
func uniqueName(name string) string {
	suffix := make([]byte, 8)
	_, _ = rand.Read(suffix)         // never fails, says its documentation
	const room = 64 - len("-") - 2*8 // HOST_NAME_MAX, see config.CheckMachineName
	if len(name) > room {
		name = strings.TrimRight(name[:room], ".-")
	}
	return name + "-" + hex.EncodeToString(suffix)
}
