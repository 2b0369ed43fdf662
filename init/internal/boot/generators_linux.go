package boot

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"firn/init/internal/log"
	"firn/init/internal/reap"
	"firn/init/internal/unitload"
)

// generatorDirs are where generators are, highest precedence first (systemd.generator(7)).
var generatorDirs = []string{
	"/run/systemd/system-generators", "/etc/systemd/system-generators", "/usr/local/lib/systemd/system-generators",
	"/usr/lib/systemd/system-generators", "/lib/systemd/system-generators",
}

// generated are the directories that they write units to: of normal, early and late precedence.
var generated = []string{"/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late"}

// generatorPatience bounds all generators together.
const generatorPatience = 30 * time.Second

// generate runs the system's generators, all at once, before its units are loaded. One that does not work is named, and
// the boot goes on without its units.
func (s *System) generate(ctx context.Context) {
	began := time.Now()
	for _, dir := range generated {
		if err := os.RemoveAll(dir); err != nil { // of an earlier run
			s.log.Warn("generators: " + err.Error())
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			s.log.Warn("generators: " + err.Error())
			return
		}
	}
	ctx, cancel := context.WithTimeout(ctx, generatorPatience)
	defer cancel()
	running := make(map[string]*reap.Process)
	for name, path := range findGenerators() {
		p, err := s.startGenerator(path)
		if p == nil {
			s.log.Warn("generator: "+err.Error(), "name", name)
			continue
		}
		running[name] = p
	}
	for name, p := range running {
		select {
		case <-p.Done():
			if code := reap.ExitCode(p.Status()); code != 0 {
				s.log.Warn("generator "+reap.Describe(p.Status()), "name", name)
			}
		case <-ctx.Done():
			s.log.Warn("generator takes too long: killed", "name", name)
			_ = p.SignalGroup(syscall.SIGKILL) // it may have ended
		}
	}
	for _, dir := range generated {
		_ = os.Remove(dir) // if nothing is in it
	}
	s.log.Debug("generators done", "number", itoa(len(running)), "took", log.Took(began))
}

// findGenerators gives the generators by name; of two with one name the first directory's counts, and one that is
// masked by /dev/null is none.
func findGenerators() map[string]string {
	found := make(map[string]string)
	for _, dir := range slices.Backward(generatorDirs) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
				delete(found, e.Name())
				continue
			}
			found[e.Name()] = path
		}
	}
	return found
}

// startGenerator starts one with what systemd.generator(7) says that it gets.
func (s *System) startGenerator(path string) (*reap.Process, error) {
	env := append(unitEnviron(), "SYSTEMD_SCOPE=system", "SYSTEMD_IN_INITRD=0", "SYSTEMD_FIRST_BOOT=0", "SYSTEMD_ARCHITECTURE="+unitload.Architecture())
	if s.manager.Container != "" {
		env = append(env, "SYSTEMD_VIRTUALIZATION=container:"+s.manager.Container)
	}
	p, err := s.reaper.Start(reap.Spec{
		Path: path, Args: append([]string{path}, generated...), Env: env, Dir: "/", Files: []uintptr{0, 1, 2},
		Attr: syscall.SysProcAttr{Setsid: true}, Place: s.placeFor("generators.service"),
	})
	if p == nil {
		err = fmt.Errorf("start: %w", err)
	}
	return p, err
}
