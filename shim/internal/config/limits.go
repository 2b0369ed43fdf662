package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"firn/init/unitfile"
)

func parseOOMScore(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < -1000 || n > 1000 {
		return 0, errors.New("not a number from -1000 to 1000")
	}
	return n, nil
}

// maxCPU is the highest CPU number of a kernel with the largest CONFIG_NR_CPUS.
const maxCPU = 8191

// parseCPUs reads numbers and ranges, separated by commas or blanks.
func parseCPUs(s string) ([]int, error) {
	words, err := unitfile.ExtractWords(s, ", \t\n", unitfile.Unquote)
	if err != nil {
		return nil, err
	}
	var cpus []int
	for _, word := range words {
		low, high, isRange := strings.Cut(word, "-")
		first, err := parseCPU(low)
		if err != nil {
			return nil, err
		}
		last := first
		if isRange {
			if last, err = parseCPU(high); err != nil {
				return nil, err
			}
		}
		if last < first {
			return nil, fmt.Errorf("range %s runs backwards", word)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	if len(cpus) == 0 {
		return nil, errEmpty
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

func parseCPU(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n > maxCPU {
		return 0, fmt.Errorf("%q is not a CPU number (0 to %d)", printable(s), maxCPU)
	}
	return int(n), nil
}

// sortedKeys gives a map's names in a stable order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
