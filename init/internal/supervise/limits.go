package supervise

import (
	"math"
	"os"
	"strconv"
	"strings"

	"firn/cgroups"
	"firn/init/internal/unit"
)

// limitsOf turns a unit's settings into a control group's, where shares are of this memory and of so many tasks.
func limitsOf(c *unit.Cgroup, memory, tasks uint64) cgroups.Limits {
	l := cgroups.Limits{
		NoLimit: math.MaxUint64, CPUs: c.AllowedCPUs, Memories: c.AllowedMemoryNodes, CPUIdle: c.CPUIdle,
		MemoryMin: amount(c.MemoryMin, memory), MemoryLow: amount(c.MemoryLow, memory), MemoryHigh: amount(c.MemoryHigh, memory),
		MemoryMax: amount(c.MemoryMax, memory), MemorySwapMax: amount(c.MemorySwapMax, memory), PIDs: amount(c.TasksMax, tasks),
		CPUWeight: weight(c.CPUWeight), IOWeight: weight(c.IOWeight),
	}
	if c.CPUQuota != 0 {
		l.CPUPeriod = 100_000
		if c.CPUQuotaPeriod > 0 {
			l.CPUPeriod = uint64(c.CPUQuotaPeriod.Microseconds())
		}
		// The kernel takes no less than a millisecond.
		l.CPUQuota = max(1000, uint64(c.CPUQuota)*l.CPUPeriod/10000)
	}
	return l
}

func amount(a unit.Amount, total uint64) *uint64 {
	if !a.Set {
		return nil
	}
	v, ok := a.Of(total)
	if !ok {
		v = math.MaxUint64
	}
	return &v
}

func weight(w uint32) *uint64 {
	if w == 0 {
		return nil
	}
	v := uint64(w)
	return &v
}

// totals are all memory there is, in bytes (proc_meminfo(5)), and all tasks (proc_sys_kernel(5)).
func totals() (memory, tasks uint64) {
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		if f := strings.Fields(string(text)); len(f) > 1 {
			kb, _ := strconv.ParseUint(f[1], 10, 64)
			memory = kb << 10
		}
	}
	tasks = math.MaxUint64
	for _, file := range []string{"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"} {
		if text, err := os.ReadFile(file); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil {
				tasks = min(tasks, n)
			}
		}
	}
	return memory, tasks
}
