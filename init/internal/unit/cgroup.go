package unit

// Cgroup is how much a unit may use (systemd.resource-control(5)). Accounting settings are not kept: what is limited is
// counted, and v2 counts all.
type Cgroup struct {
	Slice               Name // "": system.slice, or a template's own below it
	Delegate            bool
	DelegateControllers []string // nil with Delegate: all
	DelegateSubgroup    string

	MemoryMin, MemoryLow        Amount
	MemoryHigh, MemoryMax       Amount // MemoryMax stands for the older MemoryLimit= too
	MemorySwapMax               Amount
	MemoryZSwapMax              Amount
	TasksMax                    Amount
	CPUWeight, StartupCPUWeight uint32 // 1 to 10000; 0: not set
	CPUIdle                     bool   // CPUWeight=idle
	CPUQuota                    uint32 // hundredths of a percent of one CPU; 0: none
	CPUQuotaPeriod              Span   // 0: 100 ms
	AllowedCPUs                 string // as cpuset.cpus takes it
	AllowedMemoryNodes          string
	IOWeight, StartupIOWeight   uint32 // 1 to 10000; 0: not set
	IODevices                   []IODevice
	ManagedOOM                  bool // any ManagedOOM...= was given; systemd-oomd alone acts on it
}

// Amount is a size in bytes or a number of tasks, or a share of what there is.
type Amount struct {
	Value     uint64 // bytes or tasks
	Share     uint32 // hundredths of a percent; not 0: Value does not count
	Set       bool
	Unlimited bool // "infinity"
}

// Of gives the amount where total is all there is, and false if it is not set or unlimited.
func (a Amount) Of(total uint64) (uint64, bool) {
	switch {
	case !a.Set || a.Unlimited:
		return 0, false
	case a.Share != 0:
		return total/10000*uint64(a.Share) + total%10000*uint64(a.Share)/10000, true
	}
	return a.Value, true
}

// IODevice is one limit of one device.
type IODevice struct {
	Kind  IOLimit
	Path  string // of the device, or of a file on it
	Value uint64 // bytes or operations per second, a weight, or microseconds; 1<<64-1: none
}

// IOLimit is the setting that an IODevice comes from.
type IOLimit uint8

// Limits.
const (
	IOReadBandwidthMax IOLimit = iota
	IOWriteBandwidthMax
	IOReadIOPSMax
	IOWriteIOPSMax
	IODeviceWeight
	IODeviceLatencyTarget
)
