package spec

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"firn/cgroups"
	"firn/init/unitfile"
	"firn/shim/internal/config"
)

// containerDevices are the character devices that a container may use: those
// of systemd's DevicePolicy=closed and the pseudo terminals.
var containerDevices = []struct {
	major, minor int64 // minor -1: all
}{
	{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, // null zero full random urandom
	{5, 0}, {5, 2}, // tty ptmx
	{136, -1}, // pts/*
}

// properties are the resource control settings (systemd.resource-control(5))
// that firn applies, to the container's own cgroup and not to a unit: so they
// mean the same on a host without systemd, and hold under --keep-unit too.
var properties = map[string]func(*resourceBuilder, string) error{
	"MemoryMax":     func(b *resourceBuilder, v string) error { return b.size(v, &b.memory().Limit) },
	"MemoryLimit":   func(b *resourceBuilder, v string) error { return b.size(v, &b.memory().Limit) },
	"MemorySwapMax": (*resourceBuilder).memorySwapMax,
	"MemoryHigh":    func(b *resourceBuilder, v string) error { return b.unifiedSize("memory.high", v) },
	"MemoryLow":     func(b *resourceBuilder, v string) error { return b.unifiedSize("memory.low", v) },
	"MemoryMin":     func(b *resourceBuilder, v string) error { return b.unifiedSize("memory.min", v) },
	"TasksMax":      (*resourceBuilder).tasksMax,
	"CPUWeight":     (*resourceBuilder).cpuWeight,
	"CPUQuota":      (*resourceBuilder).cpuQuota,
	"AllowedCPUs":   func(b *resourceBuilder, v string) error { b.cpu().Cpus = commas(v); return nil },
	"AllowedMemoryNodes": func(b *resourceBuilder, v string) error {
		b.cpu().Mems = commas(v)
		return nil
	},
}

// resourceBuilder collects properties into OCI's resources.
type resourceBuilder struct {
	*specs.LinuxResources
	facts *Facts
}

func (s *Spec) buildResources(c *config.Config, f *Facts) error {
	b := &resourceBuilder{LinuxResources: &specs.LinuxResources{}, facts: f}
	for _, d := range containerDevices {
		rule := specs.LinuxDeviceCgroup{Allow: true, Type: "c", Major: &d.major, Access: "rwm"}
		if d.minor >= 0 {
			rule.Minor = &d.minor
		}
		b.Devices = append(b.Devices, rule)
	}
	s.OCI.Linux.Resources = b.LinuxResources
	s.tun(f)
	for _, p := range c.Unit.Properties {
		apply, ok := properties[p.Name]
		if !ok {
			return fmt.Errorf("%s: property %q is not one that firn applies: %s",
				p.From, p.Name, strings.Join(slices.Sorted(maps.Keys(properties)), " "))
		}
		if err := apply(b, p.Value); err != nil {
			return fmt.Errorf("%s: %s=%s: %w", p.From, p.Name, p.Value, err)
		}
	}
	return nil
}

// tun adds /dev/net/tun, as systemd-nspawn does where the host has it. It takes
// CAP_NET_ADMIN to do anything with it.
func (s *Spec) tun(f *Facts) {
	if f.TunMode == 0 {
		return
	}
	major, minor := int64(10), int64(200)
	s.OCI.Linux.Devices = append(s.OCI.Linux.Devices, specs.LinuxDevice{
		Path: "/dev/net/tun", Type: "c", Major: major, Minor: minor, FileMode: &f.TunMode,
	})
	s.OCI.Linux.Resources.Devices = append(s.OCI.Linux.Resources.Devices, specs.LinuxDeviceCgroup{
		Allow: true, Type: "c", Major: &major, Minor: &minor, Access: "rwm",
	})
}

func (b *resourceBuilder) memory() *specs.LinuxMemory {
	if b.Memory == nil {
		b.Memory = &specs.LinuxMemory{}
	}
	return b.Memory
}

func (b *resourceBuilder) cpu() *specs.LinuxCPU {
	if b.CPU == nil {
		b.CPU = &specs.LinuxCPU{}
	}
	return b.CPU
}

func (b *resourceBuilder) size(value string, into **int64) error {
	n, err := parseSize(value, b.facts.Memory)
	*into = &n
	return err
}

// unifiedSize sets a file that exists on cgroup v2 only.
func (b *resourceBuilder) unifiedSize(file, value string) error {
	if b.facts.CgroupMode != cgroups.Unified {
		return fmt.Errorf("cgroup v1 has no equivalent of %s", file)
	}
	n, err := parseSize(value, b.facts.Memory)
	if err != nil {
		return err
	}
	b.unified(file, n)
	return nil
}

func (b *resourceBuilder) unified(file string, n int64) {
	if b.Unified == nil {
		b.Unified = map[string]string{}
	}
	b.Unified[file] = "max"
	if n >= 0 {
		b.Unified[file] = strconv.FormatInt(n, 10)
	}
}

// memorySwapMax: OCI's swap is memory and swap together, systemd's swap alone.
func (b *resourceBuilder) memorySwapMax(value string) error {
	if b.facts.CgroupMode == cgroups.Unified {
		return b.unifiedSize("memory.swap.max", value)
	}
	n, err := parseSize(value, b.facts.Memory)
	if err != nil {
		return err
	}
	if b.memory().Limit == nil {
		return fmt.Errorf("on cgroup v1 MemoryMax must be set before it")
	}
	sum := int64(-1)
	if n >= 0 && *b.Memory.Limit >= 0 {
		sum = *b.Memory.Limit + n
	}
	b.Memory.Swap = &sum
	return nil
}

func (b *resourceBuilder) tasksMax(value string) error {
	n := int64(-1)
	if value != "infinity" {
		var err error
		if n, err = strconv.ParseInt(value, 10, 64); err != nil || n < 1 {
			return fmt.Errorf("want a positive number or infinity")
		}
	}
	b.Pids = &specs.LinuxPids{Limit: &n}
	return nil
}

// cpuWeight: 100 is the default weight of v2, 1024 the default share of v1.
func (b *resourceBuilder) cpuWeight(value string) error {
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || n < 1 || n > 10000 {
		return fmt.Errorf("want a number from 1 to 10000")
	}
	if b.facts.CgroupMode == cgroups.Unified {
		b.unified("cpu.weight", int64(n))
		return nil
	}
	shares := max(n*1024/100, 2)
	b.cpu().Shares = &shares
	return nil
}

// cpuQuota is a share of one CPU per 100 ms.
func (b *resourceBuilder) cpuQuota(value string) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
	if err != nil || !strings.HasSuffix(value, "%") || percent <= 0 || percent > 1e6 {
		return fmt.Errorf("want a percentage such as 150%%")
	}
	period := uint64(100_000)
	quota := max(int64(percent*1000), 1000)
	b.cpu().Period, b.cpu().Quota = &period, &quota
	return nil
}

// parseSize reads systemd's sizes: bytes with a suffix K, M, G or T to the base
// of 1024, a percentage of the physical memory, or infinity (-1).
func parseSize(value string, memory uint64) (int64, error) {
	if value == "infinity" {
		return -1, nil
	}
	var n uint64
	var err error
	if number, ok := strings.CutSuffix(value, "%"); ok {
		var percent float64
		if percent, err = strconv.ParseFloat(number, 64); percent < 0 || percent > 100 {
			err = strconv.ErrRange
		}
		n = uint64(percent / 100 * float64(memory))
	} else {
		n, err = unitfile.ParseSize(value)
	}
	if err != nil || n > math.MaxInt64 {
		return 0, fmt.Errorf("want a size such as 512M, 10%% or infinity")
	}
	return int64(n), nil
}

// commas turns systemd's lists, separated by commas or white space, into the
// kernel's.
func commas(list string) string {
	return strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }), ",")
}
