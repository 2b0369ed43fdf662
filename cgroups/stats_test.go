package cgroups

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
)

// cgroupFiles are the contents of one cgroup's files.
type cgroupFiles map[string]string

var statsV2 = cgroupFiles{
	"memory.current":      "1048576\n",
	"memory.peak":         "2097152\n",
	"memory.max":          "max\n",
	"memory.swap.current": "4096\n",
	"memory.swap.max":     "8192\n",
	"cpu.stat":            "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnice_usec 0\n",
	"pids.current":        "3\n",
	"pids.max":            "100\n",
	"io.stat": "8:0 rbytes=100 wbytes=20 rios=1 wios=1 dbytes=7 dios=1\n" +
		"254:0 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n",
}

var statsV1 = map[string]cgroupFiles{
	"memory": {
		"memory.usage_in_bytes":       "1048576\n",
		"memory.max_usage_in_bytes":   "2097152\n",
		"memory.limit_in_bytes":       "3145728\n",
		"memory.memsw.limit_in_bytes": "4194304\n",
		"memory.stat":                 "swap 1\ntotal_swap 4096\n",
	},
	"cpuacct": {
		"cpuacct.usage": "1500000\n", "cpuacct.usage_user": "1000000\n", "cpuacct.usage_sys": "500000\n",
	},
	"pids": {"pids.current": "3\n", "pids.max": "max\n"},
	"blkio": {
		"blkio.throttle.io_service_bytes_recursive": "8:0 Read 100\n8:0 Write 20\n8:0 Sync 120\n8:0 Total 120\n254:0 Read 1\n254:0 Write 2\nTotal 123\n",
		"blkio.io_service_bytes_recursive":          "8:0 Read 9999\nTotal 9999\n",
	},
}

func TestStats(t *testing.T) {
	t.Parallel()
	const cgroup = "/machine/web.nspawn"
	for _, tt := range []struct {
		name  string
		v1    map[string]cgroupFiles
		v2    cgroupFiles
		only2 bool
		want  string
	}{
		{"v2", nil, statsV2, true,
			`{"memory":{"current_bytes":1048576,"peak_bytes":2097152,"swap_bytes":4096,"swap_limit_bytes":8192},` +
				`"cpu":{"usage_ns":1500000,"user_ns":1000000,"system_ns":500000},"pids":{"current":3,"limit":100},` +
				`"io":{"read_bytes":101,"written_bytes":22}}`},
		{"v2 without controllers", nil, cgroupFiles{"cpu.stat": "usage_usec 5\n"}, true, `{"cpu":{"usage_ns":5000}}`},
		{"v1", statsV1, nil, false,
			`{"memory":{"current_bytes":1048576,"peak_bytes":2097152,"limit_bytes":3145728,"swap_bytes":4096,"swap_limit_bytes":1048576},` +
				`"cpu":{"usage_ns":1500000,"user_ns":1000000,"system_ns":500000},"pids":{"current":3},` +
				`"io":{"read_bytes":101,"written_bytes":22}}`},
		{"v1 without limits", map[string]cgroupFiles{"memory": {
			"memory.limit_in_bytes": "9223372036854771712\n", "memory.memsw.limit_in_bytes": "9223372036854771712\n",
		}}, nil, false, `{}`},
		// What v1 carries is never asked of v2.
		{"hybrid", map[string]cgroupFiles{"pids": {"pids.current": "1\n"}}, statsV2, false, `{"pids":{"current":1}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := fakeHost(t)
			if tt.only2 {
				hr, _ := h.v2()
				h.Hierarchies = []Hierarchy{hr}
			}
			for _, hr := range h.Hierarchies {
				files := tt.v1[hr.String()]
				if hr.V2 {
					files = tt.v2
				}
				put(t, filepath.Join(hr.Dir(cgroup), "cgroup.procs"), "")
				for name, text := range files {
					put(t, filepath.Join(hr.Dir(cgroup), name), text)
				}
			}
			s, err := h.Stats(cgroup)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(s)
			if err != nil || string(got) != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
	h := fakeHost(t)
	if _, err := h.Stats(cgroup); !errors.Is(err, ErrNoCgroup) {
		t.Errorf("no such cgroup: %v, want ErrNoCgroup", err)
	}
	hr, _ := h.carrier("pids")
	put(t, filepath.Join(hr.Dir(cgroup), "pids.current"), "many\n")
	if _, err := h.Stats(cgroup); err == nil {
		t.Error("garbage in pids.current was taken")
	}
}
