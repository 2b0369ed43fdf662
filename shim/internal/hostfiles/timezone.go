package hostfiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

const (
	localtime = "/etc/localtime"
	zoneinfo  = "/usr/share/zoneinfo/"
)

// timezone applies one mode: off, copy, bind, symlink, delete, or auto: symlink
// if the host's /etc/localtime is one, else copy, or bind in a read-only root.
// What is asked for by name and cannot be done is an error; auto then does
// nothing, since no container fails to start for its time zone.
func (h Host) timezone(root *rootfs.Root, mode config.TimezoneMode, readOnly bool) (*spec.Bind, error) {
	auto := mode == "auto"
	if auto {
		mode = h.autoTimezone(readOnly)
	}
	switch mode {
	case "off":
		return nil, nil
	case "delete":
		return nil, root.Remove(localtime)
	case "symlink":
		err := h.linkZone(root)
		if auto && errors.Is(err, errNoZone) {
			err = nil
		}
		return nil, err
	}
	content, err := os.ReadFile(h.path(localtime))
	if auto && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", localtime, cause(err))
	}
	if mode == "copy" {
		return nil, root.ReplaceFile(localtime, content, 0o644)
	}
	if auto && !root.Exists(localtime) {
		return nil, nil
	}
	return bindOver(root, h.path(localtime), localtime)
}

func (h Host) autoTimezone(readOnly bool) config.TimezoneMode {
	info, err := os.Lstat(h.path(localtime))
	switch {
	case err != nil:
		return "off"
	case readOnly:
		return "bind"
	case info.Mode()&fs.ModeSymlink != 0:
		return "symlink"
	}
	return "copy"
}

var errNoZone = errors.New("no time zone to link to")

// linkZone points the root's /etc/localtime at the host's zone, as far as the
// root has the zone's file.
func (h Host) linkZone(root *rootfs.Root) error {
	target, err := os.Readlink(h.path(localtime))
	if err != nil {
		return fmt.Errorf("%w: /etc/localtime of the host is no symbolic link", errNoZone)
	}
	_, zone, ok := strings.Cut(target, zoneinfo)
	if !ok {
		return fmt.Errorf("%w: /etc/localtime of the host leads to %s", errNoZone, target)
	}
	if !root.Exists(zoneinfo + zone) {
		return fmt.Errorf("%w: the root has no zone %s", errNoZone, zone)
	}
	if _, now, _ := strings.Cut(root.Readlink(localtime), zoneinfo); now == zone {
		return nil // as it is
	}
	return root.Symlink(".."+zoneinfo+zone, localtime)
}
