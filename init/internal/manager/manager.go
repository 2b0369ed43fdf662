// Package manager knows who started firn-init, by the environment of systemd's Container Interface, and what
// environment its own children get. Its input is an environment; its output are plain values. It is pure.
package manager

import (
	"slices"
	"strings"
)

// Manager is what a container manager says of itself.
type Manager struct {
	Container string // $container: its name, such as "systemd-nspawn", "lxc" or "firn"; empty on a machine
	UUID      string // $container_uuid, as it was given
	Notify    string // $NOTIFY_SOCKET
}

// FromEnviron reads an environment of NAME=value strings. If a name is there twice, the last counts.
func FromEnviron(environ []string) Manager {
	var m Manager
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "container":
			m.Container = value
		case "container_uuid":
			m.UUID = value
		case "NOTIFY_SOCKET":
			m.Notify = value
		}
	}
	return m
}

// FromFiles completes what the environment did not say by the files in /run/host, where a manager says it once more for
// those who come later. read gives a file's text.
func (m Manager) FromFiles(read func(name string) ([]byte, error)) Manager {
	for name, field := range map[string]*string{"container-manager": &m.Container, "container-uuid": &m.UUID} {
		if *field != "" {
			continue
		}
		if text, err := read("/run/host/" + name); err == nil {
			*field = strings.TrimSuffix(string(text), "\n")
		}
	}
	return m
}

// own are variables that speak to PID 1 alone: whoever else used them would speak in its name.
var own = []string{"NOTIFY_SOCKET", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC", "systemConfig"}

// DefaultPath is the search path of children, where the manager gave none.
const DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// nixPath goes before any other where a NixOS system is there (nixpkgs' environment.profiles): no manager knows it.
const nixPath = "/run/wrappers/bin:/nix/var/nix/profiles/default/bin:/run/current-system/sw/bin:/run/current-system/sw/sbin"

// ChildEnviron is the environment of what PID 1 starts in boot mode: its own, $container and $container_host_* included,
// without what is meant for PID 1, and with what any program expects. nixos says that a NixOS system is activated.
func ChildEnviron(environ []string, nixos bool) []string {
	env := slices.DeleteFunc(slices.Clone(environ), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(own, name)
	})
	path := Lookup(env, "PATH")
	if path == "" {
		path = DefaultPath
	}
	if nixos {
		path = nixPath + ":" + path
	}
	env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	for _, v := range []string{"PATH=" + path, "HOME=/root", "USER=root", "LOGNAME=root"} {
		name, _, _ := strings.Cut(v, "=")
		if Lookup(env, name) == "" {
			env = append(env, v)
		}
	}
	return env
}

// Lookup gives the value of a variable, empty if it is not there.
func Lookup(environ []string, name string) string {
	for _, v := range slices.Backward(environ) {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			return rest
		}
	}
	return ""
}
