package rootfs

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// Prepare makes an empty directory fit to be a root, as the origin's preStart
// does: /etc with mode 0755 and an /etc/os-release, empty if there is none,
// by which systemd-nspawn and others know an OS tree. A root that has them is
// left as it is.
func (r *Root) Prepare() error {
	if err := r.MkdirAll("/etc", 0o755); err != nil {
		return err
	}
	if r.Exists("/etc/os-release") || r.Exists("/usr/lib/os-release") {
		return nil
	}
	return r.CreateFile("/etc/os-release", nil, 0o644)
}

// initPaths are where --boot looks for an init, in order (systemd-nspawn(1), -b).
var initPaths = []string{"/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init", "/init"}

// Init returns the path of the root's init, or "".
func (r *Root) Init() string { return r.firstProgram(initPaths) }

// Shell returns the path of the root's shell, or "".
func (r *Root) Shell() string {
	return r.firstProgram([]string{"/bin/bash", "/usr/bin/bash", "/bin/sh", "/usr/bin/sh"})
}

func (r *Root) firstProgram(paths []string) string {
	for _, p := range paths {
		if r.Exists(p) {
			return p
		}
	}
	return ""
}

var machineID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// MachineID returns the id in /etc/machine-id, 32 hexadecimal digits, or "" if
// it is missing, empty or "uninitialized" (machine-id(5)).
func (r *Root) MachineID() string {
	content, err := r.ReadFile("/etc/machine-id", 64)
	if err != nil {
		return ""
	}
	id := strings.TrimSpace(string(content))
	if !machineID.MatchString(id) || id == strings.Repeat("0", 32) {
		return ""
	}
	return id
}

// NewMachineID returns a random id: a version 4 UUID without dashes, as
// machine-id(5) asks.
func NewMachineID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails, says its documentation
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return hex.EncodeToString(id)
}

// CheckWritable tells whether files can be made in the root.
func (r *Root) CheckWritable() error {
	if err := unix.Faccessat(unix.AT_FDCWD, r.Path, unix.W_OK, 0); err != nil {
		return fmt.Errorf("root %s: %w", r.Path, err)
	}
	return nil
}
