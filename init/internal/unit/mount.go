package unit

// Mount is the [Mount] section (systemd.mount(5)) without what Exec, Kill and Cgroup hold.
type Mount struct {
	What, Where, FSType, Options                            string
	SloppyOptions, LazyUnmount, ReadWriteOnly, ForceUnmount bool
	DirectoryMode                                           uint32 // 0755 by default
	Timeout                                                 Span   // Infinity: none
}

// Automount is the [Automount] section (systemd.automount(5)).
type Automount struct {
	Where         string
	ExtraOptions  string
	DirectoryMode uint32 // 0755 by default
	TimeoutIdle   Span   // 0: never unmounted
}

// Swap is the [Swap] section (systemd.swap(5)).
type Swap struct {
	What, Options string
	Priority      int32 // -1: not set
	Timeout       Span  // Infinity: none
}
