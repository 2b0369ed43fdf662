package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/moby/sys/capability"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// facts looks at host and root for what the Spec depends on.
func (l *launch) facts(root *rootfs.Root) (*spec.Facts, error) {
	l.places.view = &rootfs.View{Root: root.Path}
	l.places.mounted = &rootfs.View{Root: root.Path}
	for _, m := range l.config.Mounts {
		if m.Kind == config.MountBind && m.Sources[0].Base == config.FromHost {
			l.places.mounted.Binds = append(l.places.mounted.Binds, rootfs.Bind{Source: m.Sources[0].Path, Target: m.Target})
		}
	}
	caps, err := boundingSet()
	if err != nil {
		return nil, err
	}
	account, err := payloadUser(root, l.config.Exec.User)
	if err != nil {
		return nil, err
	}
	release, err := osRelease()
	if err != nil {
		return nil, err
	}
	firnInit, err := l.runHost()
	if err != nil {
		return nil, err
	}
	return &spec.Facts{
		Name: l.name, Root: root.Path, RunHost: l.dir.Host(), Terminal: l.term,
		Capabilities: caps, Memory: physicalMemory(), TunMode: tunMode(),
		CgroupMode: l.host.Mode, CgroupPath: l.cgroup.Payload(),
		OSRelease: release, Environ: os.Getenv,
		Init: root.Init(), Shell: root.Shell(), UUID: l.record.UUID,
		User: account, FirnInit: firnInit, Places: l.places,
	}, nil
}

// boundingSet lists the caller's capabilities that can be passed on.
func boundingSet() ([]string, error) {
	var names []string
	for _, c := range capability.ListKnown() {
		held, err := capability.GetBound(c)
		if errors.Is(err, unix.EINVAL) {
			continue // newer than this kernel
		}
		if err != nil {
			return nil, fmt.Errorf("read bounding set: %w", err)
		}
		if held {
			names = append(names, "CAP_"+strings.ToUpper(c.String()))
		}
	}
	return names, nil
}

// payloadUser looks a user up in the container's own database. Root needs no
// database: a NixOS root has none before its first activation.
func payloadUser(root *rootfs.Root, asked config.Value[string]) (spec.User, error) {
	if !asked.Set || asked.V == "root" || asked.V == "0" {
		return spec.User{Name: "root", Home: "/root", Shell: "/bin/sh"}, nil
	}
	passwd, group := database(root, "/etc/passwd"), database(root, "/etc/group")
	found, err := user.GetExecUser(asked.V, &user.ExecUser{Home: "/"}, passwd, group)
	if err != nil {
		return spec.User{}, fmt.Errorf("%s: user %q is not in the container's /etc/passwd", asked.From, asked.V)
	}
	account := spec.User{Name: asked.V, UID: uint32(found.Uid), GID: uint32(found.Gid), Home: found.Home}
	for _, g := range found.Sgids {
		account.Groups = append(account.Groups, uint32(g))
	}
	return account, nil
}

// database reads a file of the root; a missing one is an empty one.
func database(root *rootfs.Root, p string) io.Reader {
	content, err := root.ReadFile(p, 16<<20)
	if err != nil {
		return bytes.NewReader(nil)
	}
	return bytes.NewReader(content)
}

func tunMode() os.FileMode {
	info, err := os.Stat("/dev/net/tun")
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return 0
	}
	return info.Mode().Perm()
}

func physicalMemory() uint64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}

// firnInitPath is where firn-init stands on the host: beside firn, or where
// the environment says.
func firnInitPath() string {
	if p := os.Getenv("FIRN_INIT"); p != "" {
		return p
	}
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	for _, p := range []string{
		filepath.Join(filepath.Dir(self), "firn-init"),
		filepath.Join(filepath.Dir(self), "../lib/firn/firn-init"),
	} {
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p
		}
	}
	return ""
}
