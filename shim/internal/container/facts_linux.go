package container

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/sys/capability"
	"github.com/moby/sys/user"
	"golang.org/x/sys/unix"

	"firn/shim/internal/config"
	"firn/shim/internal/lower"
	"firn/shim/internal/rootfs"
	"firn/shim/internal/spec"
)

// facts looks at host and root for what the Spec depends on.
func (l *launch) facts(root *rootfs.Root) (*spec.Facts, error) {
	l.places.view = &rootfs.View{Root: root.Path}
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

// check looks at what would go wrong later and less clearly.
func (l *launch) check(s *spec.Spec, root *rootfs.Root) error {
	view := rootfs.View{Root: root.Path}
	for _, m := range s.OCI.Mounts {
		if m.Type == "bind" {
			view.Binds = append(view.Binds, rootfs.Bind{Source: m.Source, Target: m.Destination})
		}
	}
	for _, m := range l.config.Mounts {
		if err := (rootfs.View{Root: root.Path}).CheckTarget(m.Target); err != nil {
			return fmt.Errorf("%s: target %w", m.From, err)
		}
	}
	if origin, err := checkLimits(l.config); err != nil {
		return fmt.Errorf("%s: %w", origin, err)
	}
	program := s.OCI.Process.Args[0]
	if !path.IsAbs(program) {
		return nil // searched for in the container's PATH, by libcontainer
	}
	if err := view.CheckProgram(program); err != nil {
		return fmt.Errorf("program %w", err)
	}
	return nil
}

// checkLimits refuses what the kernel would refuse inside libcontainer's
// clone, where the reason is lost: raising a hard limit or lowering the OOM
// score takes CAP_SYS_RESOURCE.
func checkLimits(c *config.Config) (config.Origin, error) {
	held, err := capability.GetBound(capability.CAP_SYS_RESOURCE)
	if err != nil || held {
		return config.Origin{}, err
	}
	for name, asked := range c.Limits.Rlimits {
		number, ok := lower.RlimitNumber(name)
		var now unix.Rlimit
		if !ok || unix.Getrlimit(number, &now) != nil {
			continue
		}
		if asked.V.Hard > now.Max {
			return asked.From, fmt.Errorf("%s above firn's own hard limit %d takes CAP_SYS_RESOURCE", name, now.Max)
		}
	}
	if adjust := c.Limits.OOMScoreAdjust; adjust.Set {
		var now int
		if content, err := os.ReadFile("/proc/self/oom_score_adj"); err == nil {
			_, _ = fmt.Sscan(string(content), &now)
		}
		if adjust.V < now {
			return adjust.From, fmt.Errorf("an OOM score adjustment below firn's own %d takes CAP_SYS_RESOURCE", now)
		}
	}
	return config.Origin{}, nil
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
