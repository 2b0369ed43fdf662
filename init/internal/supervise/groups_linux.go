package supervise

import (
	"firn/init/internal/place"
	"firn/init/internal/unit"
)

// Cgroups are control groups below PID 1's own.
type Cgroups struct{ Place *place.Cgroups }

// Make is Groups'.
func (c Cgroups) Make(name unit.Name, limits *unit.Cgroup) (Group, error) {
	if limits == nil {
		limits = &unit.Cgroup{}
	}
	g, err := c.Place.Unit(string(limits.Slice), string(name))
	if err != nil {
		if place.Absent(err) {
			err = nil
		}
		return nil, err
	}
	memory, tasks := totals()
	return g, g.Limit(limitsOf(limits, memory, tasks))
}
