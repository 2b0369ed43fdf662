package cli

import (
	"testing"

	"firn/shim/internal/config"
)

func TestBootWhatIsNamed(t *testing.T) {
	t.Parallel()
	named := config.Of("/nix/var/nix/profiles/web", config.Origin{Option: "[Firn] SystemPath="})
	for name, tc := range map[string]struct {
		change func(*config.Config)
		boot   bool
	}{
		"system":  {func(c *config.Config) { c.Firn.SystemPath = named }, true},
		"init":    {func(c *config.Config) { c.Firn.Init = config.Of("firn", config.Origin{}) }, true},
		"nothing": {func(*config.Config) {}, false},
		"Boot=no": {func(c *config.Config) { c.Firn.SystemPath, c.Exec.Boot = named, config.Of(false, config.Origin{}) }, false},
		"another program": {func(c *config.Config) {
			c.Firn.SystemPath, c.Exec.Parameters = named, config.Of([]string{"/bin/sh"}, config.Origin{})
		}, false},
	} {
		c := &config.Config{}
		tc.change(c)
		bootWhatIsNamed(c)
		if got := c.StartMode() == config.StartBoot; got != tc.boot {
			t.Errorf("%s: boots %v, want %v", name, got, tc.boot)
		}
	}
}
