package spec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/shim/internal/config"
)

// personalities maps the names of uname(2)'s machine to OCI's domains. Where
// both are the native word size there is nothing to change.
var personalities = map[config.Personality]specs.LinuxPersonalityDomain{
	"x86": specs.PerLinux32, "x86-64": specs.PerLinux,
	"arm": specs.PerLinux32, "arm64": specs.PerLinux,
}

func (s *Spec) buildLimits(c *config.Config, _ *Facts) error {
	p := s.OCI.Process
	for _, name := range slices.Sorted(maps.Keys(c.Limits.Rlimits)) {
		limit := c.Limits.Rlimits[name].V
		p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: name, Soft: limit.Soft, Hard: limit.Hard})
	}
	if adjust := c.Limits.OOMScoreAdjust; adjust.Set {
		p.OOMScoreAdj = &adjust.V
	}
	if asked := c.Limits.Personality; asked.Set {
		domain, ok := personalities[asked.V]
		if !ok {
			return fmt.Errorf("%s: personality %q is not one of this machine's", asked.From, asked.V)
		}
		s.OCI.Linux.Personality = &specs.LinuxPersonality{Domain: domain}
	}
	return nil
}
