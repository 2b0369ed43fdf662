// Package lower turns a Spec into what runc's libcontainer takes.
//
// Role: the third stage of the data flow. Input: a spec.Spec; output: a
// configs.Config for PID 1 and the resources of the cgroup above it. The
// package is pure and its results are golden files: a libcontainer that lowers
// the same Spec differently shows up as a diff.
package lower

import (
	"fmt"
	"path"

	"github.com/opencontainers/cgroups"
	devices "github.com/opencontainers/cgroups/devices/config"
	"github.com/opencontainers/runc/libcontainer"
	"github.com/opencontainers/runc/libcontainer/configs"
	"github.com/opencontainers/runc/libcontainer/specconv"

	"firn/shim/internal/spec"
)

// Container is a Spec in libcontainer's terms.
type Container struct {
	Config *configs.Config
	// Outer is the cgroup above PID 1's. Limits and device rules stand there,
	// where nothing inside can reach them: in its own cgroup namespace a
	// container may write every file of its root cgroup, devices.allow of
	// cgroup v1 and bpf(2) programs of v2 included.
	Outer *cgroups.Cgroup
}

// Lower converts s. Its only errors are specs that libcontainer has no
// equivalent for.
func Lower(s *spec.Spec) (*Container, error) {
	config, err := specconv.CreateLibcontainerConfig(&specconv.CreateOpts{
		CgroupName: path.Base(s.OCI.Linux.CgroupsPath),
		Spec:       s.OCI,
		// A session keyring of its own: libcontainer's default.
	})
	if err != nil {
		return nil, fmt.Errorf("lower spec: %w", err)
	}
	config.Labels = nil // libcontainer notes the caller's cwd as a bundle
	rules := deviceRules(s)
	resources := *config.Cgroups.Resources
	resources.Devices = rules
	outer := &cgroups.Cgroup{
		Path:      path.Dir(s.OCI.Linux.CgroupsPath),
		Resources: &resources,
	}
	// The inner cgroup repeats the limits for those inside who look for theirs
	// in the cgroup they see as the root; what holds is the outer.
	inner := resources
	config.Cgroups.Resources = &inner
	return &Container{Config: config, Outer: outer}, nil
}

// deviceRules closes the device policy: nothing but what the Spec names. The
// rules of specconv.AllowedDevices, which let mknod make any node, are left out.
func deviceRules(s *spec.Spec) []*devices.Rule {
	rules := []*devices.Rule{{
		Type: devices.WildcardDevice, Major: devices.Wildcard, Minor: devices.Wildcard,
		Permissions: "rwm", Allow: false,
	}}
	number := func(n *int64) int64 {
		if n == nil {
			return devices.Wildcard
		}
		return *n
	}
	for _, d := range s.OCI.Linux.Resources.Devices {
		rules = append(rules, &devices.Rule{
			Type: devices.Type(d.Type[0]), Major: number(d.Major), Minor: number(d.Minor),
			Permissions: devices.Permissions(d.Access), Allow: d.Allow,
		})
	}
	return rules
}

// Process converts the payload's process. Descriptors and console are the
// caller's to add.
func Process(s *spec.Spec) *libcontainer.Process {
	p := s.OCI.Process
	groups := make([]int, len(p.User.AdditionalGids))
	for i, g := range p.User.AdditionalGids {
		groups[i] = int(g)
	}
	return &libcontainer.Process{
		Args: p.Args, Env: p.Env, Cwd: p.Cwd,
		UID: int(p.User.UID), GID: int(p.User.GID), AdditionalGroups: groups,
		NoNewPrivileges: &p.NoNewPrivileges,
		Rlimits:         rlimits(s),
		Init:            true,
	}
}
