package main

import (
	"strings"

	"firn/kmod"
)

// runConfig is "firn-kmod config", the configuration without the indexes' half.
func runConfig(p *program, args []string) int {
	p.name, p.log.name = "modprobe", "modprobe"
	return runModprobe(p, append([]string{"-c"}, args...))
}

// showConfig prints what modprobe -c does: the configuration as commands, then
// the aliases of the indexes.
func (m *modprobe) showConfig(c *kmod.Context) int {
	config := c.Config()
	if m.json {
		m.configJSON(config)
		return 0
	}
	for _, r := range config.Blacklist {
		m.out.puts("blacklist ", r.Name, "\n")
	}
	for _, part := range []struct {
		command string
		rules   []kmod.Rule
	}{{"install", config.Install}, {"remove", config.Remove}, {"alias", config.Aliases}, {"options", config.Options}} {
		for _, r := range part.rules {
			m.out.puts(part.command, " ", r.Name, " ", r.Text, "\n")
		}
	}
	for _, s := range config.Softdeps {
		m.out.puts("softdep ", s.Name, " ", softdepText(s), "\n")
	}
	for _, w := range config.Weakdeps {
		m.out.puts("weakdep ", w.Name, " ", strings.Join(w.Modules, " "), "\n")
	}
	m.out.puts("\n# End of configuration files. Dumping indexes now:\n\n")
	for _, t := range c.Trees() {
		for _, index := range []*kmod.Index{t.Aliases(), t.Symbols()} {
			err := index.Walk(func(key string, v kmod.Value) bool {
				m.out.puts("alias ", key, " ", v.Text, "\n")
				return true
			})
			if err != nil {
				m.log.error("%s", err)
				return 1
			}
		}
	}
	return 0
}

func softdepText(s kmod.Softdep) string {
	var parts []string
	if len(s.Pre) > 0 {
		parts = append(parts, "pre: "+strings.Join(s.Pre, " "))
	}
	if len(s.Post) > 0 {
		parts = append(parts, "post: "+strings.Join(s.Post, " "))
	}
	return strings.Join(parts, " ")
}

func (m *modprobe) configJSON(config *kmod.Config) {
	list := jsonList{enabled: true, w: &m.out}
	for _, part := range []struct {
		command string
		rules   []kmod.Rule
	}{{"blacklist", config.Blacklist}, {"install", config.Install}, {"remove", config.Remove}, {"alias", config.Aliases}, {"options", config.Options}} {
		for _, r := range part.rules {
			list.item(pair{"command", part.command}, pair{"name", r.Name}, pair{"text", r.Text}, pair{"origin", r.Origin.String()})
		}
	}
	for _, s := range config.Softdeps {
		list.item(pair{"command", "softdep"}, pair{"name", s.Name}, pair{"pre", s.Pre}, pair{"post", s.Post}, pair{"origin", s.Origin.String()})
	}
	for _, w := range config.Weakdeps {
		list.item(pair{"command", "weakdep"}, pair{"name", w.Name}, pair{"modules", w.Modules}, pair{"origin", w.Origin.String()})
	}
	list.end()
}
