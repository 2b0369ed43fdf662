package spec

import (
	"fmt"
	"path"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/shim/internal/config"
)

// RunHostInit is where firn-init stands in a container that needs it: as the
// stub PID 1 of --as-pid2, or as the init of Init=firn.
const RunHostInit = "/run/host/firn-init"

// HaltSignal asks an init to halt: SIGRTMIN+3 of the Container Interface.
const HaltSignal = config.Signal(34 + 3)

// haltingInits are programs that halt on SIGRTMIN+3. A payload of such a name
// is executed with the signal blocked even without --boot, since the origin's
// start line has no --boot: "systemd-nspawn ... PATH/init".
var haltingInits = []string{"init", "systemd", "firn-init"}

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (s *Spec) buildProcess(c *config.Config, f *Facts) error {
	args, err := argv(c, f)
	if err != nil {
		return err
	}
	if c.StartMode() == config.StartBoot || slices.Contains(haltingInits, path.Base(args[0])) {
		s.Blocked = []config.Signal{c.Exec.KillSignal.Or(HaltSignal)}
	}
	p := &specs.Process{
		Terminal:        s.Console != config.ConsolePipe,
		User:            specs.User{UID: f.User.UID, GID: f.User.GID, AdditionalGids: f.User.Groups},
		Args:            args,
		Env:             s.environment(c, f),
		Cwd:             c.Exec.WorkingDirectory.Or("/"),
		NoNewPrivileges: c.Security.NoNewPrivileges.V,
	}
	s.OCI.Process = p
	s.capabilities(c, f)
	return nil
}

// argv is the command line of PID 1.
func argv(c *config.Config, f *Facts) ([]string, error) {
	params := c.Exec.Parameters.V
	switch c.StartMode() {
	case config.StartBoot:
		init, err := initCommand(c, f)
		if err != nil {
			return nil, err
		}
		return append(init, params...), nil
	case config.StartPID2:
		if !f.FirnInit {
			return nil, fmt.Errorf("%s: firn-init not found beside firn", c.Exec.AsPID2.From)
		}
		if len(params) == 0 {
			params = []string{f.Shell, "-l"}
		}
		return append([]string{RunHostInit, "--"}, params...), nil
	}
	if len(params) > 0 {
		return params, nil
	}
	if f.Shell == "" {
		return nil, fmt.Errorf("no program given and no shell in %s", f.Root)
	}
	return []string{f.Shell, "-l"}, nil
}

// initCommand is what --boot starts: the system's own init, or firn-init doing
// its work for Init=firn.
func initCommand(c *config.Config, f *Facts) ([]string, error) {
	system := c.Firn.SystemPath.V
	switch init := c.Firn.Init.Or("auto"); init {
	case "firn":
		if !f.FirnInit {
			return nil, fmt.Errorf("%s: firn-init not found beside firn", c.Firn.Init.From)
		}
		cmd := []string{RunHostInit, "--boot"}
		if system != "" {
			cmd = append(cmd, "--system", system)
		}
		return cmd, nil
	case "auto", "systemd":
		if system != "" {
			return []string{path.Join(system, "init")}, nil
		}
		if f.Init == "" {
			return nil, fmt.Errorf("boot %s: %w", f.Root, ErrNoInit)
		}
		return []string{f.Init}, nil
	default:
		return []string{init}, nil
	}
}

// environment follows the Container Interface and systemd-nspawn(1),
// "Environment" of the payload.
func (s *Spec) environment(c *config.Config, f *Facts) []string {
	env := []string{
		"PATH=" + defaultPath,
		"LANG=C.UTF-8",
		"container=firn",
		"container_uuid=" + dashed(f.UUID),
		"NOTIFY_SOCKET=/run/host/notify",
		"HOME=" + f.User.Home,
		"USER=" + f.User.Name,
		"LOGNAME=" + f.User.Name,
	}
	if term := f.Environ("TERM"); term != "" {
		env = append(env, "TERM="+term)
	}
	for _, v := range []struct{ name, key string }{
		{"container_host_id", "ID"}, {"container_host_version_id", "VERSION_ID"},
		{"container_host_build_id", "BUILD_ID"}, {"container_host_variant_id", "VARIANT_ID"},
	} {
		if value := f.OSRelease[v.key]; value != "" {
			env = append(env, v.name+"="+value)
		}
	}
	for _, v := range c.Exec.Environment {
		env = setenv(env, v.Name, v.Value)
	}
	return env
}

// setenv replaces the assignment of name or appends one.
func setenv(env []string, name, value string) []string {
	i := slices.IndexFunc(env, func(e string) bool {
		return len(e) > len(name) && e[:len(name)] == name && e[len(name)] == '='
	})
	if i < 0 {
		return append(env, name+"="+value)
	}
	env[i] = name + "=" + value
	return env
}

// dashed is the form of a UUID that $container_uuid has.
func dashed(id string) string {
	if len(id) != 32 {
		return id
	}
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}
