package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A payload is what to run in a container.
type payload struct {
	program []string
	boot    bool // run the root's own init, and wait until it says that it is ready
	stops   bool // it has to be told to halt; else it ends by itself
}

// A peer is a program that starts containers. command returns a command line
// that runs a payload in the foreground, or nil if the peer cannot.
type peer struct {
	name    string
	command func(payload) (*exec.Cmd, error)
}

// newPeers returns firn first: ratios are to it. A peer that is not installed is
// left out, and said so.
func newPeers(bin, scratch, root string) ([]peer, error) {
	peers := []peer{{"firn", nspawnLike(filepath.Join(bin, "firn"), []string{"nspawn"}, nil, root)}}
	if path, err := exec.LookPath("runc"); err == nil {
		peers = append(peers, peer{"runc", runc(path, scratch, root)})
	} else {
		fmt.Fprintln(os.Stderr, "runc is not installed, and left out")
	}
	if path, err := exec.LookPath("systemd-nspawn"); err == nil {
		keep := []string{"--register=no", "--keep-unit"}
		peers = append(peers,
			peer{"nspawn", nspawnLike(path, keep, nil, root)},
			peer{"nspawn, no seccomp", nspawnLike(path, keep, []string{"SYSTEMD_SECCOMP=0"}, root)})
	} else {
		fmt.Fprintln(os.Stderr, "systemd-nspawn is not installed, and left out")
	}
	return peers, nil
}

// nspawnLike is a peer with systemd-nspawn's command line.
func nspawnLike(path string, first, environment []string, root string) func(payload) (*exec.Cmd, error) {
	return func(p payload) (*exec.Cmd, error) {
		args := append(append([]string{}, first...), "-q", "-M", "bench", "-D", root)
		if p.boot {
			args = append(args, "--notify-ready=yes", "-b")
		}
		cmd := exec.Command(path, append(args, p.program...)...)
		cmd.Env = append(os.Environ(), environment...)
		return cmd, nil
	}
}

// runc runs a bundle that is as near to the others' containers as runc's own
// default: the host's network, no terminal.
func runc(path, scratch, root string) func(payload) (*exec.Cmd, error) {
	return func(p payload) (*exec.Cmd, error) {
		if p.boot {
			return nil, nil // runc makes no container that systemd boots in by default
		}
		bundle := filepath.Join(scratch, "bundle-"+strings.ReplaceAll(p.program[0], "/", ""))
		if err := writeBundle(path, bundle, root, p.program); err != nil {
			return nil, err
		}
		return exec.Command(path, "--root", filepath.Join(scratch, "runc"), "run", "--bundle", bundle, "bench"), nil
	}
}

// writeBundle makes an OCI bundle of runc's own template, once.
func writeBundle(path, bundle, root string, program []string) error {
	if _, err := os.Stat(bundle); err == nil {
		return nil
	}
	if err := os.Mkdir(bundle, 0o755); err != nil {
		return err
	}
	if output, err := exec.Command(path, "spec", "--bundle", bundle).CombinedOutput(); err != nil {
		return fmt.Errorf("runc spec: %w: %s", err, output)
	}
	file := filepath.Join(bundle, "config.json")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := json.Unmarshal(data, &spec); err != nil {
		return err
	}
	process, ok := spec["process"].(map[string]any)
	linux, okLinux := spec["linux"].(map[string]any)
	if !ok || !okLinux {
		return fmt.Errorf("runc spec: no process or linux in %s", file)
	}
	process["terminal"], process["args"], process["rlimits"] = false, program, []any{}
	spec["root"] = map[string]any{"path": root, "readonly": false}
	var namespaces []any
	for _, kind := range []string{"pid", "ipc", "uts", "mount", "cgroup"} {
		namespaces = append(namespaces, map[string]any{"type": kind})
	}
	linux["namespaces"] = namespaces
	if data, err = json.Marshal(spec); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
