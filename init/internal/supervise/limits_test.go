package supervise

import (
	"math"
	"testing"
	"time"

	"firn/init/internal/unit"
)

func TestLimitsOf(t *testing.T) {
	t.Parallel()
	l := limitsOf(&unit.Cgroup{
		MemoryMax: unit.Amount{Set: true, Share: 5000}, MemoryHigh: unit.Amount{Set: true, Unlimited: true},
		TasksMax: unit.Amount{Set: true, Value: 9}, CPUQuota: 2000, CPUQuotaPeriod: 10 * time.Millisecond, CPUWeight: 50,
	}, 1<<30, 1000)
	switch {
	case *l.MemoryMax != 1<<29, *l.MemoryHigh != math.MaxUint64, *l.PIDs != 9, l.MemoryLow != nil, *l.CPUWeight != 50:
		t.Errorf("%+v", l)
	case l.CPUQuota != 2000 || l.CPUPeriod != 10_000:
		t.Errorf("quota %d of %d", l.CPUQuota, l.CPUPeriod)
	}
	if l := limitsOf(&unit.Cgroup{CPUQuota: 10}, 1, 1); l.CPUQuota != 1000 {
		t.Errorf("quota %d, want the least that the kernel takes", l.CPUQuota)
	}
	if memory, tasks := totals(); memory < 1<<20 || tasks < 100 || tasks == math.MaxUint64 {
		t.Errorf("%d bytes, %d tasks", memory, tasks)
	}
}
