package unit

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

// cgroupSettings are those of systemd.resource-control(5).
func cgroupSettings() []Setting {
	const firewall = "traffic is filtered by the host's firewall, not per unit"
	weight := func(field func(c *Cgroup) *uint32) parser {
		return into(func(u *Unit) *uint32 { return field(u.Cgroup) }, cgroupWeight)
	}
	rows := []Setting{
		does("Slice", into(func(u *Unit) *Name { return &u.Cgroup.Slice }, unitOf(SliceType))),
		does("Delegate", delegate),
		does("DelegateSubgroup", into(func(u *Unit) *string { return &u.Cgroup.DelegateSubgroup }, expanded)),
		does("TasksMax", amount(func(c *Cgroup) *Amount { return &c.TasksMax }, countOf)),
		does("CPUWeight", cpuWeight),
		does("StartupCPUWeight", weight(func(c *Cgroup) *uint32 { return &c.StartupCPUWeight })),
		does("CPUShares", scaledWeight(func(c *Cgroup) *uint32 { return &c.CPUWeight }, 1024, 2, 262144)),
		does("StartupCPUShares", scaledWeight(func(c *Cgroup) *uint32 { return &c.StartupCPUWeight }, 1024, 2, 262144)),
		does("CPUQuota", cpuQuota),
		does("CPUQuotaPeriodSec", into(func(u *Unit) *Span { return &u.Cgroup.CPUQuotaPeriod }, quotaPeriod)),
		does("AllowedCPUs", into(func(u *Unit) *string { return &u.Cgroup.AllowedCPUs }, cpuList)),
		does("AllowedMemoryNodes", into(func(u *Unit) *string { return &u.Cgroup.AllowedMemoryNodes }, cpuList)),
		does("IOWeight", weight(func(c *Cgroup) *uint32 { return &c.IOWeight })),
		does("StartupIOWeight", weight(func(c *Cgroup) *uint32 { return &c.StartupIOWeight })),
		does("BlockIOWeight", scaledWeight(func(c *Cgroup) *uint32 { return &c.IOWeight }, 500, 10, 1000)),
		does("StartupBlockIOWeight", scaledWeight(func(c *Cgroup) *uint32 { return &c.StartupIOWeight }, 500, 10, 1000)),
	}
	rows = append(rows, memorySettings()...)
	rows = append(rows, ioSettings()...)
	rows = append(rows, lacks("the weights of the start-up phase alone are set", "StartupAllowedCPUs", "StartupAllowedMemoryNodes")...)
	rows = append(rows, ignores("what is limited is counted", "CPUAccounting", "MemoryAccounting", "TasksAccounting", "IOAccounting",
		"BlockIOAccounting")...)
	rows = append(rows, ignores("no oomd runs in a container; the kernel's own limit holds", "ManagedOOMSwap", "ManagedOOMMemoryPressure",
		"ManagedOOMMemoryPressureLimit", "ManagedOOMMemoryPressureDurationSec", "ManagedOOMPreference", "MemoryPressureWatch",
		"MemoryPressureThresholdSec")...)
	rows = append(rows, lacks(firewall, "IPAccounting", "IPAddressAllow", "IPAddressDeny", "IPIngressFilterPath", "IPEgressFilterPath",
		"BPFProgram", "SocketBindAllow", "SocketBindDeny", "RestrictNetworkInterfaces", "NFTSet")...)
	rows = append(rows, ignores("the container's own device rules hold for all units", "DeviceAllow", "DevicePolicy")...)
	return append(rows, lacks("controllers are switched on where a unit needs them", "DisableControllers", "CoredumpReceive")...)
}

func memorySettings() []Setting {
	memory := func(key string, field func(c *Cgroup) *Amount) Setting { return does(key, amount(field, sizeOf)) }
	return append([]Setting{
		memory("MemoryMin", func(c *Cgroup) *Amount { return &c.MemoryMin }),
		memory("MemoryLow", func(c *Cgroup) *Amount { return &c.MemoryLow }),
		memory("MemoryHigh", func(c *Cgroup) *Amount { return &c.MemoryHigh }),
		memory("MemorySwapMax", func(c *Cgroup) *Amount { return &c.MemorySwapMax }),
		memory("MemoryZSwapMax", func(c *Cgroup) *Amount { return &c.MemoryZSwapMax }),
		does("MemoryMax", func(r *reader, u *Unit, value string) error {
			r.memoryMaxSet = true
			return amount(func(c *Cgroup) *Amount { return &c.MemoryMax }, sizeOf)(r, u, value)
		}),
		// The name of cgroup v1; MemoryMax counts where both are given.
		does("MemoryLimit", func(r *reader, u *Unit, value string) error {
			if r.memoryMaxSet {
				return nil
			}
			return amount(func(c *Cgroup) *Amount { return &c.MemoryMax }, sizeOf)(r, u, value)
		}),
	}, lacks("memory protection is set per unit, not inherited by a default", "DefaultMemoryMin", "DefaultMemoryLow",
		"StartupMemoryHigh", "StartupMemoryMax", "StartupMemoryLow", "StartupMemorySwapMax", "StartupMemoryZSwapMax",
		"DefaultStartupMemoryLow", "MemoryZSwapWriteback")...)
}

func ioSettings() []Setting {
	device := func(key string, kind IOLimit, read func(string) (uint64, error)) Setting {
		return does(key, ioDevice(kind, read))
	}
	return []Setting{
		device("IODeviceWeight", IODeviceWeight, ioWeight),
		device("IOReadBandwidthMax", IOReadBandwidthMax, decimalSize),
		device("IOWriteBandwidthMax", IOWriteBandwidthMax, decimalSize),
		device("IOReadIOPSMax", IOReadIOPSMax, decimalSize),
		device("IOWriteIOPSMax", IOWriteIOPSMax, decimalSize),
		device("IODeviceLatencyTargetSec", IODeviceLatencyTarget, func(v string) (uint64, error) {
			return unitfile.ParseTimespan(v, unitfile.Second)
		}),
		device("BlockIODeviceWeight", IODeviceWeight, func(v string) (uint64, error) {
			n, err := plain(v)
			return max(1, n*100/500), err
		}),
		device("BlockIOReadBandwidth", IOReadBandwidthMax, decimalSize),
		device("BlockIOWriteBandwidth", IOWriteBandwidthMax, decimalSize),
	}
}

func delegate(r *reader, u *Unit, value string) error {
	c := u.Cgroup
	if on, err := unitfile.ParseBool(value); err == nil {
		c.Delegate, c.DelegateControllers = on, nil
		return nil
	}
	if value == "" { // delegated without controllers
		c.Delegate, c.DelegateControllers = true, []string{}
		return nil
	}
	for _, word := range strings.Fields(value) {
		if !slices.Contains(controllers, word) {
			r.warn("%q is no controller", word)
			continue
		}
		if !c.Delegate || c.DelegateControllers != nil {
			c.DelegateControllers = append(c.DelegateControllers, word)
		}
		c.Delegate = true
	}
	return nil
}

var controllers = []string{"cpu", "cpuacct", "cpuset", "io", "blkio", "memory", "devices", "pids", "bpf-firewall",
	"bpf-devices", "bpf-foreign", "bpf-socket-bind", "bpf-restrict-network-interfaces"}

// amount reads a number, a share of all in percent, or infinity.
func amount(field func(c *Cgroup) *Amount, read func(string) (uint64, error)) parser {
	return func(_ *reader, u *Unit, value string) error {
		a := Amount{Set: true}
		var err error
		switch {
		case value == "":
			a = Amount{}
		case value == "infinity":
			a.Unlimited = true
		case strings.HasSuffix(value, "%"):
			a.Share, err = percent(value, 100)
		default:
			a.Value, err = read(value)
		}
		if err == nil {
			*field(u.Cgroup) = a
		}
		return err
	}
}

func sizeOf(value string) (uint64, error) { return unitfile.ParseSize(value) }

func countOf(value string) (uint64, error) {
	n, err := plain(value)
	if err == nil && n == 0 {
		err = ErrRange
	}
	return n, numberError(err)
}

// percent reads "12%" or "12.34%" in hundredths, up to highest percent.
func percent(value string, highest uint64) (uint32, error) {
	digits, ok := strings.CutSuffix(value, "%")
	whole, fraction, dot := strings.Cut(digits, ".")
	n, err := strconv.ParseUint(whole, 10, 32)
	if !ok || err != nil || dot && (len(fraction) == 0 || len(fraction) > 2) {
		return 0, ErrValue
	}
	n *= 100
	if dot {
		f, err := strconv.ParseUint((fraction + "0")[:2], 10, 8)
		if err != nil {
			return 0, ErrValue
		}
		n += f
	}
	if n > highest*100 {
		return 0, ErrRange
	}
	return uint32(n), nil
}

func cgroupWeight(r *reader, value string) (uint32, error) {
	if value == "" {
		return 0, nil
	}
	n, err := within(1, 10000)(r, value)
	return uint32(n), err
}

func cpuWeight(r *reader, u *Unit, value string) error {
	if value == "idle" {
		u.Cgroup.CPUIdle = true
		return nil
	}
	n, err := cgroupWeight(r, value)
	if err == nil {
		u.Cgroup.CPUWeight, u.Cgroup.CPUIdle = n, false
	}
	return err
}

// scaledWeight reads a weight of cgroup v1 and keeps it as v2's, in which 100 is the middle.
func scaledWeight(field func(c *Cgroup) *uint32, middle, low, high int64) parser {
	return func(r *reader, u *Unit, value string) error {
		if value == "" {
			*field(u.Cgroup) = 0
			return nil
		}
		n, err := within(low, high)(r, value)
		if err == nil {
			*field(u.Cgroup) = uint32(min(max(n*100/middle, 1), 10000))
		}
		return err
	}
}

func cpuQuota(_ *reader, u *Unit, value string) error {
	if value == "" {
		u.Cgroup.CPUQuota = 0
		return nil
	}
	n, err := percent(value, math.MaxUint32/100)
	if err == nil && n == 0 {
		err = ErrRange
	}
	if err == nil {
		u.Cgroup.CPUQuota = n
	}
	return err
}

func quotaPeriod(r *reader, value string) (Span, error) {
	if value == "" {
		return 0, nil
	}
	s, err := span(r, value)
	return min(max(s, 1e6), 1e9), err // what the kernel takes: 1 ms to 1 s
}

// cpuList checks a list such as "0-3,8 10" and gives it with commas, as the kernel reads it.
func cpuList(r *reader, value string) (string, error) {
	value, err := r.expand(value)
	if err != nil {
		return "", err
	}
	words := strings.FieldsFunc(value, func(c rune) bool { return c == ',' || strings.ContainsRune(blanks, c) })
	for _, word := range words {
		first, last, isRange := strings.Cut(word, "-")
		from, err := within(0, maxCPUs-1)(r, first)
		if err == nil && isRange {
			_, err = within(from, maxCPUs-1)(r, last)
		}
		if err != nil {
			return "", err
		}
	}
	return strings.Join(words, ","), nil
}

var errDevice = errors.New("not a device or path, followed by a value")

// ioDevice reads "PATH VALUE".
func ioDevice(kind IOLimit, read func(string) (uint64, error)) parser {
	return func(r *reader, u *Unit, value string) error {
		c := u.Cgroup
		if value == "" {
			c.IODevices = slices.DeleteFunc(c.IODevices, func(d IODevice) bool { return d.Kind == kind })
			return nil
		}
		words, err := unitfile.ExtractWords(value, "", unitfile.Unquote)
		if err != nil || len(words) != 2 {
			return errDevice
		}
		p, err := absolute(r, words[0])
		if err != nil {
			return err
		}
		n := uint64(math.MaxUint64)
		if words[1] != "infinity" {
			if n, err = read(words[1]); err != nil {
				return numberError(err)
			}
		}
		c.IODevices = append(slices.DeleteFunc(c.IODevices, func(d IODevice) bool { return d.Kind == kind && d.Path == p }),
			IODevice{kind, p, n})
		return nil
	}
}

func ioWeight(value string) (uint64, error) {
	n, err := within(1, 10000)(nil, value)
	return uint64(n), err
}

// decimalSize reads bytes or operations per second: K, M, G and T count by thousands here.
func decimalSize(value string) (uint64, error) {
	scale := uint64(1)
	if i := strings.IndexAny(value, "KMGTP"); i >= 0 && i == len(value)-1 {
		for range strings.IndexByte("KMGTP", value[i]) + 1 {
			scale *= 1000
		}
		value = value[:i]
	}
	n, err := plain(value)
	if err == nil && n > math.MaxUint64/scale {
		err = ErrRange
	}
	return n * scale, err
}
