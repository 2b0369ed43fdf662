package cgroups

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
)

// ErrNoController is the error of a limit whose controller the cgroup does
// not have: not mounted, mounted read-only, or kept by the cgroups above.
var ErrNoController = errors.New("controller is not available")

// Limits is how much a cgroup may use. A nil field is not set. Sources:
// cgroup-v2.rst; cgroup-v1/{memory,pids,blkio-controller}.rst, sched-bwc.rst.
type Limits struct {
	MemoryMin, MemoryLow *uint64 // bytes; v2 only
	MemoryHigh           *uint64 // bytes; v2 only
	MemoryMax            *uint64 // bytes
	MemorySwapMax        *uint64 // bytes of swap alone; v2 only
	PIDs                 *uint64 // tasks
	CPUWeight            *uint64 // 1 to 10000, 100 is usual; v1: shares, 1024 for 100
	CPUQuota, CPUPeriod  uint64  // microseconds in each period; a quota of 0 is none
	CPUs, Memories       string  // lists as cpuset takes them
	IOWeight             *uint64 // 1 to 10000, 100 is usual; v1: 10 to 1000, 500 for 100
	NoLimit              uint64  // the value that stands for "max"; usually 1<<64-1
	CPUIdle              bool    // v2 only
}

// limit is one file to write, in v1's and v2's words; an empty file is a
// limit that the version does not have.
type limit struct {
	controller string
	v1, v2     string // files
	old, new   string // values
}

// Limit sets limits. What cannot be set is in the error, each by its file or
// its controller, and does not keep the others from being set.
func (c *Child) Limit(l Limits) error {
	var errs []error
	for _, row := range l.rows() {
		if err := c.write(row); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (l *Limits) rows() (rows []limit) {
	amount := func(v *uint64, controller, v1, v2 string) {
		if v == nil {
			return
		}
		old, now := strconv.FormatUint(*v, 10), strconv.FormatUint(*v, 10)
		if *v == l.NoLimit {
			old, now = "-1", "max"
			if controller == "pids" {
				old = "max"
			}
		}
		rows = append(rows, limit{controller, v1, v2, old, now})
	}
	amount(l.MemoryMin, "memory", "", "memory.min")
	amount(l.MemoryLow, "memory", "", "memory.low")
	amount(l.MemoryHigh, "memory", "", "memory.high")
	amount(l.MemoryMax, "memory", "memory.limit_in_bytes", "memory.max")
	amount(l.MemorySwapMax, "memory", "", "memory.swap.max")
	amount(l.PIDs, "pids", "pids.max", "pids.max")
	if w := l.CPUWeight; w != nil {
		rows = append(rows, limit{"cpu", "cpu.shares", "cpu.weight", strconv.FormatUint(max(2, *w*1024/100), 10), strconv.FormatUint(*w, 10)})
	}
	if l.CPUIdle {
		rows = append(rows, limit{"cpu", "", "cpu.idle", "", "1"})
	}
	if l.CPUQuota != 0 {
		period := l.CPUPeriod
		if period == 0 {
			period = 100_000
		}
		rows = append(rows,
			limit{"cpu", "cpu.cfs_period_us", "", strconv.FormatUint(period, 10), ""},
			limit{"cpu", "cpu.cfs_quota_us", "cpu.max", strconv.FormatUint(l.CPUQuota, 10), fmt.Sprintf("%d %d", l.CPUQuota, period)})
	}
	if l.CPUs != "" {
		rows = append(rows, limit{"cpuset", "cpuset.cpus", "cpuset.cpus", l.CPUs, l.CPUs})
	}
	if l.Memories != "" {
		rows = append(rows, limit{"cpuset", "cpuset.mems", "cpuset.mems", l.Memories, l.Memories})
	}
	if w := l.IOWeight; w != nil {
		old := min(1000, max(10, *w*5))
		rows = append(rows, limit{"blkio", "blkio.weight", "io.weight", strconv.FormatUint(old, 10), "default " + strconv.FormatUint(*w, 10)})
	}
	return rows
}

// write puts one limit where its controller is: in v1 if that has it, else
// in v2, where the cgroup above must hand the controller down.
func (c *Child) write(row limit) error {
	for _, p := range c.places {
		if p.hierarchy.V2 || !p.hierarchy.Has(row.controller) {
			continue
		}
		if row.v1 == "" {
			return fmt.Errorf("limit %s: cgroup v1 has no such thing: %w", row.v2, ErrNoController)
		}
		return named(row.v1, writeValue(p.dir, row.v1, row.old))
	}
	controller := row.controller
	if controller == "blkio" {
		controller = "io"
	}
	for _, p := range c.places {
		if !p.hierarchy.V2 || row.v2 == "" {
			continue
		}
		if err := handDown(c.own[p.dir], p.dir, controller); err != nil {
			return fmt.Errorf("limit %s: %w", row.v2, errors.Join(ErrNoController, err))
		}
		return named(row.v2, writeValue(p.dir, row.v2, row.new))
	}
	if row.v2 == "" {
		return nil // v1's half of what v2 has in one file
	}
	return fmt.Errorf("limit %s: controller %s: %w", row.v2, controller, ErrNoController)
}

func named(file string, err error) error {
	if err != nil {
		return fmt.Errorf("limit %s: %w", file, err)
	}
	return nil
}

// handDown enables a controller in the cgroups from own to the parent of dir.
func handDown(own, dir, controller string) error {
	var above []string
	for d := filepath.Dir(dir); within(d, own); d = filepath.Dir(d) {
		above = append(above, d)
		if d == own {
			break
		}
	}
	for _, d := range slices.Backward(above) {
		if err := writeValue(d, "cgroup.subtree_control", "+"+controller); err != nil {
			return fmt.Errorf("enable controller %s below %s: %w", controller, d, err)
		}
	}
	return nil
}
