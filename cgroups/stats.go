package cgroups

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Stats is what a cgroup and all below it use. A field that the host cannot
// tell (controller not there, kernel too old, no limit set) is nil, and absent
// in JSON. Sources: cgroup-v2.rst; cgroup-v1/{memory,cpuacct,pids,blkio-controller}.rst.
type Stats struct {
	Memory MemoryStats `json:"memory,omitzero"`
	CPU    CPUStats    `json:"cpu,omitzero"`
	PIDs   PIDStats    `json:"pids,omitzero"`
	IO     IOStats     `json:"io,omitzero"`
}

// MemoryStats is in bytes. Limits are the cgroup's own; a parent's may be lower.
type MemoryStats struct {
	Current   *uint64 `json:"current_bytes,omitempty"`
	Peak      *uint64 `json:"peak_bytes,omitempty"` // v2: Linux 5.19
	Limit     *uint64 `json:"limit_bytes,omitempty"`
	Swap      *uint64 `json:"swap_bytes,omitempty"`
	SwapLimit *uint64 `json:"swap_limit_bytes,omitempty"`
}

// CPUStats is time on CPUs since the cgroup was made, in nanoseconds in JSON.
type CPUStats struct {
	Usage  *time.Duration `json:"usage_ns,omitempty"`
	User   *time.Duration `json:"user_ns,omitempty"`
	System *time.Duration `json:"system_ns,omitempty"`
}

// PIDStats counts tasks: threads, not processes.
type PIDStats struct {
	Current *uint64 `json:"current,omitempty"`
	Limit   *uint64 `json:"limit,omitempty"`
}

// IOStats is in bytes, over all block devices. Where one device stands on
// another (dm on a disk) the kernel counts a byte for both.
type IOStats struct {
	Read    *uint64 `json:"read_bytes,omitempty"`
	Written *uint64 `json:"written_bytes,omitempty"`
}

// Stats measures the cgroup. The error wraps ErrNoCgroup if it is in no
// hierarchy; a file that is missing or unreadable leaves its field nil.
func (h *Host) Stats(path string) (Stats, error) {
	if !h.Exists(path) {
		return Stats{}, fmt.Errorf("measure cgroup %s: %w", path, ErrNoCgroup)
	}
	var s Stats
	var errs []error
	for _, part := range []struct {
		controller string
		v1, v2     func(counters, *Stats) error
	}{
		{"memory", memoryV1, memoryV2},
		{"cpuacct", cpuV1, cpuV2},
		{"pids", pids, pids},
		{"blkio", ioV1, ioV2},
	} {
		hr, ok := h.carrier(part.controller)
		if !ok {
			continue
		}
		read := part.v1
		if hr.V2 {
			read = part.v2
		}
		if err := read(counters(hr.Dir(path)), &s); err != nil {
			errs = append(errs, fmt.Errorf("measure cgroup %s: %w", path, err))
		}
	}
	return s, errors.Join(errs...)
}

// counters is a cgroup's directory as a set of files with numbers.
type counters string

// bytes reads a file; nil without an error if the host has no such file.
func (c counters) bytes(file string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(c), file))
	// EOPNOTSUPP: the file is there, the accounting behind it is off.
	if gone(err) || refused(err) || errors.Is(err, syscall.EOPNOTSUPP) {
		return nil, nil
	}
	return data, err
}

// number reads a file that holds one number. "max" and v1's "unlimited"
// (the largest count of pages, in bytes) give nil.
func (c counters) number(file string) (*uint64, error) {
	data, err := c.bytes(file)
	if data == nil || err != nil {
		return nil, err
	}
	text := strings.TrimSpace(string(data))
	if text == "max" {
		return nil, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is no number", file, text)
	}
	if n >= unlimited {
		return nil, nil
	}
	return &n, nil
}

// unlimited is below PAGE_COUNTER_MAX pages for every page size
// (include/linux/page_counter.h) and above any memory.
const unlimited = 1 << 62

// table reads a file with a key and a number a line.
func (c counters) table(file string) (map[string]uint64, error) {
	data, err := c.bytes(file)
	if data == nil || err != nil {
		return nil, err
	}
	t := make(map[string]uint64)
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		if n, err := strconv.ParseUint(value, 10, 64); err == nil {
			t[key] = n
		}
	}
	return t, nil
}

// fill reads one number for each file into its field.
func (c counters) fill(fields map[string]**uint64) error {
	var errs []error
	for file, field := range fields {
		n, err := c.number(file)
		if err != nil {
			errs = append(errs, err)
		}
		*field = n
	}
	return errors.Join(errs...)
}

func memoryV2(c counters, s *Stats) error {
	return c.fill(map[string]**uint64{
		"memory.current":      &s.Memory.Current,
		"memory.peak":         &s.Memory.Peak,
		"memory.max":          &s.Memory.Limit,
		"memory.swap.current": &s.Memory.Swap,
		"memory.swap.max":     &s.Memory.SwapLimit,
	})
}

// memoryV1: memsw counts memory and swap together, so the swap limit is the
// difference of two limits, and swap in use is told by memory.stat alone.
func memoryV1(c counters, s *Stats) error {
	var both *uint64
	err := c.fill(map[string]**uint64{
		"memory.usage_in_bytes":       &s.Memory.Current,
		"memory.max_usage_in_bytes":   &s.Memory.Peak,
		"memory.limit_in_bytes":       &s.Memory.Limit,
		"memory.memsw.limit_in_bytes": &both,
	})
	if limit := s.Memory.Limit; both != nil && limit != nil && *both >= *limit {
		swap := *both - *limit
		s.Memory.SwapLimit = &swap
	}
	table, terr := c.table("memory.stat")
	if n, ok := table["total_swap"]; ok {
		s.Memory.Swap = &n
	}
	return errors.Join(err, terr)
}

func cpuV2(c counters, s *Stats) error {
	table, err := c.table("cpu.stat")
	for key, field := range map[string]**time.Duration{
		"usage_usec":  &s.CPU.Usage,
		"user_usec":   &s.CPU.User,
		"system_usec": &s.CPU.System,
	} {
		if n, ok := table[key]; ok {
			d := time.Duration(n) * time.Microsecond
			*field = &d
		}
	}
	return err
}

// cpuV1: usage_user and usage_sys are in nanoseconds, since Linux 4.7.
func cpuV1(c counters, s *Stats) error {
	var errs []error
	for file, field := range map[string]**time.Duration{
		"cpuacct.usage":      &s.CPU.Usage,
		"cpuacct.usage_user": &s.CPU.User,
		"cpuacct.usage_sys":  &s.CPU.System,
	} {
		n, err := c.number(file)
		if err != nil {
			errs = append(errs, err)
		}
		if n != nil {
			d := time.Duration(*n)
			*field = &d
		}
	}
	return errors.Join(errs...)
}

// pids has the same files on v1 and v2.
func pids(c counters, s *Stats) error {
	return c.fill(map[string]**uint64{
		"pids.current": &s.PIDs.Current,
		"pids.max":     &s.PIDs.Limit,
	})
}

// ioV2 sums io.stat: "MAJ:MIN rbytes=N wbytes=N rios=N ...", a line a device.
// The file is empty until the first I/O.
func ioV2(c counters, s *Stats) error {
	data, err := c.bytes("io.stat")
	if data == nil || err != nil {
		return err
	}
	var read, written uint64
	for _, f := range strings.Fields(string(data)) {
		key, value, _ := strings.Cut(f, "=")
		n, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			continue
		}
		switch key {
		case "rbytes":
			read += n
		case "wbytes":
			written += n
		}
	}
	s.IO = IOStats{Read: &read, Written: &written}
	return nil
}

// ioV1Files hold the bytes with the cgroups below, the most general first:
// throttle counts for each device, bfq only where bfq is the scheduler, the
// last was CFQ's (until Linux 5.0).
var ioV1Files = []string{
	"blkio.throttle.io_service_bytes_recursive", // Linux 4.16
	"blkio.bfq.io_service_bytes_recursive",
	"blkio.io_service_bytes_recursive",
}

// ioV1 sums "MAJ:MIN Read N" and "MAJ:MIN Write N"; "Total N" closes the file.
func ioV1(c counters, s *Stats) error {
	for _, file := range ioV1Files {
		data, err := c.bytes(file)
		if err != nil {
			return err
		}
		if data == nil {
			continue
		}
		var read, written uint64
		for line := range bytes.Lines(data) {
			f := strings.Fields(string(line))
			if len(f) != 3 {
				continue
			}
			n, err := strconv.ParseUint(f[2], 10, 64)
			if err != nil {
				return fmt.Errorf("%s: %q is no number", file, f[2])
			}
			switch f[1] {
			case "Read":
				read += n
			case "Write":
				written += n
			}
		}
		s.IO = IOStats{Read: &read, Written: &written}
		return nil
	}
	return nil
}
