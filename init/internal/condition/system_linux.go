package condition

import (
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"firn/init/internal/unit"
	"firn/init/unitfile"
)

// same tells whether a yes-or-no parameter asks for what is.
func same(param string, is bool) (bool, error) {
	want, err := unitfile.ParseBool(param)
	if err != nil {
		return false, ErrParam
	}
	return want == is, nil
}

// read gives a file's text, "" if there is none.
func (e *Env) read(p string) string {
	text, err := os.ReadFile(e.path(p))
	if err != nil {
		return ""
	}
	return string(text)
}

func (e *Env) architecture(param string) (bool, error) {
	return param == e.Architecture || param == "native", nil
}

func (e *Env) firmware(param string) (bool, error) {
	switch {
	case param == "uefi":
		return e.pathExists("/sys/firmware/efi")
	case param == "device-tree" || strings.HasPrefix(param, "device-tree-compatible("):
		return e.pathExists("/sys/firmware/devicetree")
	case strings.HasPrefix(param, "smbios-field("):
		return false, nil
	}
	return false, ErrParam
}

// containers are the values of $container that systemd knows; any other is "container-other" (systemd-detect-virt(1)).
var containers = []string{"systemd-nspawn", "lxc-libvirt", "lxc", "openvz", "docker", "podman", "rkt", "wsl", "proot", "pouch"}

func (e *Env) virtualization(param string) (bool, error) {
	id, isContainer := e.machine(), e.Container != ""
	if any, err := unitfile.ParseBool(param); err == nil {
		return any == (id != ""), nil
	}
	switch param {
	case "container":
		return isContainer, nil
	case "vm":
		return id != "" && !isContainer, nil
	case "private-users":
		fields := strings.Fields(e.read("/proc/self/uid_map"))
		return !slices.Equal(fields, []string{"0", "0", "4294967295"}), nil
	}
	return param == id || isContainer && param == e.Container, nil
}

// machine names what this runs in: a container's manager, or else a hypervisor, or "".
func (e *Env) machine() string {
	switch {
	case slices.Contains(containers, e.Container):
		return e.Container
	case e.Container != "":
		return "container-other"
	}
	vendor := e.read("/sys/class/dmi/id/sys_vendor") + e.read("/sys/class/dmi/id/product_name")
	for name, id := range map[string]string{"QEMU": "qemu", "KVM": "kvm", "VMware": "vmware", "VirtualBox": "oracle", "Xen": "xen",
		"Amazon EC2": "amazon", "Microsoft Corporation": "microsoft", "Google Compute Engine": "google"} {
		if strings.Contains(vendor, name) {
			return id
		}
	}
	if e.cpuFlag("hypervisor") {
		return "vm-other"
	}
	return ""
}

func (e *Env) host(param string) (bool, error) {
	if id := strings.ReplaceAll(param, "-", ""); len(id) == 32 && strings.Trim(id, "0123456789abcdef") == "" {
		return id == e.MachineID, nil
	}
	return path.Match(param, e.Hostname)
}

// commandLine looks at the kernel's command line; in a container at PID 1's own, as systemd does.
func (e *Env) commandLine(param string) (bool, error) {
	words := strings.Split(strings.TrimRight(e.read("/proc/1/cmdline"), "\x00"), "\x00")
	if e.Container == "" {
		var err error
		if words, err = unitfile.ExtractWords(e.read("/proc/cmdline"), "", unitfile.Unquote|unitfile.Relax); err != nil {
			return false, err
		}
	}
	return slices.ContainsFunc(words, func(w string) bool {
		return w == param || !strings.Contains(param, "=") && strings.HasPrefix(w, param+"=")
	}), nil
}

func (e *Env) kernelVersion(param string) (bool, error) {
	for first := true; param != ""; first = false {
		var word string
		word, param, _ = strings.Cut(strings.TrimLeft(param, " \t"), " ")
		op, version := splitOperator(word)
		if op == "" {
			if !first {
				return false, ErrParam
			}
			return path.Match(word, e.Kernel)
		}
		if version == "" { // "> 5" as well as ">5"
			version, param, _ = strings.Cut(strings.TrimLeft(param, " \t"), " ")
		}
		if version == "" {
			return false, ErrParam
		}
		if ok, err := satisfies(compareVersions(e.Kernel, version), op); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (e *Env) credential(param string) (bool, error) {
	for _, dir := range []string{e.variable("CREDENTIALS_DIRECTORY"), e.variable("ENCRYPTED_CREDENTIALS_DIRECTORY"), "/run/credentials/@system", "/run/credentials/@encrypted"} {
		if dir == "" {
			continue
		}
		if ok, _ := e.pathExists(path.Join(dir, param)); ok && !strings.Contains(param, "/") {
			return true, nil
		}
	}
	return false, nil
}

func (e *Env) variable(name string) string {
	for _, v := range e.Environ {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

func (e *Env) environment(param string) (bool, error) {
	return slices.ContainsFunc(e.Environ, func(v string) bool {
		return v == param || !strings.Contains(param, "=") && strings.HasPrefix(v, param+"=")
	}), nil
}

// security asks for kernel modules that guard the whole machine. A container has none of its own; what can be seen of
// the host's counts as systemd counts it.
func (e *Env) security(param string) (bool, error) {
	switch param {
	case "selinux":
		return e.pathExists("/sys/fs/selinux/enforce")
	case "apparmor":
		return strings.HasPrefix(e.read("/sys/module/apparmor/parameters/enabled"), "Y"), nil
	case "smack":
		return e.pathExists("/sys/fs/smackfs/load")
	case "ima":
		return e.pathExists("/sys/kernel/security/ima")
	case "tomoyo":
		return e.pathExists("/sys/kernel/security/tomoyo/version")
	case "audit", "uefi-secureboot", "tpm2", "cvm", "measured-uki":
		return false, nil
	}
	return false, ErrParam
}

func (e *Env) capability(param string) (bool, error) {
	number, err := unit.ParseCapability(param)
	if err != nil {
		return false, ErrParam
	}
	for line := range strings.Lines(e.read("/proc/self/status")) {
		if mask, ok := strings.CutPrefix(line, "CapBnd:"); ok {
			set, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return set&(1<<number) != 0, err
		}
	}
	return false, nil
}

// acPower: a machine without batteries is on mains.
func (e *Env) acPower(param string) (bool, error) {
	supplies, _ := filepath.Glob(e.path("/sys/class/power_supply/*"))
	offline := false
	for _, s := range supplies {
		online, err := os.ReadFile(filepath.Join(s, "online"))
		switch {
		case err == nil && strings.HasPrefix(string(online), "1"):
			return same(param, true)
		case err == nil:
			offline = true
		}
	}
	return same(param, !offline)
}

// user and group: the system manager is root.
func (e *Env) user(param string) (bool, error) {
	return param == "root" || param == "0" || param == "@system", nil
}

func (e *Env) group(param string) (bool, error) { return param == "root" || param == "0", nil }

func (e *Env) controllers(param string) (bool, error) {
	available := strings.Fields(e.read("/sys/fs/cgroup/cgroup.controllers"))
	unified, _ := e.pathExists("/sys/fs/cgroup/cgroup.controllers")
	switch param {
	case "v1", "v2":
		return unified == (param == "v2"), nil
	}
	if !unified {
		for line := range strings.Lines(e.read("/proc/cgroups")) {
			if fields := strings.Fields(line); len(fields) == 4 && fields[3] == "1" {
				available = append(available, fields[0])
			}
		}
	}
	for _, word := range strings.Fields(param) {
		if !slices.Contains(available, word) {
			return false, nil
		}
	}
	return true, nil
}

func (e *Env) memory(param string) (bool, error) {
	op, value := splitOperator(param)
	if op == "" {
		op = ">="
	}
	want, err := unitfile.ParseSize(value)
	if err != nil {
		return false, ErrParam
	}
	for line := range strings.Lines(e.read("/proc/meminfo")) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "MemTotal:" {
			kilobytes, err := strconv.ParseUint(fields[1], 10, 54)
			if err != nil {
				return false, err
			}
			return satisfies(compareNumbers(kilobytes<<10, want), op)
		}
	}
	return false, nil
}

func (e *Env) cpus(param string) (bool, error) {
	op, value := splitOperator(param)
	if op == "" {
		op = ">="
	}
	want, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
	if err != nil {
		return false, ErrParam
	}
	return satisfies(compareNumbers(uint64(runtime.NumCPU()), want), op)
}

func (e *Env) cpuFeature(param string) (bool, error) { return e.cpuFlag(strings.ToLower(param)), nil }

func (e *Env) cpuFlag(name string) bool {
	for line := range strings.Lines(e.read("/proc/cpuinfo")) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "flags", "Features":
			return slices.Contains(strings.Fields(value), name)
		}
	}
	return false
}

// osRelease reads KEY OP VALUE words, all of which must hold.
func (e *Env) osRelease(param string) (bool, error) {
	words, err := unitfile.ExtractWords(param, "", unitfile.Unquote)
	if err != nil {
		return false, ErrParam
	}
	text := e.read("/etc/os-release")
	if text == "" {
		text = e.read("/usr/lib/os-release")
	}
	for _, word := range words {
		i := strings.IndexAny(word, "=!<>$")
		if i <= 0 {
			return false, ErrParam
		}
		op, value := splitOperator(word[i:])
		if ok, err := compareRelease(field(text, word[:i]), op, value); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// field reads a variable of a shell-like file.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+"="); ok {
			if words, err := unitfile.ExtractWords(value, "", unitfile.Unquote); err == nil && len(words) > 0 {
				return words[0]
			}
		}
	}
	return ""
}

// pressure compares the share of time lost (PSI, kernel's accounting/psi.rst): PERCENT or PERCENT/TIMESPAN. A kernel
// that does not measure has no pressure.
func (e *Env) pressure(resource, param string) (bool, error) {
	if _, value, scoped := strings.Cut(param, ":"); scoped { // a slice's own; the whole system's stands for it
		param = value
	}
	value, period, given := strings.Cut(param, "/")
	window := "avg300="
	if given {
		switch strings.TrimSpace(period) {
		case "10sec", "10s", "10":
			window = "avg10="
		case "1min", "60s", "60sec":
			window = "avg60="
		case "5min", "300s", "300sec":
		default:
			return false, ErrParam
		}
	}
	limit, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(value), "%"), 64)
	if err != nil || !strings.HasSuffix(strings.TrimSpace(value), "%") {
		return false, ErrParam
	}
	text := e.read("/proc/pressure/" + resource)
	for _, kind := range []string{"full ", "some "} {
		for line := range strings.Lines(text) {
			_, share, found := strings.Cut(line, window)
			if !found || !strings.HasPrefix(line, kind) {
				continue
			}
			share, _, _ = strings.Cut(share, " ")
			is, err := strconv.ParseFloat(share, 64)
			return is <= limit, err
		}
	}
	return true, nil
}
